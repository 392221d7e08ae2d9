"""Dated rules: each day keeps the rule of its time; whose price a period goes by."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.labels import parse_period
from market.periods import Calendar, Marks, day_periods, day_start
from market.rules import (
    BLOCK,
    DatedGate,
    DatedRules,
    DatedSource,
    DayRules,
    Gate,
    Phase,
    ReferenceSource,
    calendar_by,
    gate_rules,
    gates_of,
    minutes_of,
    product_of,
    reference_periods,
    rules_on,
    source_of,
)
from tests.market.test_periods import BERLIN, LONG, SHORT, days

RULES = (
    DatedSource(date(2026, 10, 1), 15, ReferenceSource.HOUR),
    DatedSource(date(2026, 12, 1), 15, ReferenceSource.NONE),
    DatedSource(date(2026, 12, 1), 30, ReferenceSource.HOUR),
)


@pytest.mark.parametrize(
    ("day", "minutes", "source"),
    [
        (date(2026, 9, 30), 15, "own"),
        (date(2026, 10, 1), 15, "hour"),
        (date(2026, 11, 30), 15, "hour"),
        (date(2026, 12, 1), 15, "none"),
        (date(2026, 11, 30), 30, "own"),
        (date(2027, 1, 1), 30, "hour"),
        (date(2027, 1, 1), 60, "own"),
    ],
)
def test_a_day_has_the_newest_rule_that_has_begun(day: date, minutes: int, source: str) -> None:
    assert source_of(RULES, day=day, minutes=minutes) == source
    assert source_of(RULES[::-1], day=day, minutes=minutes) == source
    assert source_of((), day=day, minutes=minutes) is ReferenceSource.OWN


@given(days, st.sampled_from([15, 30, 60]))
def test_a_stand_in_is_the_hour_that_holds_the_period(day: date, minutes: int) -> None:
    hours = set(day_periods(day, BERLIN))
    for period in day_periods(day, BERLIN, minutes):
        assert minutes_of(period) == minutes
        assert reference_periods(period, ReferenceSource.OWN) == (period,)
        (referred,) = reference_periods(period, ReferenceSource.HOUR)
        assert referred in hours
        assert referred.start <= period.start and period.end <= referred.end
        assert reference_periods(period, ReferenceSource.NONE) == ((period,) if minutes == 60 else ())


@pytest.mark.parametrize("day", [LONG, SHORT])
def test_both_passes_of_a_doubled_hour_have_their_own(day: date) -> None:
    quarters = day_periods(day, BERLIN, 15)
    hours = [reference_periods(quarter, ReferenceSource.HOUR) for quarter in quarters]
    assert len(set(hours)) == len(quarters) / 4
    assert all(hour.duration == timedelta(hours=1) for (hour,) in hours)


def test_a_block_goes_by_its_hours() -> None:
    for day, hours in ((LONG, 5), (SHORT, 3), (date(2026, 11, 20), 4)):
        block = parse_period(day, "00-04", BERLIN).period
        assert product_of(block) == BLOCK
        assert reference_periods(block, ReferenceSource.OWN) == (block,)
        assert reference_periods(block, ReferenceSource.HOUR) == day_periods(day, BERLIN)[:hours]
        assert reference_periods(block, ReferenceSource.NONE) == ()


# --- gates ------------------------------------------------------------------------------------------------------------
FIRST = date(2000, 1, 1)
GERMANY = (
    DatedGate(FIRST, None, Phase.AREA, timedelta(minutes=5)),
    DatedGate(FIRST, None, Phase.AREAS, timedelta(minutes=30)),
    DatedGate(FIRST, None, Phase.BORDERS, timedelta(minutes=60)),
    DatedGate(date(2026, 12, 1), 15, Phase.BORDERS, timedelta(minutes=30)),
    DatedGate(date(2027, 1, 1), None, Phase.AREAS, None),
    DatedGate(date(2027, 2, 1), 15, Phase.AREA, timedelta(minutes=60), with_hour=True),
)


def gates(day: date, label: str) -> list[tuple[str, str]]:
    """(phase, closes at in UTC), as the market's rules say of the period."""
    period = parse_period(day, label, BERLIN).period
    rules = gate_rules(GERMANY, day=day, product=product_of(period), default_lead=timedelta(minutes=9))
    return [(gate.phase.value, f"{gate.closes_at:%H:%M}") for gate in gates_of(rules, period)]


