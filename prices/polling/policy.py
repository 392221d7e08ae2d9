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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from prices.observations import MINUTE, USUAL_INTERVAL, Budget, Facts, PeriodKey, Plan, Priority
from prices.polling.days import DOWN_AFTER, Day, Mode, PlannedRequest, Rank, days_of, is_final, value_of
from prices.polling.delays import NOTHING_LEARNT, Learnt
from prices.polling.final_checks import next_check
from prices.polling.products import worth_asking
from prices.publications import PublicationClock

FEWEST_PROBES = 3
"""Probes that the likely window gets even when the burst will need the whole budget."""

GOOD_PROBES = 16
"""Probes that a publication gets where somebody has a position, even if they leave no room for all others within the
minute: those without one then come after it. As far as all with one still fit, but for a few when it comes late."""

OVERLAP = 3
"""Probes beyond what fits beside a burst of positions (one is the burst's first): they shorten everybody's wait, and
cost only the furthest gates something, and that only where the publication comes at the window's end."""

HELD_PROBES = 10
"""The same for each of several markets that come apart."""

FAIR_PROBES = 7
"""The same where nobody has a position: each probe that does not fit costs somebody a minute."""

SHORTEST_PAUSE = 0.5
LONGEST_FAILURE_PAUSE = 60.0
LONGEST_DOWN_PAUSE = 15.0
OWN_RENEWAL_GRACE = 0.3
LATE_SHARE = 16
"""A publication that is very late is probed with pauses of this part of its lateness: ever more slowly."""

MOST_ROUNDS = 12.0
ROUNDS_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast this moment's budget lets a day be probed, and its periods be asked one by one."""

    probes: float
    """Requests that one day's probes may take from now on, beside what the bursts need."""
    least: float
    """Probes that a day gets over the whole of its likely delays in any case, ..."""
    allowance: float
    """... as far as requests are left at all."""
    near_rounds: float
    later_rounds: float
    """In how many even rounds a period that is chased alone is still asked, on the nearest and on later days."""

    def probe_pause(self, day: Day, lateness: float, *, share: float = 1.0) -> float:
        """Seconds from a probe at this lateness to the next one; `share` is the part of a step to take.

        The affordable probes are spread over the likely window and the one after it as what was learnt suggests; from
        then on the pauses grow with the lateness.
        """
        window, delays = day.rhythm.late_window, day.delays
        longest = window / FEWEST_PROBES
        probes = min(max(self.probes, self.reserved_probes(day, lateness)), self.allowance)
        if lateness < window:  # what comes in the window is seen at its end, however few probes there are
            longest = min(longest, window - lateness + SHORTEST_PAUSE)
            return min(max(SHORTEST_PAUSE, delays.probe_pause(lateness, probes, share=share)), longest)
        if lateness < 2 * window:
            left = delays.probe_pause(lateness, probes) if probes >= 1 else longest
            return min(max(left, window / (4 * FEWEST_PROBES)), longest)
        return max(SHORTEST_PAUSE, lateness / LATE_SHARE)

    def reserved_probes(self, day: Day, lateness: float) -> float:
        """Of the probes that a day gets in any case those that are still to come."""
        return self.least * day.delays.effort_left(lateness)


def plan(*, now: float, facts: Iterable[Facts], budget: Budget, learnt: Learnt = NOTHING_LEARNT) -> Plan:
    """What to ask now, in order, and when to look again.

    `facts` holds every period of every active market that may still change. Never plans more than `budget` allows,
    which counts what was spent since the last publication of the market with the shortest interval.
    """
    facts = worth_asking(facts, now)
    days = days_of(facts, now, learnt)
    rhythm = PublicationClock(min((period.interval for period in facts), default=USUAL_INTERVAL))
    pace = _pace(days, budget, rhythm)
    requests = [w for day in days for w in _requests_of(day, pace) if not w.facts.in_flight(now)]
    found = _within_budget(requests, days, now, budget, rhythm, pace)
    if found.asks or any(day.awaiting for day in days):
        return found
    check = next_check((period for period in facts if is_final(period, now)), now, budget)
    return found if check is None else Plan((check,), found.look_again)


def _pace(days: Sequence[Day], budget: Budget, rhythm: PublicationClock) -> _Pace:
    """What the probes may take: what the bursts leave, and never so little that everybody waits for long."""
    awaited = [d for d in days if d.nearest and d.awaiting]
    allowance = budget.probing_allowance(rhythm.interval)
    spare = allowance - sum(len(d.open) - 1 for d in awaited)  # a later day costs the nearest none of its good probes
    later = sum(len(d.open) for d in days if not d.nearest and d.leader in awaited and d.awaiting)
    probed = max(1, sum(d.leader is None or d.leader.out_at is not None for d in awaited))
    least = FAIR_PROBES / probed
    if held := sum(d.held for d in awaited):
        good = max(GOOD_PROBES / probed, HELD_PROBES)
        least = max(least, min(good, (budget.minute_limit - held + OVERLAP) / probed))
    return _Pace((spare - later) / probed, least, allowance, *_rounds_affordable(days, budget, rhythm))


def _rounds_affordable(days: Sequence[Day], budget: Budget, rhythm: PublicationClock) -> tuple[float, float]:
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


