"""The vocabulary of asking for prices: what is under way, what failed, and what the budget allows."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

from prices.observations import REQUEST_LIFE, Ask, Budget, Facts, Outcome, PeriodKey

START = datetime(2026, 11, 27, 12, tzinfo=UTC)
KEY = PeriodKey(1, date(2026, 11, 27), START, START + timedelta(hours=1))


def facts(*outcomes: Outcome) -> Facts:
    """Requests a second apart, the newest first, at 100, 99, …"""
    return Facts(KEY, 1000.0, None, tuple(Ask(100.0 - n, outcome) for n, outcome in enumerate(outcomes)))


def test_a_request_is_under_way_until_it_must_have_died() -> None:
    assert facts(Outcome.PENDING).in_flight(100.0 + REQUEST_LIFE - 0.1)
    assert not facts(Outcome.PENDING).in_flight(100.0 + REQUEST_LIFE)
    assert not facts(Outcome.NEWER).in_flight(100.0)
    assert not facts().in_flight(100.0)
    assert facts().asked_at == -math.inf


def test_failures_are_counted_back_to_the_last_usable_answer() -> None:
    assert facts(Outcome.FAILED, Outcome.REFUSED, Outcome.NEWER, Outcome.FAILED).failures == 2
    assert facts(Outcome.PENDING, Outcome.BAD_ANSWER).failures == 2
    assert facts(Outcome.UNDEFINED).failures == facts().failures == 0


def test_an_untouched_budget_allows_its_minute() -> None:
    budget = Budget.untouched(50, 1000)
    assert budget.allowance(600) == 50
    assert budget.probing_allowance(600) == 50
    assert budget.probing_allowance(30) == 25, "two publications a minute share it"


def test_the_last_quarter_of_the_hour_is_dealt_out_by_publication() -> None:
    scarce = Budget(50, 50, 1000, 120, spent_in_slot=0)
    assert scarce.allowance(600) == 20, "120 left for six publications"
    assert Budget(50, 50, 1000, 100, spent_in_slot=20).allowance(600) == 0
    assert Budget(50, 0, 1000, 1000).allowance(600) == 0
