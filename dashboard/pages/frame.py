"""What a page shows around a board or the desk: its address, the days beside it, the switches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from dashboard.access import marks
from dashboard.access.rights import AnyUser, may_see_all, visible_traders
from dashboard.figures.board import Board
from dashboard.render import formatting as fmt
from dashboard.render.addresses import assumptions_address, named_market, shown_address, socket_address
from dashboard.render.rows.clocks import zones_title
from market.models import Market
from market.queries import active_markets
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
    reading: str
    assumptions: str
    """Where the page's script asks for the trader's assumptions; empty on the desk's."""
    address: str
    """The board's own path, whatever address it is shown at."""
    as_of: str
    follows_today: bool
    currency: str
    zone: str
    """What the market's people's clocks say."""
    zones: str
    """Whose clocks, in words: the product zone, and the people's where it is another."""
    reference_name: str
    """What the market's reference averages."""
    traders: list[Trader]
    markets: list[Market]
    """To choose from; empty when there is nothing to choose."""


def page_frame(request: HttpRequest) -> dict[str, str]:
    """Context processor: what every page carries. Asks no database, so that it serves while there is none."""
    return {"app_version": settings.VERSION, "hides": marks.hidden(request.COOKIES)}


def board_frame(board: Board, *, user: AnyUser, now: datetime, follows_today: bool) -> BoardFrame:
    """The page around `board` for this user. Reads the markets and, for those who see all, the traders.

    Days are beside `now`'s, at whatever moment the board itself is shown.
    """
    markets = active_markets()
    named = named_market(board.market, markets)
    today, day = board.market.day_of(now), board.delivery_day
    trader, rules = board.trader, board.market.rules_on(day)
    near = _NEAR_DAYS.get((day - today).days, "")
    traders = visible_traders(user) if trader.trader_id and may_see_all(user) else []
    return BoardFrame(
        trader=trader,
        market=board.market,
        day=day,
        day_title=fmt.day_title(day),
        near=near,
        near_title=str(_NEAR_TITLES.get(near, "")),
        earlier=shown_address(trader, day - _ONE_DAY, named),
        later=shown_address(trader, day + _ONE_DAY, named),
        today="" if day == today else shown_address(trader, today, named),
        today_iso=today.isoformat(),
        socket=socket_address(trader, day, named, board.reading),
        reading=board.reading.value,
        assumptions="" if board.past else assumptions_address(trader, day, board.market),
        address=shown_address(trader, day, named),
        as_of=fmt.utc(board.as_of),
        follows_today=follows_today,
        currency=fmt.currency_sign(rules.currency),
        zone=rules.people_zone.key,
        zones=zones_title(board.market, day),
        reference_name=rules.reference_name,
        traders=traders if len(traders) > 1 else [],
        markets=markets if named else [],
    )
