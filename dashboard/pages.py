"""What a page shows around a board or the desk: its address, the days beside it, the switches; pages that say no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext, gettext_lazy

from dashboard import formatting as fmt
from dashboard.access import AnyUser, board_trader, may_see_all, visible_traders
from dashboard.board import Board
from market.labels import ParsedPeriod, parse_period
from market.models import Market
from market.periods import PeriodError, day_of, parse_day
from market.queries import MarketError, active_markets, market_by_code
from trades.models import Trader

_ONE_DAY = timedelta(days=1)
_NEAR_DAYS = {-1: "yesterday", 0: "today", 1: "tomorrow"}
_NEAR_TITLES = {
    "yesterday": gettext_lazy("yesterday"),
    "today": gettext_lazy("today"),
    "tomorrow": gettext_lazy("tomorrow"),
}


@dataclass(frozen=True, slots=True)
class BoardFrame:
    """Everything on the page of a board, or of the desk, that is not one of its parts."""

    trader: Trader
    """Unsaved, without an id: the desk."""
    market: Market
    day: date
    day_title: str
    near: str
    """ "today", "yesterday", "tomorrow" or nothing."""
    near_title: str
    earlier: str
    later: str
    today: str
    """Address of the same board today; empty when this is it."""
    today_iso: str
    socket: str
    """Address of the board's websocket on this origin, in the page's language."""
    address: str
    """The board's own path, whatever address it is shown at."""
    as_of: str
    follows_today: bool
    currency: str
    traders: list[Trader]
    markets: list[Market]
    """To choose from; empty when there is nothing to choose."""


def page_frame(request: HttpRequest) -> dict[str, str]:
    """Context processor: what every page carries. Asks no database, so that it serves while there is none."""
    return {"app_version": settings.VERSION}


def choose_market(code: str | None, markets: list[Market]) -> Market:
    """The market asked for, else the first of the active ones; MarketError says what is wrong."""
    if code is None and markets:
        return markets[0]
    return next((market for market in markets if market.code == code), None) or market_by_code(code)


def asked_market(request: HttpRequest) -> Market:
    """The market of this request (`?market=CODE`), or the first; MarketError says what is wrong."""
    return choose_market(request.GET.get("market"), active_markets())


def board_address(trader_id: str, day: date, market: Market | None = None) -> str:
    """Path of a trader's board of one day; `market` only where there are several."""
    path = reverse("board", args=[trader_id, day.isoformat()])
    return f"{path}?{urlencode({'market': market.code})}" if market else path


def desk_address(day: date, market: Market | None = None) -> str:
    """Path of the desk's view of one day; `market` only where there are several."""
    path = reverse("desk_day", args=[day.isoformat()])
    return f"{path}?{urlencode({'market': market.code})}" if market else path


def _address(trader: Trader, day: date, market: Market | None) -> str:
    return board_address(trader.trader_id, day, market) if trader.trader_id else desk_address(day, market)


def _socket_address(trader: Trader, day: date, market: Market | None) -> str:
    asked = {"market": market.code} if market else {}
    language = get_language() or settings.LANGUAGE_CODE
    return f"/ws{_address(trader, day, None)}?{urlencode({**asked, 'language': language})}"


def named_market(market: Market, markets: list[Market]) -> Market | None:
    """The market where an address has to name it: where there are several."""
    return market if len(markets) > 1 else None


def period_address(board: str, delivery_hour: str) -> str:
    """Path of a board's opened row, from the board's own path (with its query)."""
    path, mark, query = board.partition("?")
    return f"{path}{delivery_hour}/{mark}{query}"


def board_frame(board: Board, *, user: AnyUser, follows_today: bool) -> BoardFrame:
    """The page around `board` for this user. Reads the markets and, for those who see all, the traders."""
    markets = active_markets()
    named = named_market(board.market, markets)
    today, day = day_of(board.as_of, board.market.zone), board.delivery_day
    trader = board.trader
    near = _NEAR_DAYS.get((day - today).days, "")
    traders = visible_traders(user) if trader.trader_id and may_see_all(user) else []
    return BoardFrame(
        trader=trader,
        market=board.market,
        day=day,
        day_title=fmt.day_title(day),
        near=near,
        near_title=str(_NEAR_TITLES.get(near, "")),
        earlier=_address(trader, day - _ONE_DAY, named),
        later=_address(trader, day + _ONE_DAY, named),
        today="" if day == today else _address(trader, today, named),
        today_iso=today.isoformat(),
        socket=_socket_address(trader, day, named),
        address=_address(trader, day, named),
        as_of=fmt.utc(board.as_of),
        follows_today=follows_today,
        currency=fmt.currency_sign(board.market.currency),
        traders=traders if len(traders) > 1 else [],
        markets=markets if named else [],
    )


def refusal(request: HttpRequest, sentence: str, *, status: int = 404) -> HttpResponse:
    """404 (or 400) with one sentence, also with DEBUG on: nobody needs a stack trace for a wrong address."""
    return render(request, f"{status}.html", {"exception": sentence}, status=status)


class NotThereError(LookupError):
    """Nothing there, or nothing for this user, alike; the message is one sentence for people, in their language."""


REFUSED = (NotThereError, MarketError, PeriodError)
"""What the `asked_…` functions raise; `why_not` makes a sentence of it."""

_View = Callable[..., HttpResponseBase]


def refusing(view: _View) -> _View:
    """The view, with what it raises about its address said on a page of its own: 404 and one sentence."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **arguments: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **arguments)
        except REFUSED as error:
            return refusal(request, why_not(error))

    return answer


def asked_trader(user: AnyUser, trader_id: str) -> Trader:
    """The trader of an address, for a user who may see the boards; NotThereError else."""
    trader = board_trader(user, trader_id)
    if trader is None:
        raise NotThereError(no_board_sentence(trader_id))
    return trader


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """What a row's address names, all of it there and the user's to see. `day`: the delivery day."""

    trader: Trader
    market: Market
    day: date
    parsed: ParsedPeriod


def asked_period(request: HttpRequest, trader_id: str, day: str, delivery_hour: str) -> AskedPeriod:
    """What `/<trader_id>/<day>/<delivery_hour>` names; raises one of REFUSED."""
    trader, market, delivery_day = asked_trader(request.user, trader_id), asked_market(request), parse_day(day)
    return AskedPeriod(trader, market, delivery_day, parse_period(delivery_day, delivery_hour, market.zone))


def why_not(error: Exception) -> str:
    """One of REFUSED as a sentence in the active language."""
    return sentence(error) if isinstance(error, MarketError | PeriodError) else str(error)


def no_board_sentence(trader_id: str) -> str:
    """For a trader that nobody has heard of and for one without the right to it, alike."""
    return gettext("There is no trader “%(trader)s” whose board you may see.") % {"trader": trader_id[:80]}


def sentence(error: MarketError | PeriodError) -> str:
    """What is wrong with an address, as a sentence of its own in the active language."""
    text = gettext(error.pattern) % error.values
    return f"{text[:1].upper()}{text[1:]}."
