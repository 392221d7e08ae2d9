"""Addresses of boards, opened periods and their websockets."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language

from dashboard.figures.past import Basis, Past
from dashboard.render.formatting import utc
from market.models import Market
from trades.models import Trader


def board_address(trader_id: str, day: date, market: Market | None = None) -> str:
    """Path of a trader's board of one day; `market` only where there are several."""
    path = reverse("board", args=[trader_id, day.isoformat()])
    return f"{path}?{urlencode({'market': market.code})}" if market else path


def desk_address(day: date, market: Market | None = None) -> str:
    """Path of the desk's view of one day; `market` only where there are several."""
    path = reverse("desk_day", args=[day.isoformat()])
    return f"{path}?{urlencode({'market': market.code})}" if market else path


def shown_address(trader: Trader, day: date, market: Market | None) -> str:
    return board_address(trader.trader_id, day, market) if trader.trader_id else desk_address(day, market)


def socket_address(trader: Trader, day: date, market: Market | None, reading: str = "product") -> str:
    asked = {**({"market": market.code} if market else {}), **({"by": reading} if reading != "product" else {})}
    language = get_language() or settings.LANGUAGE_CODE
    return f"/ws{shown_address(trader, day, None)}?{urlencode({**asked, 'language': language})}"


def named_market(market: Market, markets: list[Market]) -> Market | None:
    """The market where an address has to name it: where there are several."""
    return market if len(markets) > 1 else None


def in_reading(address: str, reading: str) -> str:
    """The address of the same in a reading; by product it needs no word."""
    return address if reading == "product" else f"{address}{'&' if '?' in address else '?'}by={reading}"


def at_moment(address: str, past: Past | None) -> str:
    """The address of the same at a past moment; now needs no word."""
    if past is None:
        return address
    basis = "" if past.basis is Basis.KNOWN else f"&basis={past.basis}"
    return f"{address}{'&' if '?' in address else '?'}as_of={utc(past.moment)}{basis}"


def period_address(board: str, delivery_hour: str) -> str:
    """Path of a board's opened row, from the board's own path (with its query)."""
    path, mark, query = board.partition("?")
    return f"{path}{delivery_hour}/{mark}{query}"


def assumptions_address(trader: Trader, day: date, market: Market) -> str:
    """Where a board's page asks for its trader's assumptions; empty for the desk's."""
    asked = {"trader": trader.trader_id, "day": day.isoformat(), "market": market.code}
    return f"{reverse('assumptions_board')}?{urlencode(asked)}" if trader.trader_id else ""
