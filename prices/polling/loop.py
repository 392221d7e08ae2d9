"""The loop of a chase after new reference prices, with everything that touches the outside behind `Environment`.

It asks the policy, sends, waits for answers, and ends when nothing is due for a while; tests play days of it in
simulated time.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Protocol

from prices.observations import ASKS_REMEMBERED, REQUEST_LIFE, Ask, Budget, Facts, Outcome, PeriodKey, Plan
from prices.polling import policy
from prices.polling.delays import NOTHING_LEARNT, Learnt

AT_ONCE = 8
"""Requests under way at the same time: a burst of 24 periods is three rounds of the provider's latency."""

OUTLOOK_SECONDS = 6.0
"""A chase ends when nothing is due for this long: a tick (5 s) and a little, so that the next one is not late."""

SHORTEST_WAIT_SECONDS = 0.05
"""Between two plans without an answer: no situation may turn the loop into a storm of its own."""

LONGEST_CHASE_SECONDS = 120.0

stopping = threading.Event()
"""Set when the worker shuts down: a chase then waits for its answers and asks for nothing more."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A stored answer: what came of the request, and the period's newest last_update then (POSIX seconds)."""

    key: PeriodKey
    outcome: Outcome
    last_update: float | None


class Environment(Protocol):
    """What a chase needs of the world. Moments are POSIX seconds."""

    def now(self) -> float: ...

    def is_over(self) -> bool:
        """Whether the chase has to end: the desk's time is another than the one it goes by."""

    def budget(self) -> Budget: ...

    def ask(self, key: PeriodKey) -> float | None:
        """Reserve and send a request without waiting for its answer; when it was counted, None without room."""

    def arrivals(self, until: float) -> Collection[Arrived]:
        """Wait until at least one answer is stored, or for `until`; without a request under way just for `until`."""


@dataclass(slots=True)
class PollStats:
    """What a chase did."""

    asked: int = 0
    lost: int = 0
    """Requests that no word came of; each shows a broken thread."""
    outcomes: dict[str, int] = field(default_factory=dict)

    def count(self, outcome: Outcome) -> None:
        self.outcomes[outcome.value] = self.outcomes.get(outcome.value, 0) + 1


def poll(environment: Environment, book: dict[PeriodKey, Facts], learnt: Learnt = NOTHING_LEARNT) -> PollStats:
    """Ask as the policy says until nothing is due for a while. `book`, what is known of each period, is kept up.

    Ends in time whatever happens outside: a request without word counts as lost after REQUEST_LIFE.
    """
    stats = PollStats()
    under_way: dict[PeriodKey, float] = {}
    ends = environment.now() + LONGEST_CHASE_SECONDS
    while True:
        now = environment.now()
        last_call = now > ends or stopping.is_set() or environment.is_over()
        _give_up(under_way, now, stats)
        plan = policy.plan(now=now, facts=book.values(), budget=environment.budget(), learnt=learnt)
        sent = {} if last_call else _send(environment, plan.asks[: AT_ONCE - len(under_way)], book)
        under_way |= sent
        stats.asked += len(sent)
        if not under_way and (last_call or (not plan.asks and plan.look_again > now + OUTLOOK_SECONDS)):
            return stats
        for arrived in environment.arrivals(_wake_at(now, plan, len(sent))):
            under_way.pop(arrived.key, None)
            stats.count(arrived.outcome)
            book[arrived.key] = _answered(book[arrived.key], arrived, environment.now())


def _give_up(under_way: dict[PeriodKey, float], now: float, stats: PollStats) -> None:
    """Forget requests whose thread must have died: they would hold up the whole chase, and its market with it."""
    for key in [key for key, sent_at in under_way.items() if now - sent_at >= REQUEST_LIFE]:
        del under_way[key]
        stats.lost += 1


def _wake_at(now: float, plan: Plan, sent: int) -> float:
    """When to plan again even if no answer comes."""
    if sent or not plan.asks:
        return max(min(plan.look_again, now + OUTLOOK_SECONDS), now + SHORTEST_WAIT_SECONDS)
    return now + policy.SHORTEST_PAUSE


def _send(
    environment: Environment, keys: Collection[PeriodKey], book: dict[PeriodKey, Facts]
) -> dict[PeriodKey, float]:
    """Ask for these as far as there is room; when each was sent."""
    sent: dict[PeriodKey, float] = {}
    for key in keys:
        sent_at = environment.ask(key)
        if sent_at is None:
            break
        asks = (Ask(sent_at, Outcome.PENDING), *book[key].asks)
        book[key] = replace(book[key], asks=asks[:ASKS_REMEMBERED])
        sent[key] = sent_at
    return sent


def _answered(facts: Facts, arrived: Arrived, now: float) -> Facts:
    """The facts with the newest request answered."""
    pending, *before = facts.asks
    done = replace(pending, outcome=arrived.outcome, answered_at=now)
    last_update = facts.last_update if arrived.last_update is None else arrived.last_update
    return replace(facts, last_update=last_update, asks=(done, *before))
