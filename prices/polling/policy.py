"""Which period to ask the provider for, and when: the policy behind fresh prices within a tight budget.

Pure: no Django, no clock, no network. Every moment is a POSIX time in seconds (UTC, float), every length is in seconds.
docs/reference-prices.md has the reasons and the mathematics. In short:

- the provider publishes every `interval` seconds, aligned to the clock and late by 0 to 30 s, mostly for a whole
  delivery day at once. So one valuable period is *probed* until it is new, then the others are fetched in a burst;
- probes take only what the burst will not need, and are spread over the time in which publication is likely, by what
  the last days taught (prices.polling.delays); days and markets that come together are probed together;
- a day whose periods turn out to be published one by one, or each `interval` after its own last update, is chased
  period by period instead;
- a period whose gate has closed is asked until the publication that covers the closure is known; after that only
  whether it was corrected, from what is left over (prices.polling.final_checks).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, IntEnum
from functools import cached_property

from prices.observations import FAILURES, MINUTE, Budget, Facts, Outcome, PeriodKey, Plan, Priority
from prices.polling.delays import NOTHING_LEARNT, Delays, Learnt
from prices.polling.final_checks import next_check
from prices.polling.products import worth_asking
from prices.publications import PublicationClock

FEWEST_PROBES = 3
"""Probes that the likely window gets even when the burst will need the whole budget."""

GOOD_PROBES = 16
"""Probes that a publication gets even where they leave no room for all others within the minute.

Those of least value then come after it; the rest are known in a second or two instead of all of them in five.
"""

SHORTEST_PAUSE = 0.5
LONGEST_FAILURE_PAUSE = 60.0
LONGEST_DOWN_PAUSE = 15.0
DOWN_AFTER = 4
"""This many failures in a row, over a whole day's periods, and only probes go out until one succeeds."""

OWN_RENEWAL_GRACE = 0.3
OWN_MOMENTS = 4
"""So many different moments away from the clock's rhythm are no late publication, even if others happen to fit it."""

LATE_SHARE = 16
"""A publication that is very late is probed with pauses of this part of its lateness: ever more slowly."""

MOST_ROUNDS = 12.0
ROUNDS_SHARE = 0.95
TRIES_AFTER_CLOSURE = 3


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


def is_final(facts: Facts, now: float, rhythm: PublicationClock) -> bool:
    """Whether the period's price can't change any more: its closure is covered, or was asked for often enough."""
    if facts.gate_closure > now:
        return False
    if facts.last_update is not None and facts.last_update >= facts.gate_closure:
        return True
    conclusive_from = rhythm.next_slot(facts.gate_closure) + rhythm.late_window
    answered = (a for a in facts.asks if a.outcome not in (Outcome.PENDING, Outcome.FAILED, Outcome.REFUSED))
    return sum(a.sent_at >= conclusive_from for a in answered) >= TRIES_AFTER_CLOSURE


@dataclass(eq=False)
class _Day:
    """One market's delivery day at one moment, with everything that its periods say together."""

    now: float
    rhythm: PublicationClock
    periods: list[Facts]
    """Those that are not final yet."""
    delays: Delays
    leader: _Day | None = None
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


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast this moment's budget lets a day be probed, and its periods be asked one by one."""

    rhythm: PublicationClock
    probes: float
    """Requests that one day's probes may take, beside what the bursts need."""
    near_rounds: float
    later_rounds: float
    """In how many even rounds a period that is chased alone is still asked, on the nearest and on later days."""

    def probe_pause(self, delays: Delays, lateness: float, *, share: float = 1.0) -> float:
        """Seconds from a probe at this lateness to the next one; `share` is the part of a step to take.

        The affordable probes are spread over the likely window and the one after it as what was learnt suggests; from
        then on the pauses grow with the lateness.
        """
        window = self.rhythm.late_window
        longest = window / FEWEST_PROBES
        if lateness < window:
            return min(max(SHORTEST_PAUSE, delays.probe_pause(lateness, self.probes, share=share)), longest)
        if lateness < 2 * window:
            left = delays.probe_pause(lateness, self.probes) if self.probes >= 1 else longest
            return min(max(left, window / (4 * FEWEST_PROBES)), longest)
        return max(SHORTEST_PAUSE, lateness / LATE_SHARE)


