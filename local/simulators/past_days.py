"""Days that have happened already: what both simulators would have sent until a moment, had somebody been listening.

Trades are frames as the exchange pushes them, prices the provider's publications with a moment of arrival. Both are
those that the simulators go on with from that moment on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from local.simulators.prices import as_json, chance, opening
from local.simulators.provider import Market
from local.simulators.provider_wire import iso
from local.simulators.trades import Desk, Trade, confirmation
from market.labels import label_of, parse_period
from market.periods import HOUR, DeliveryPeriod, day_bounds, day_of, day_periods, parse_day

TRADES_LATELY, TRADES_BEFORE = 3300, 150
"""A day: since today's periods were opened for trading as many as on a real day, which had 3,349, fewer before."""
_EVENING_BEFORE = timedelta(hours=9)
_BUSY = (2, 2, 2, 2, 3, 4, 6, 8, 9, 9, 9, 10, 10, 10, 10, 9, 8, 8, 7, 6, 5, 4, 3, 2)
"""How busy the hours of a day are beside each other."""
_CLOSE, _CLOSE_OF_SHORT = timedelta(hours=2), timedelta(hours=1)
"""So long before the last publication each one is there of an hour, and of what is no hour; …"""
_FAR = (2, 3, 5, 9, 13, 25)
"""… before that those of so many hours before: one in each step of time left by which like cases go. Of what is
delivered from today on each one is there."""


@dataclass(frozen=True, slots=True)
class PastDays:
    """The delivery days from `first` on, until `now` (UTC)."""

    first: date
    now: datetime
    market: Market
    busy: float = 1.0
    """How much is traded beside a real German day."""

    @property
    def days(self) -> list[date]:
        """Those that have anything by now: tomorrow's periods can be traded already."""
        calendar = self.market.area.calendar
        last = day_of(self.now, calendar) + timedelta(days=1)
        return [self.first + timedelta(days=number) for number in range((last - self.first).days + 1)]

    @property
    def since_lately(self) -> datetime:
        """From when on (UTC) there is as much as on a real day."""
        calendar = self.market.area.calendar
        return day_bounds(day_of(self.now, calendar), calendar)[0] - _EVENING_BEFORE

    def trades(self, desk: Desk) -> Iterator[Trade]:
        """In the order of their execution."""
        for moment in self._moments():
            trade = desk.trade(moment)
            if trade.delivery_day >= self.first.isoformat():
                yield trade

    def _moments(self) -> Iterator[datetime]:
        start = day_bounds(self.first, self.market.area.calendar)[0] - _EVENING_BEFORE
        dice = random.Random(f"{self.market.seed} {self.first}")
        hours = [start + number * HOUR for number in range((self.now - start) // HOUR + 2)]
        for begin, end in pairwise(hours):
            a_day = self.busy * (TRADES_LATELY if begin >= self.since_lately else TRADES_BEFORE)
            busy = _BUSY[begin.astimezone(self.market.area.zone).hour]
            count = max(0, round(a_day * busy / sum(_BUSY) + dice.uniform(-0.5, 0.5)))
            moments = sorted(begin + (end - begin) * dice.random() for _ in range(count))
            yield from (moment for moment in moments if moment < self.now)

    def prices(self, traded: Mapping[date, set[DeliveryPeriod]]) -> Iterator[str]:
        """A line of JSON for each hour, and for each other period that was traded: what arrived of its price, oldest
        first."""
        calendar = self.market.area.calendar
        for day in self.days:
            hours = day_periods(day, calendar)
            for period in [*hours, *sorted(traded.get(day, set()).difference(hours))]:
                if points := list(self._points(period)):
                    yield as_json(
                        {
                            "delivery_day": day.isoformat(),
                            "delivery_hour": label_of(period, calendar),
                            "points": points,
                        }
                    )

    def _points(self, period: DeliveryPeriod) -> Iterator[tuple[str, str, str]]:
        """Value, publication and arrival, oldest first."""
        seed, own = self.market.seed, (period.start.timestamp(), period.duration.seconds)
        for slot in self._slots(period):
            out = self.market.published_at(slot, period)
            arrived = out and out + timedelta(seconds=0.4 + 15 * chance(seed, "arrives", slot.timestamp(), *own))
            if out and arrived and arrived <= self.now:
                yield f"{self.market.value(period, slot):f}", iso(out), arrived.isoformat()

    def _slots(self, period: DeliveryPeriod) -> list[datetime]:
        """Those whose publications are there, in order."""
        last, step = self.market.last_slot(period), timedelta(seconds=self.market.interval)
        first = opening(period, self.market.area.calendar)
        is_recent = (
            period.start >= day_bounds(day_of(self.now, self.market.area.calendar), self.market.area.calendar)[0]
        )
        close = last - first if is_recent else _CLOSE if period.duration == HOUR else _CLOSE_OF_SHORT
        slots = {last - number * step for number in range(close // step + 1)}
        slots.update(last - hours * HOUR for hours in _FAR if not is_recent)
        return sorted(slot for slot in slots if first <= slot <= self.now)


def traded_periods(trades: list[Trade], market: Market) -> dict[date, set[DeliveryPeriod]]:
    """By delivery day what the trades are of."""
    found: dict[date, set[DeliveryPeriod]] = {}
    for day_text, label in {(trade.delivery_day, trade.delivery_hour) for trade in trades}:
        day = parse_day(day_text)
        found.setdefault(day, set()).add(parse_period(day, label, market.area.calendar).period)
    return found


def frames(trades: list[Trade]) -> Iterator[str]:
    """As the exchange pushes them."""
    return (confirmation(trade, "trade_confirmation") for trade in trades)


def first_day(now: datetime, days: int, market: Market) -> date:
    """So many delivery days before the one of now."""
    return day_of(now.astimezone(UTC), market.area.calendar) - timedelta(days=days)
