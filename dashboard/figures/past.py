"""A board's past: what it is made of at an earlier moment, as it was known then or as it had happened by then.

Known: trades received, decisions made, prices arrived and dated rules entered up to the moment. Nothing
later shines through. Happened: trades executed and prices published by it, whenever they came here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from market.models import Market
from market.periods import DeliveryPeriod
from prices.past import first_arrived, prices_published_by, publications_of_day
from prices.queries import KnownPrice, PricePoint, PriceTimeline, price_paths, price_timelines, prices_as_of
from trades.models import TradeFlag, Trader
from trades.past import (
    Traded,
    first_received,
    moments_of_day,
    state_then,
    traded_then,
    trades_of_day_then,
    trades_then,
)
from trades.queries import SLOT_SECONDS, DayTrade, PeriodKey, PeriodTrade, TradeState

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN_BY_FILES = TradeFlag.NOT_IN_FILE.value
"""The one flag that comes and goes after a trade is stored."""


class Basis(StrEnum):
    """What a past moment divides: what came here from what did not yet, or what happened from what did not yet."""

    KNOWN = "known"
    HAPPENED = "happened"


@dataclass(frozen=True, slots=True)
class Past:
    """A moment (UTC) that a board is read at, instead of now."""

    moment: datetime
    basis: Basis = Basis.KNOWN
    _read: dict[tuple[int, date, int | None], dict[int, Traded]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """What has been read at the moment: a board and its lines over time are of the same trades."""

    @property
    def happened(self) -> bool:
        return self.basis is Basis.HAPPENED

    def market(self, market: Market) -> Market:
        """With the rules that were known; what had happened is read by those of today."""
        return market if self.happened else market.known_at(self.moment)

    def traded(self, market: Market, day: date, trader_pk: int | None = None) -> dict[int, Traded]:
        """By trader (primary key): one's, or everybody's. One query, the first time."""
        key = (market.pk, day, trader_pk)
        if key not in self._read:
            self._read[key] = traded_then(
                market_id=market.pk, day=day, moment=self.moment, happened=self.happened, trader_pk=trader_pk
            )
        return self._read[key]

    def traded_by(self, trader: Trader, market: Market, day: date) -> Traded:
        """One trader's."""
        return self.traded(market, day, trader.pk).get(trader.pk, Traded())

    def trades_of_day(self, market: Market, day: date) -> list[DayTrade]:
        """Everybody's that counted, in the order of storing. One query."""
        return trades_of_day_then(market_id=market.pk, day=day, moment=self.moment, happened=self.happened)

    def prices(self, market: Market, day: date) -> dict[DeliveryPeriod, KnownPrice]:
        """The day's prices as they stood. One query."""
        read = prices_published_by if self.happened else prices_as_of
        return read(market_id=market.pk, day=day, moment=self.moment)

    def price_timelines(self, market: Market, day: date) -> Mapping[DeliveryPeriod, PriceTimeline]:
        """How the day's prices came about up to the moment. One query."""
        return price_timelines(
            market_id=market.pk, day=day, slot_seconds=SLOT_SECONDS, moment=self.moment, happened=self.happened
        )

    def price_paths(self, market: Market, periods: Sequence[DeliveryPeriod]) -> list[list[PricePoint]]:
        """Each period's accepted values up to the moment, in the order of publication. One query."""
        paths = price_paths(market_id=market.pk, periods=periods)
        return [[point for point in path if self._has(point)] for path in paths]

    def _has(self, point: PricePoint) -> bool:
        return (point.last_update if self.happened else point.arrived_at) <= self.moment

    def trade_state(self, key: PeriodKey) -> TradeState:
        """How many trades a period had. One query."""
        return state_then(key=key, moment=self.moment, happened=self.happened)

    def trades(self, key: PeriodKey, *, skip: int = 0, most: int | None = None) -> list[PeriodTrade]:
        """A period's trades, newest execution first, without what a file has shown of them since. One query."""
        trades = trades_then(key=key, moment=self.moment, happened=self.happened, skip=skip, most=most)
        return [replace(one, flags=tuple(flag for flag in one.flags if flag != _SHOWN_BY_FILES)) for one in trades]


@dataclass(frozen=True, slots=True)
class Marks:
    """When something became known of a day, in microseconds since 1970, oldest first."""

    trades: Sequence[int]
    """And decisions about them."""
    publications: Sequence[int]

    def around(self, moment: datetime) -> tuple[datetime | None, datetime | None]:
        """The last mark before the moment, and the first one after it (UTC)."""
        at = microseconds(moment)
        before = [marks[index - 1] for marks in self._kinds if (index := bisect_left(marks, at))]
        after = [marks[index] for marks in self._kinds if (index := bisect_right(marks, at)) < len(marks)]
        return (moment_of(max(before)) if before else None), (moment_of(min(after)) if after else None)

    @property
    def first(self) -> datetime | None:
        """The oldest mark (UTC)."""
        known = [marks[0] for marks in self._kinds if marks]
        return moment_of(min(known)) if known else None

    @property
    def _kinds(self) -> tuple[Sequence[int], Sequence[int]]:
        return self.trades, self.publications


def microseconds(moment: datetime) -> int:
    """Since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(number: int) -> datetime:
    """The moment (UTC) of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=number)


def load_marks(*, market: Market, day: date, until: datetime, trader_pk: int | None) -> Marks:
    """What a day can be stepped through by: one trader's, or with None the whole desk's. Two queries."""
    return Marks(
        moments_of_day(market_id=market.pk, day=day, until=until, trader_pk=trader_pk),
        publications_of_day(market_id=market.pk, day=day, until=until),
    )


def first_record(market: Market) -> datetime | None:
    """Since when anything of a market is known (UTC); None before its first trade and price. Two queries."""
    known = [moment for moment in (first_received(market_id=market.pk), first_arrived(market_id=market.pk)) if moment]
    return min(known, default=None)
