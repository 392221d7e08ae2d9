"""A product that is never answered for costs a request now and then; one that is, is asked for whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from prices.observations import Ask, Facts, Outcome, PeriodKey, Priority
from prices.polling.products import ASK_AGAIN, is_answered, worth_asking

DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW = (NOON - timedelta(hours=3)).timestamp()


def facts(number: int, minutes: int = 15, **more: object) -> Facts:
    start = NOON + number * timedelta(minutes=minutes)
    key = PeriodKey(1, DAY, start, start + timedelta(minutes=minutes))
    return Facts(key, start.timestamp() - 300, **more)  # type: ignore[arg-type]


def test_hours_are_always_asked_for() -> None:
    hours = [facts(n, 60) for n in range(4)]
    assert worth_asking(hours, NOW) == hours


def test_a_product_that_was_answered_once_is_asked_for_whole() -> None:
    for answered in (
        facts(0, last_update=NOW - 90_000),
        facts(0, asks=(Ask(NOW - 5, Outcome.UNCHANGED), Ask(NOW - 9, Outcome.NEWER))),
    ):
        quarters = [answered, *(facts(n) for n in range(1, 8))]
        assert is_answered(quarters)
        assert worth_asking(quarters, NOW) == quarters


def test_one_that_never_was_is_felt_for_by_the_most_valuable_period() -> None:
    quarters = [facts(0), facts(3, priority=Priority.POSITION), facts(2, priority=Priority.POSITION)]
    assert worth_asking(quarters, NOW) == [quarters[2]]
    assert not is_answered(quarters)


def test_and_no_more_for_a_quarter_of_an_hour() -> None:
    asked = facts(0, asks=(Ask(NOW - ASK_AGAIN + 1, Outcome.UNDEFINED),))
    others = [facts(n) for n in range(1, 4)]
    assert worth_asking([asked, *others], NOW) == []
    assert worth_asking([asked, *others], NOW + 2) == [asked]


def test_a_request_under_way_stays_known() -> None:
    pending = facts(0, asks=(Ask(NOW - 1, Outcome.PENDING),))
    assert worth_asking([pending, facts(1)], NOW) == [pending]


def test_each_length_and_market_is_a_product_of_its_own() -> None:
    quarter, half = facts(0), facts(0, 30)
    elsewhere = replace(quarter, key=quarter.key._replace(market_id=2))
    assert worth_asking([quarter, half, elsewhere], NOW) == [quarter, half, elsewhere]


def test_where_every_gate_has_closed_nothing_is_asked() -> None:
    assert worth_asking([facts(0), facts(1)], NOON.timestamp() + 3600) == []
