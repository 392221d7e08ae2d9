"""Final prices are asked for again: once after delivery, once the next morning, from what is left over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from prices.observations import Ask, Budget, CheckReason, Facts, Outcome, PeriodKey, Plan
from prices.polling import policy
from prices.polling.final_checks import AFTER_DELIVERY, NEXT_MORNING, TRY_AGAIN_AFTER, next_check, reason_of

DAY = date(2026, 3, 2)
ENDED = datetime(2026, 3, 2, 12, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 6, tzinfo=UTC).timestamp()
FULL = Budget.untouched(50, 1000)


def final(*asks: Ask, hours_earlier: int = 0) -> Facts:
    """The price of 11:00 to 12:00 UTC (or so many hours earlier), final since its gate closed at 10:55."""
    end = ENDED - timedelta(hours=hours_earlier)
    key = PeriodKey(1, DAY, end - timedelta(hours=1), end)
    gate = end.timestamp() - 3900
    return Facts(key, gate, gate + 310, asks or (Ask(gate + 311, Outcome.NEWER, gate + 312),))


def asked(at: float, outcome: Outcome = Outcome.UNCHANGED) -> Ask:
    return Ask(at, outcome, None if outcome is Outcome.PENDING else at + 0.1)


AFTER = ENDED.timestamp() + AFTER_DELIVERY
NOW_WANTED = AFTER + 100


@pytest.mark.parametrize(
    ("now", "asks", "due"),
    [
        (AFTER - 1, (), False),
        (AFTER, (), True),
        (AFTER + 5, (asked(AFTER + 1),), False),
        (AFTER + 5, (asked(AFTER + 4, Outcome.PENDING),), False),
        (AFTER + 5, (asked(AFTER + 1, Outcome.FAILED),), False),
        (AFTER + 2 + TRY_AGAIN_AFTER, (asked(AFTER + 1, Outcome.FAILED),), True),
        (MORNING - 1, (asked(AFTER + 1),), False),
        (MORNING, (asked(AFTER + 1),), True),
        (MORNING + 5, (asked(MORNING + 1), asked(AFTER + 1)), False),
        (MORNING + 5, (asked(MORNING + 1),), False),  # the one after delivery was missed: one is enough
    ],
)
def test_when_a_final_price_is_asked_for_again(now: float, asks: tuple[Ask, ...], due: bool) -> None:
    facts = final(*asks)
    assert next_check([facts], now, FULL) == (facts.key if due else None)


def test_the_one_that_has_waited_longest_comes_first() -> None:
    older = final(hours_earlier=2)
    assert next_check([final(), older, final(hours_earlier=1)], AFTER + 5, FULL) == older.key
    assert next_check([], AFTER, FULL) is None


@pytest.mark.parametrize(
    "budget",
    [
        replace(FULL, minute_free=24),
        replace(FULL, hour_free=499),
        replace(FULL, paused_until=AFTER + 10),
    ],
)
def test_it_takes_only_what_is_left_over(budget: Budget) -> None:
    assert next_check([final()], AFTER + 5, budget) is None


def test_what_somebody_wants_goes_first_and_once() -> None:
    waits, wanted = final(hours_earlier=3), replace(final(), wanted_at=NOW_WANTED)
    assert next_check([waits, wanted], NOW_WANTED + 1, FULL) == wanted.key
    answered = replace(wanted, asks=(asked(NOW_WANTED + 2),))
    assert next_check([answered], NOW_WANTED + 3, FULL) is None


def test_why_a_final_price_was_asked_for_is_the_newest_reason() -> None:
    key = final().key
    end, morning = key.end.timestamp(), datetime.combine(key.day + timedelta(days=1), NEXT_MORNING).timestamp()
    assert reason_of(key, end + 1, None) is CheckReason.CHASE
    assert reason_of(key, end + AFTER_DELIVERY, None) is CheckReason.AFTER_DELIVERY
    assert reason_of(key, morning, end + 500) is CheckReason.NEXT_MORNING
    assert reason_of(key, morning - 1, end + 500) is CheckReason.BY_HAND


def plan(now: float, *facts: Facts) -> Plan:
    return policy.plan(now=now, facts=facts, budget=FULL)


def test_what_somebody_waits_for_goes_first() -> None:
    checked = final()
    start = ENDED + timedelta(hours=3)
    key = PeriodKey(1, DAY, start, start + timedelta(hours=1))
    slot = ENDED.timestamp() + 600
    awaited = Facts(key, start.timestamp() - 300, slot - 595, (asked(slot - 594, Outcome.NEWER),))
    known = replace(awaited, last_update=slot + 3, asks=(asked(slot + 4, Outcome.NEWER),))
    assert checked.key not in plan(slot + 5, checked, awaited).asks
    assert plan(slot + 60, checked, known).asks == (checked.key,)