@pytest.mark.parametrize(
    ("day", "label", "closes"),
    [
        ("2026-11-20", "12-13", [("borders", "10:00"), ("areas", "10:30"), ("area", "10:55")]),
        ("2026-11-20", "12:15-12:30", [("borders", "10:15"), ("areas", "10:45"), ("area", "11:10")]),
        ("2026-11-20", "12-16", [("borders", "10:00"), ("areas", "10:30"), ("area", "10:55")]),
        ("2026-12-01", "12:15-12:30", [("borders", "10:45"), ("areas", "10:45"), ("area", "11:10")]),
        ("2026-12-01", "12-13", [("borders", "10:00"), ("areas", "10:30"), ("area", "10:55")]),
        ("2027-01-01", "12-13", [("borders", "10:00"), ("area", "10:55")]),
        ("2027-02-01", "12:45-13:00", [("area", "10:00"), ("borders", "11:15")]),
    ],
)
def test_gates_by_product_phase_and_day(day: str, label: str, closes: list[tuple[str, str]]) -> None:
    assert gates(date.fromisoformat(day), label) == closes


def test_there_is_always_a_gate_inside_the_area() -> None:
    hour = day_periods(FIRST, BERLIN)[12]
    for rules in ((), (DatedGate(FIRST, 60, Phase.AREA, None),)):
        held = gate_rules(rules, day=FIRST, product=60, default_lead=timedelta(minutes=9))
        assert gates_of(held, hour) == (Gate(Phase.AREA, hour.start - timedelta(minutes=9)),)


# --- everything else --------------------------------------------------------------------------------------------------
LONDON = ZoneInfo("Europe/London")
HELD = DayRules(BERLIN, "EUR")
CHANGES = (
    DatedRules(date(2027, 6, 1), zone=LONDON, day_start=time(23), currency="GBP"),
    DatedRules(
        date(2027, 1, 1),
        display_zone=ZoneInfo("Europe/Helsinki"),
        marks=Marks.SECOND,
        products=frozenset({30, BLOCK}),
        opening=time(15),
        quarters_opening=time(16),
        lowest_price=Decimal(-9999),
        highest_price=Decimal(9999),
        reference_name="last hour",
        rhythm=900,
    ),
)


def test_a_rule_changes_nothing_before_its_day() -> None:
    assert rules_on(HELD, CHANGES, date(2026, 12, 31)) == HELD
    winter, summer = rules_on(HELD, CHANGES, date(2027, 1, 1)), rules_on(HELD, CHANGES, date(2027, 6, 1))
    assert (winter.zone, winter.currency, winter.rhythm) == (BERLIN, "EUR", 900)
    assert (summer.zone, summer.currency, summer.rhythm, summer.reference_name) == (LONDON, "GBP", 900, "last hour")


def test_whose_clock_bounds_and_rows() -> None:
    rules = rules_on(HELD, CHANGES, date(2027, 1, 1))
    assert (HELD.people_zone, rules.people_zone) == (BERLIN, ZoneInfo("Europe/Helsinki"))
    assert (HELD.row_minutes, rules.row_minutes, DayRules(BERLIN, "EUR", products=frozenset({BLOCK})).row_minutes) == (
        60,
        30,
        60,
    )
    assert [rules.is_within_bounds(Decimal(price)) for price in ("-9999.01", "-9999", "9999", "9999.01")] == [
        False,
        True,
        True,
        False,
    ]
    assert HELD.is_within_bounds(Decimal(99_999))


def test_when_a_day_opens() -> None:
    rules = rules_on(HELD, CHANGES, date(2027, 1, 1))
    assert HELD.opens_at(date(2027, 1, 2), 60) is None
    assert rules.opens_at(date(2027, 1, 2), 60) == datetime(2027, 1, 1, 14, tzinfo=UTC)
    assert rules.opens_at(date(2027, 1, 2), 15) == datetime(2027, 1, 1, 15, tzinfo=UTC)
    assert rules.opens_at(date(2027, 7, 2), 60) == datetime(2027, 7, 1, 13, tzinfo=UTC)


def test_days_are_counted_as_the_rules_of_their_time_say() -> None:
    calendar = calendar_by(HELD, CHANGES)
    assert [day for day, _ in calendar.changes] == [date(2027, 1, 1), date(2027, 6, 1)]
    assert day_start(date(2027, 5, 31), calendar) == datetime(2027, 5, 30, 22, tzinfo=UTC)
    assert day_start(date(2027, 6, 1), calendar) == datetime(2027, 5, 31, 22, tzinfo=UTC)  # 23:00 in London
    assert day_start(date(2027, 6, 2), calendar) == datetime(2027, 6, 1, 22, tzinfo=UTC)
    assert calendar_by(HELD, ()) == Calendar(BERLIN)