def plan(
    *, now: float, facts: Iterable[Facts], budget: Budget, interval: float, learnt: Learnt = NOTHING_LEARNT
) -> Plan:
    """What to ask now, in order, and when to look again.

    `facts` holds every period of every active market that may still change. Never plans more than `budget` allows.
    """
    rhythm, facts = PublicationClock(interval), worth_asking(facts, now)
    days = _days(facts, now, rhythm, learnt)
    pace = _pace(days, budget, rhythm)
    requests = [w for day in days for w in _requests_of(day, pace) if not w.facts.in_flight(now)]
    found = _within_budget(requests, days, now, budget, rhythm)
    if found.asks or any(day.awaiting for day in days):
        return found
    check = next_check((period for period in facts if is_final(period, now, rhythm)), now, budget)
    return found if check is None else Plan((check,), found.look_again)


def _days(facts: Iterable[Facts], now: float, rhythm: PublicationClock, learnt: Learnt) -> list[_Day]:
    """The unfinished periods by market and day, in calendar order."""
    groups: dict[tuple[int, date], list[Facts]] = {}
    for period in facts:
        if not is_final(period, now, rhythm):
            groups.setdefault((period.key.market_id, period.key.day), []).append(period)
    days = []
    leaders: dict[int, _Day] = {}
    for market_id, day in sorted(groups):
        delays = learnt.delays_of(market_id, rhythm.late_window)
        judged = _Day(now, rhythm, groups[market_id, day], delays, leaders.get(market_id))
        if judged.open and judged.leader is None:
            judged.nearest = True
            leaders[market_id] = judged
        days.append(judged)
    _follow_together(leaders, learnt)
    return days


def _follow_together(nearest: Mapping[int, _Day], learnt: Learnt) -> None:
    """Among markets that publish at the same moments one is probed, and the others follow it."""
    groups: dict[int, list[_Day]] = {}
    for market_id, day in nearest.items():
        if market_id in learnt.together and day.known and day.mode is Mode.COMMON:
            groups.setdefault(learnt.together[market_id], []).append(day)
    for group in groups.values():
        first = min(group, key=lambda day: (day.failures >= DOWN_AFTER, *min((_value(p), p.key) for p in day.open)))
        for day in group:
            day.leader = first if day is not first else None


def _pace(days: Sequence[_Day], budget: Budget, rhythm: PublicationClock) -> _Pace:
    """What the probes may take: what the bursts leave, and never so little that everybody waits for long."""
    awaited = [d for d in days if d.nearest and d.awaiting]
    allowance = budget.probing_allowance(rhythm.interval)
    spare = allowance - sum(len(d.open) - 1 for d in awaited)
    later = sum(len(d.open) for d in days if not d.nearest and d.leader in awaited and d.awaiting)
    probes = max(spare - later, spare / 2)  # later days' bursts get half of the rest at most
    probes = min(max(probes, GOOD_PROBES - budget.spent_in_slot), allowance)
    probed = sum(d.leader is None or d.leader.out_at is not None for d in awaited)
    return _Pace(rhythm, probes / max(1, probed), *_rounds_affordable(days, budget, rhythm))


def _rounds_affordable(days: Sequence[_Day], budget: Budget, rhythm: PublicationClock) -> tuple[float, float]:
    """In how many rounds each missing period can still be asked within the likely window, on nearest and later days.

    Asking n periods in r even rounds, each time only those still missing, takes about n (r + 1) / 2 requests; a little
    of the budget is kept for chance. The nearest days come first; for later ones one request each is kept.
    """
    alone = [d for d in days if d.known and d.mode is Mode.INDEPENDENT]
    if not alone:
        return float(FEWEST_PROBES), float(FEWEST_PROBES)
    requests = ROUNDS_SHARE * budget.probing_allowance(rhythm.interval)
    near, later = (sum(d.missing for d in alone if d.nearest is nearest) for nearest in (True, False))
    near_rounds = _rounds(requests - later, near)
    return near_rounds, _rounds(requests - near * (near_rounds + 1) / 2, later)


def _rounds(requests: float, periods: int) -> float:
    """How many even rounds these requests allow; a last one and a bit is better kept whole for the end."""
    rounds = 2 * requests / max(1, periods) - 1
    return 1.0 if rounds < 1.5 else min(MOST_ROUNDS, rounds)


