"""A market's delivery day at one moment: what its periods' prices and requests say together. Pure.

How its prices come out (all at once, one by one, each an interval after its own), whether the current publication is
out, which periods lack it, and which other day's publication most likely comes together with it. Moments: POSIX s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, IntEnum
from functools import cached_property

from prices.observations import FAILURES, HOUR, Facts, Outcome, Priority
from prices.polling.delays import Delays, Learnt
from prices.publications import PublicationClock

DOWN_AFTER = 4
"""This many failures in a row, over a whole day's periods, and only probes go out until one succeeds."""

OWN_MOMENTS = 4
"""So many different moments away from the clock's rhythm are no late publication, even if others happen to fit it."""

TRIES_AFTER_CLOSURE = 3

SETTLED_AFTER = 36 * HOUR
"""A closed period is chased for its final price for this long, for example after an outage."""


class Mode(Enum):
    """How a day's prices come out, by what was seen of them."""

    COMMON = "all periods at once"
    INDEPENDENT = "each period with a delay of its own"
    OWN = "each period an interval after its own last update"


class Rank(IntEnum):
    """Who goes first when the budget is short."""

    PROBE = 0
    POSITION = 1
    VIEWED = 2
    NEAREST_DAY = 3
    CLOSED = 4
    LATER_DAY = 5
    FEELER = 6


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """A request that should go out at `at`."""

    at: float
    rank: Rank
    facts: Facts

    @property
    def order(self) -> tuple[int, float, int]:
        """By rank, then the nearest gate, whatever the market. Closed gates: the latest closed first."""
        gate = self.facts.gate_closure
        return (self.rank, -gate if self.rank is Rank.CLOSED else gate, self.facts.key.market_id)


def is_final(facts: Facts, now: float) -> bool:
    """Whether the period's price can't change any more: its closure is covered, or was asked for often enough."""
    if facts.gate_closure > now:
        return False
    rhythm = PublicationClock(facts.interval)
    if facts.last_update is not None and facts.last_update >= facts.gate_closure:
        return True
    if facts.gate_closure < now - SETTLED_AFTER:
        return True
    conclusive_from = rhythm.next_slot(facts.gate_closure) + rhythm.late_window
    answered = (a for a in facts.asks if a.outcome not in (Outcome.PENDING, Outcome.FAILED, Outcome.REFUSED))
    return sum(a.sent_at >= conclusive_from for a in answered) >= TRIES_AFTER_CLOSURE


