"""A delivery day of the desk against itself: read from the trades as they count now, or counted at a past moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from dashboard.figures.itself.matching import DeskTrade, Pair, alike, matches, round_trips
from dashboard.figures.past import Past
from market.models import Market
from market.periods import DeliveryPeriod
from trades.queries import trades_of_day


@dataclass(frozen=True, slots=True)
class Against:
    """What of a day's trades met. `trades`: how many count; pairs by period, then by the later trade's execution."""

    market: Market
    day: date
    as_of: datetime
    trades: int
    matches: list[Pair]
    round_trips: list[Pair]
    alike: list[Pair]


def load_against(
    *, market: Market, day: date, now: datetime, period: DeliveryPeriod | None = None, past: Past | None = None
) -> Against:
    """The desk against itself on a delivery day, or in one of its periods (a product), now or at a past moment.

    One query.
    """
    rows = past.trades_of_day(market, day) if past else trades_of_day(market_id=market.pk, day=day)
    trades = [one for one in (DeskTrade(*row) for row in rows) if period in {None, one.period}]
    return against(market=market, day=day, now=past.moment if past else now, trades=trades)


def against(*, market: Market, day: date, now: datetime, trades: Iterable[DeskTrade]) -> Against:
    """The same of trades that are known already."""
    known = list(trades)
    return Against(market, day, now, len(known), matches(known), round_trips(known), alike(known))