def _requests_of(day: _Day, pace: _Pace) -> Iterator[PlannedRequest]:
    """Every request that the day wants, each at its time."""
    if day.open and not day.known and not day.nearest:
        yield _feeler(day)
        yield from _traded_and_never_asked(day)
        return
    if day.failures >= DOWN_AFTER:
        yield _signs_of_life(day)
        return
    if day.mode is Mode.COMMON or day.stalled:
        yield from _as_one(day, pace)
    else:
        yield from _one_by_one(day, pace)
    yield from _unknown(day)


def _signs_of_life(day: _Day) -> PlannedRequest:
    """The provider fails for the whole day: one request now and then until it answers again."""
    period = _probed(day)
    pause = min(2.0 ** (day.failures - DOWN_AFTER + 1), LONGEST_DOWN_PAUSE if day.nearest else LONGEST_FAILURE_PAUSE)
    return PlannedRequest(day.asked_at + pause, day.rank(period), period)


def _probed(day: _Day) -> Facts:
    """The period to probe: open, priced, without failures, and of those the one of most value."""
    return min(
        day.open or day.periods,
        key=lambda p: (p.in_flight(day.now), p.failures, p.last_update is None, _value(p)),
    )


def _value(facts: Facts) -> tuple[Priority, float]:
    """Sorts by value: what somebody cares about first, then the nearest gate."""
    return facts.priority, facts.gate_closure


def _feeler(day: _Day) -> PlannedRequest:
    """A later day without any price yet: a few requests a slot with growing pauses, another period each time."""
    period = min(day.open, key=lambda p: (p.asked_at, p.gate_closure))
    window = day.rhythm.late_window
    if day.asked_at == -math.inf:
        at = day.now
    elif day.asked_at < day.slot:
        at = day.slot + window
    else:
        at = day.asked_at + max(window, 2 * (day.asked_at - day.slot))
    return PlannedRequest(at, Rank.FEELER, period)


def _traded_and_never_asked(day: _Day) -> Iterator[PlannedRequest]:
    """A later day may have prices before we have asked: once each, so that a start knows tomorrow's trades at once."""
    for period in day.open:
        if not period.asks and period.priority is Priority.POSITION:
            yield PlannedRequest(day.now, Rank.POSITION, period)


def _as_one(day: _Day, pace: _Pace) -> Iterator[PlannedRequest]:
    """A day that is published at once: probes while it is awaited, then the burst."""
    waiting = [p for p in day.periods if p.last_update is not None]
    overdue = [p for p in waiting if day.due(p) <= day.now]
    for period in waiting:
        if day.due(period) > day.now:
            yield PlannedRequest(day.due(period) + SHORTEST_PAUSE, day.rank(period), period)
    if not overdue:
        return
    if day.out_at is None or day.stalled:
        if day.open:
            yield _probe(day, pace)
            overdue = [p for p in overdue if _missed_earlier(day, p)]
        for period in overdue:
            yield PlannedRequest(_alone(day, period, pace), day.rank(period), period)
        return
    for period in overdue:
        at = day.now if period.asked_at < day.out_at else _alone(day, period, pace)
        yield PlannedRequest(at, day.rank(period), period)


def _probe(day: _Day, pace: _Pace) -> PlannedRequest:
    """The next look whether the day's publication is out."""
    due = day.newest + day.rhythm.interval if day.mode is Mode.OWN else day.slot
    rank = Rank.PROBE if day.nearest else Rank.LATER_DAY
    if day.leader is not None:
        return PlannedRequest(_probe_after_leader(day, day.leader, due, pace), rank, _probed(day))
    if day.asked_at < due:
        at = due + pace.probe_pause(day.delays, 0, share=0.5)
    else:
        at = day.asked_at + pace.probe_pause(day.delays, day.asked_at - due)
    return PlannedRequest(at, rank, _probed(day))


def _probe_after_leader(day: _Day, leader: _Day, due: float, pace: _Pace) -> float:
    """When to probe a day that most likely comes with another one, whose probes are running."""
    window = day.rhythm.late_window
    told = leader.out_at if leader.out_at is not None else due + window
    if day.asked_at < told:
        return told
    pause = pace.probe_pause(day.delays, day.asked_at - due)
    return day.asked_at + (pause if day.nearest else max(window / FEWEST_PROBES, pause))