@dataclass(eq=False)
class Day:
    """One market's delivery day at one moment, with everything that its periods say together."""

    now: float
    rhythm: PublicationClock
    periods: list[Facts]
    """Those that are not final yet."""
    delays: Delays
    leader: Day | None = None
    """Whose publication most likely comes together with this one's: the market's first day that can still be traded,
    if this is a later one; else the first day of a market that publishes at the same moments."""
    nearest: bool = False
    """Whether it is the market's first day that can still be traded."""

    @cached_property
    def slot(self) -> float:
        return self.rhythm.slot(self.now)

    @cached_property
    def open(self) -> list[Facts]:
        return sorted((p for p in self.periods if p.gate_closure > self.now), key=lambda p: p.gate_closure)

    @cached_property
    def held(self) -> int:
        """How many open periods have a position."""
        return sum(p.priority is Priority.POSITION for p in self.open)

    @cached_property
    def known(self) -> bool:
        """Whether any period has a price."""
        return any(p.last_update is not None for p in self.periods)

    @cached_property
    def newest(self) -> float:
        return max((p.last_update for p in self.periods if p.last_update is not None), default=-math.inf)

    @cached_property
    def asked_at(self) -> float:
        """When any of its periods was last asked for."""
        return max((p.asked_at for p in self.periods), default=-math.inf)

    @cached_property
    def failures(self) -> int:
        """How many of the day's last requests in a row failed."""
        asks = [a for p in self.periods for a in p.asks if a.outcome is not Outcome.PENDING]
        good = max((a.sent_at for a in asks if a.outcome not in FAILURES), default=-math.inf)
        return sum(a.outcome in FAILURES and a.sent_at > good for a in asks)

    @cached_property
    def out_at(self) -> float | None:
        """When this slot's publication was first seen, None while it is awaited."""
        if not any(self._renewed(p) for p in self.periods):
            return None
        seen = [
            a.answered_at
            for p in self.periods
            if self._renewed(p)
            for a in p.asks
            if a.outcome is Outcome.NEWER and a.answered_at is not None and a.sent_at >= self.slot
        ]
        return min(seen, default=self.slot)

    def _renewed(self, facts: Facts) -> bool:
        return facts.last_update is not None and self.rhythm.slot_of_update(facts.last_update) >= self.slot

    @cached_property
    def mode(self) -> Mode:
        since = self.now - 2 * self.rhythm.interval
        fresh = [p.last_update for p in self.open if p.last_update is not None and p.last_update > since]
        own = [u for u in fresh if not self.rhythm.is_aligned(u)]
        if len(own) * 2 > len(fresh) or (len(own) * 4 > len(fresh) and len(set(own)) >= OWN_MOMENTS):
            return Mode.OWN
        slots = (self.slot, self.slot - self.rhythm.interval)
        return Mode.INDEPENDENT if any(self._missed_after_hit(s) >= 2 for s in slots) else Mode.COMMON

    def _missed_after_hit(self, slot: float) -> int:
        """How many open periods were asked after another one was seen new in that slot, and were not new themselves."""
        end = slot + self.rhythm.interval
        asks = [[a for a in p.asks if slot <= a.sent_at < end] for p in self.open]
        hits = (a.answered_at for its in asks for a in its if a.outcome is Outcome.NEWER and a.answered_at is not None)
        hit = min(hits, default=math.inf)
        return sum(any(a.outcome is Outcome.UNCHANGED and a.sent_at > hit for a in its) for its in asks)

    @cached_property
    def news_at(self) -> float:
        """When the last new price of any of its periods arrived."""
        news = (a.answered_at for p in self.periods for a in p.asks if a.outcome is Outcome.NEWER)
        return max((at for at in news if at is not None), default=-math.inf)

    @cached_property
    def stalled(self) -> bool:
        """Chased period by period, but none came for so long that asking for each of them is a waste."""
        patience = 2 * self.rhythm.late_window
        if self.mode is Mode.OWN:
            return self.now > self.newest + self.rhythm.interval + patience
        return self.out_at is None and self.now > self.slot + patience

    @cached_property
    def awaiting(self) -> bool:
        """Whether a burst will follow once its publication is seen."""
        return self.known and self.mode is not Mode.OWN and self.out_at is None and bool(self.open)

    def due(self, facts: Facts) -> float:
        """When the next price of the period may be out at the earliest."""
        if facts.last_update is None:
            return -math.inf
        if self.mode is Mode.OWN:
            return facts.last_update + self.rhythm.interval
        return self.rhythm.slot_of_update(facts.last_update) + self.rhythm.interval

    @property
    def missing(self) -> int:
        """How many open periods lack the current publication."""
        return sum(self.due(p) <= self.now for p in self.open)

    def rank(self, facts: Facts) -> Rank:
        if facts.gate_closure <= self.now:
            return Rank.CLOSED
        if facts.priority is not Priority.NONE:
            return Rank.POSITION if facts.priority is Priority.POSITION else Rank.VIEWED
        return Rank.NEAREST_DAY if self.nearest else Rank.LATER_DAY


def days_of(facts: Iterable[Facts], now: float, learnt: Learnt) -> list[Day]:
    """The unfinished periods by market and day, in calendar order."""
    groups: dict[tuple[int, date], list[Facts]] = {}
    for period in facts:
        if not is_final(period, now):
            groups.setdefault((period.key.market_id, period.key.day), []).append(period)
    days = []
    leaders: dict[int, Day] = {}
    for market_id, day in sorted(groups):
        rhythm = PublicationClock(groups[market_id, day][0].interval)
        delays = learnt.delays_of(market_id, rhythm.late_window)
        judged = Day(now, rhythm, groups[market_id, day], delays, leaders.get(market_id))
        if judged.open and judged.leader is None:
            judged.nearest = True
            leaders[market_id] = judged
        days.append(judged)
    _follow_together(leaders, learnt)
    return days


def _follow_together(nearest: Mapping[int, Day], learnt: Learnt) -> None:
    """Among markets that publish at the same moments one is probed, and the others follow it."""
    groups: dict[int, list[Day]] = {}
    for market_id, day in nearest.items():
        if market_id in learnt.together and day.known and day.mode is Mode.COMMON:
            groups.setdefault(learnt.together[market_id], []).append(day)
    for group in groups.values():
        first = min(group, key=lambda day: (day.failures >= DOWN_AFTER, *min((value_of(p), p.key) for p in day.open)))
        for day in group:
            day.leader = first if day is not first else None


def value_of(facts: Facts) -> tuple[Priority, float]:
    """Sorts by value: what somebody cares about first, then the nearest gate."""
    return facts.priority, facts.gate_closure
