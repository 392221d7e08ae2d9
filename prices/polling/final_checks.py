"""Final prices that may have been corrected since: which to ask for again, and when. Pure. Moments: POSIX seconds.

A price is final with the publication that covers its last gate closure; providers correct some of them later all the
same. So each is asked for again once after delivery and once the next morning, and when a person wants it, whenever
nothing else is due and most of the budget is free: it is never worth a request that somebody waits for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta

from prices.observations import Budget, CheckReason, Facts, Outcome, PeriodKey

AFTER_DELIVERY = 120.0
NEXT_MORNING = time(6, tzinfo=UTC)
"""Of the day after delivery's: 07:00 or 08:00 in Central Europe."""

TRY_AGAIN_AFTER = 600.0
LEAST_FREE = 0.5
"""This part of both limits must be free."""

_WITHOUT_ANSWER = frozenset({Outcome.PENDING, Outcome.FAILED, Outcome.REFUSED})


def next_check(finals: Iterable[Facts], now: float, budget: Budget) -> PeriodKey | None:
    """The final price to ask for again, if there is room: what somebody wants, then what has waited longest."""
    if budget.minute_free < LEAST_FREE * budget.minute_limit or budget.hour_free < LEAST_FREE * budget.hour_limit:
        return None
    if now < budget.paused_until:
        return None
    waiting = ((moment != facts.wanted_at, moment, facts.key) for facts in finals for moment in _missing(facts, now))
    return min(waiting, default=(True, 0.0, None))[2]


def reason_of(key: PeriodKey, sent_at: float, wanted_at: float | None) -> CheckReason:
    """Why a final price was asked for at `sent_at`: the newest reason there was."""
    due = [(moment, reason) for moment, reason in _reasons(key, wanted_at) if moment <= sent_at]
    return max(due, default=(0.0, CheckReason.CHASE))[1]


def _missing(facts: Facts, now: float) -> Iterator[float]:
    """The newest check of this price that should have been made by now and was not."""
    due = sorted(moment for moment, _ in _reasons(facts.key, facts.wanted_at) if moment <= now)
    if not due or facts.in_flight(now) or now < facts.asked_at + TRY_AGAIN_AFTER * bool(facts.failures):
        return
    if not any(ask.sent_at >= due[-1] and ask.outcome not in _WITHOUT_ANSWER for ask in facts.asks):
        yield due[-1]


def _reasons(key: PeriodKey, wanted_at: float | None) -> Iterator[tuple[float, CheckReason]]:
    """From when on the price is to be asked for again, and why."""
    yield key.end.timestamp() + AFTER_DELIVERY, CheckReason.AFTER_DELIVERY
    yield datetime.combine(key.day + timedelta(days=1), NEXT_MORNING).timestamp(), CheckReason.NEXT_MORNING
    if wanted_at is not None:
        yield wanted_at, CheckReason.BY_HAND