def _missed_earlier(day: _Day, facts: Facts) -> bool:
    """Whether it lacks a publication before the awaited one, wasn't asked in this slot, and waiting is no use."""
    return day.due(facts) < day.slot and facts.asked_at < day.slot and day.now >= day.slot + day.rhythm.late_window


def _one_by_one(day: _Day, pace: _Pace) -> Iterator[PlannedRequest]:
    """A day whose periods are published each for itself."""
    for period in day.periods:
        if period.last_update is not None:
            yield PlannedRequest(_alone(day, period, pace), day.rank(period), period)


def _alone(day: _Day, facts: Facts, pace: _Pace) -> float:
    """When to ask for a period on its own account: evenly while its price is likely to come, then ever more rarely."""
    due, asked, window = day.due(facts), facts.asked_at, day.rhythm.late_window
    rounds = pace.near_rounds if day.nearest else pace.later_rounds
    if asked < due:
        if facts.gate_closure <= day.now:  # nobody trades on it any more: once, when it must be out
            return due + window
        return due + (OWN_RENEWAL_GRACE if day.mode is Mode.OWN else day.delays.round_pause(0, rounds))
    if facts.failures:
        return asked + min(2.0**facts.failures, LONGEST_FAILURE_PAUSE)
    lateness = asked - due
    if lateness < window:
        return asked + max(2 * SHORTEST_PAUSE, day.delays.round_pause(lateness, rounds))
    if asked < day.news_at:  # others came since: its own may be out too
        return asked + window / FEWEST_PROBES
    return asked + max(window / FEWEST_PROBES, lateness)


def _unknown(day: _Day) -> Iterator[PlannedRequest]:
    """Periods without a price in a day that has some, or must have: at once, later with every publication."""
    for period in day.periods:
        if period.last_update is not None:
            continue
        if not period.asks:
            at = day.now
        elif period.failures:
            at = period.asked_at + min(2.0**period.failures, LONGEST_FAILURE_PAUSE)
        elif day.out_at is not None and period.asked_at < day.out_at:
            at = day.now
        else:
            at = period.asked_at + day.rhythm.interval
        yield PlannedRequest(at, day.rank(period), period)


def _within_budget(
    requests: Sequence[PlannedRequest], days: Sequence[_Day], now: float, budget: Budget, rhythm: PublicationClock
) -> Plan:
    """The requests that are due and affordable, in order of value, and the next moment at which that can change."""
    later = [w.at for w in requests if w.at > now]
    due = sorted((w for w in requests if w.at <= now), key=lambda w: w.order)
    look_again = min(later, default=rhythm.slot(now) + rhythm.interval)
    if not due:
        return Plan((), look_again)
    if now < budget.paused_until:
        return Plan((), budget.paused_until)
    room = budget.allowance(rhythm.interval)
    spare = room - _reserved(days, now, rhythm)
    asks: list[PeriodKey] = []
    for request in due:
        if len(asks) < (room if request.rank <= Rank.NEAREST_DAY else spare):
            asks.append(request.facts.key)
    if len(asks) < len({w.facts.key for w in due}) and not asks:
        look_again = min(look_again, _room_again(now, budget, rhythm, room))
    return Plan(tuple(dict.fromkeys(asks)), look_again)


def _reserved(days: Sequence[_Day], now: float, rhythm: PublicationClock) -> int:
    """Requests kept for the nearest days' publication, when it is awaited or due within the minute's window."""
    slot = rhythm.slot(now)
    imminent = slot + rhythm.interval - now < MINUTE
    awaited = now - slot < 2 * rhythm.late_window
    kept = [
        d for d in days if d.nearest and d.known and d.mode is not Mode.OWN and (imminent or (awaited and d.awaiting))
    ]
    return sum(len(d.open) + FEWEST_PROBES for d in kept)


def _room_again(now: float, budget: Budget, rhythm: PublicationClock, room: int) -> float:
    """When requests that found no room should be planned again."""
    if room > 0:  # kept for what is worth more
        return now + rhythm.late_window / FEWEST_PROBES
    if budget.minute_free > 0 and budget.hour_free > 0:  # the slot's share of the hour is spent
        return rhythm.slot(now) + rhythm.interval
    return max(budget.free_at, now + SHORTEST_PAUSE)