def _requests_of(day: Day, pace: _Pace) -> Iterator[PlannedRequest]:
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


def _signs_of_life(day: Day) -> PlannedRequest:
    """The provider fails for the whole day: one request now and then until it answers again."""
    period = _probed(day)
    pause = min(2.0 ** (day.failures - DOWN_AFTER + 1), LONGEST_DOWN_PAUSE if day.nearest else LONGEST_FAILURE_PAUSE)
    return PlannedRequest(day.asked_at + pause, day.rank(period), period)


def _probed(day: Day) -> Facts:
    """The period to probe: open, priced, without failures, and of those the one of most value."""
    return min(
        day.open or day.periods,
        key=lambda p: (p.in_flight(day.now), p.failures, p.last_update is None, value_of(p)),
    )


def _feeler(day: Day) -> PlannedRequest:
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


def _traded_and_never_asked(day: Day) -> Iterator[PlannedRequest]:
    """A later day may have prices before we have asked: once each, so that a start knows tomorrow's trades at once."""
    for period in day.open:
        if not period.asks and period.priority is Priority.POSITION:
            yield PlannedRequest(day.now, Rank.POSITION, period)


def _as_one(day: Day, pace: _Pace) -> Iterator[PlannedRequest]:
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


def _probe(day: Day, pace: _Pace) -> PlannedRequest:
    """The next look whether the day's publication is out."""
    due = day.newest + day.rhythm.interval if day.mode is Mode.OWN else day.slot
    rank = Rank.PROBE if day.nearest else Rank.LATER_DAY
    if day.leader is not None:
        return PlannedRequest(_probe_after_leader(day, day.leader, due, pace), rank, _probed(day))
    if day.asked_at < due:
        at = due + pace.probe_pause(day, 0, share=0.5)
    else:
        at = day.asked_at + pace.probe_pause(day, day.asked_at - due)
    return PlannedRequest(at, rank, _probed(day))


def _probe_after_leader(day: Day, leader: Day, due: float, pace: _Pace) -> float:
    """When to probe a day that most likely comes with another one, whose probes are running."""
    window = day.rhythm.late_window
    told = leader.out_at if leader.out_at is not None else due + window
    if day.asked_at < told:
        return told
    pause = pace.probe_pause(day, day.asked_at - due)
    return day.asked_at + (pause if day.nearest else max(window / FEWEST_PROBES, pause))


def _missed_earlier(day: Day, facts: Facts) -> bool:
    """Whether it lacks a publication before the awaited one, wasn't asked in this slot, and waiting is no use."""
    return day.due(facts) < day.slot and facts.asked_at < day.slot and day.now >= day.slot + day.rhythm.late_window


def _one_by_one(day: Day, pace: _Pace) -> Iterator[PlannedRequest]:
    """A day whose periods are published each for itself."""
    for period in day.periods:
        if period.last_update is not None:
            yield PlannedRequest(_alone(day, period, pace), day.rank(period), period)


def _alone(day: Day, facts: Facts, pace: _Pace) -> float:
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


def _unknown(day: Day) -> Iterator[PlannedRequest]:
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
    requests: Sequence[PlannedRequest],
    days: Sequence[Day],
    now: float,
    budget: Budget,
    rhythm: PublicationClock,
    pace: _Pace,
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
    keep = room - _reserved_for_value(days, now, pace), room - _reserved(days, now)
    asks: list[PeriodKey] = []
    for request in due:
        if len(asks) < (room if request.rank < Rank.NEAREST_DAY else keep[request.rank > Rank.NEAREST_DAY]):
            asks.append(request.facts.key)
    if len(asks) < len({w.facts.key for w in due}) and not asks:
        look_again = min(look_again, _room_again(now, budget, rhythm, room))
    return Plan(tuple(dict.fromkeys(asks)), look_again)


def _reserved_for_value(days: Sequence[Day], now: float, pace: _Pace) -> float:
    """Requests that no period without a position takes from a market whose publication is still awaited."""
    awaited = [d for d in days if d.nearest and d.awaiting and now - d.slot < 2 * d.rhythm.late_window]
    return sum(d.held + pace.reserved_probes(d, now - d.slot) for d in awaited)


def _reserved(days: Sequence[Day], now: float) -> int:
    """Requests kept for the nearest days' publication, when it is awaited or due within the minute's window."""
    kept = [d for d in days if d.nearest and d.known and d.mode is not Mode.OWN and _is_near(d, now)]
    return sum(len(d.open) + FEWEST_PROBES for d in kept)


def _is_near(day: Day, now: float) -> bool:
    imminent = day.slot + day.rhythm.interval - now < MINUTE
    return imminent or (now - day.slot < 2 * day.rhythm.late_window and day.awaiting)


def _room_again(now: float, budget: Budget, rhythm: PublicationClock, room: int) -> float:
    """When requests that found no room should be planned again."""
    if room > 0:  # kept for what is worth more
        return now + rhythm.late_window / FEWEST_PROBES
    if budget.minute_free > 0 and budget.hour_free > 0:  # the slot's share of the hour is spent
        return rhythm.slot(now) + rhythm.interval
    return max(budget.free_at, now + SHORTEST_PAUSE)
