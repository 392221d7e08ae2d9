"""Dated rules: each day keeps the rule of its time; whose price a period goes by."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.periods import day_periods
from market.rules import DatedSource, ReferenceSource, minutes_of, reference_period, source_of
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
        assert reference_period(period, ReferenceSource.OWN) == period
        referred = reference_period(period, ReferenceSource.HOUR)
        assert referred is not None and referred in hours
        assert referred.start <= period.start and period.end <= referred.end
        assert reference_period(period, ReferenceSource.NONE) == (period if minutes == 60 else None)


@pytest.mark.parametrize("day", [LONG, SHORT])
def test_both_passes_of_a_doubled_hour_have_their_own(day: date) -> None:
    quarters = day_periods(day, BERLIN, 15)
    hours = [reference_period(quarter, ReferenceSource.HOUR) for quarter in quarters]
    assert len(set(hours)) == len(quarters) / 4
    assert all(hour is not None and hour.duration == timedelta(hours=1) for hour in hours)
