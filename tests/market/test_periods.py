"""Delivery periods: labels, clock-change days, gate closure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.labels import label_of, parse_period
from market.periods import PeriodError, day_bounds, day_periods, parse_day, tradable_periods

BERLIN, LONDON = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/London")
LONG, SHORT, PLAIN = date(2026, 10, 25), date(2027, 3, 28), date(2026, 11, 23)

days = st.dates(min_value=date(2020, 1, 1), max_value=date(2035, 12, 31))
zones = st.sampled_from([BERLIN, LONDON, ZoneInfo("Europe/Helsinki"), ZoneInfo("UTC")])


@pytest.mark.parametrize(("day", "hours"), [(LONG, 25), (date(2027, 10, 31), 25), (SHORT, 23), (PLAIN, 24)])
def test_a_day_has_23_24_or_25_hours(day: date, hours: int) -> None:
    assert len(day_periods(day, BERLIN)) == hours
    assert len(day_periods(day, BERLIN, 15)) == hours * 4


@pytest.mark.parametrize("text", ["2023-02-30", "2023-2-6", "06.02.2023", "", "1999-01-01", "2200-01-01", "tomorrow"])
def test_what_is_no_delivery_day(text: str) -> None:
    with pytest.raises(PeriodError):
        parse_day(text)


def test_hours_are_exact() -> None:
    assert [parse_period(PLAIN, t, BERLIN).period.hours for t in ("08-09", "08:00-08:30", "08:15-08:30")] == [
        Decimal(1),
        Decimal("0.5"),
        Decimal("0.25"),
    ]


def test_tradable_is_from_the_next_gate_to_the_end_of_tomorrow() -> None:
    now = datetime(2026, 11, 23, 9, 55, tzinfo=UTC)  # 10:55 in Berlin: the gate of 11-12 closes right now
    periods = tradable_periods(now, BERLIN, timedelta(minutes=5))
    assert label_of(periods[0], BERLIN) == "12-13"
    assert len(periods) == 12 + 24


@given(day=days, zone=zones)
def test_the_periods_of_a_day_tile_it(day: date, zone: ZoneInfo) -> None:
    periods = day_periods(day, zone)
    assert (periods[0].start, periods[-1].end) == day_bounds(day, zone)
    assert all(a.end == b.start for a, b in pairwise(periods))


def test_a_delivery_day_is_a_date_of_the_calendar() -> None:
    assert parse_day("2026-10-25") == date(2026, 10, 25)
    assert parse_day("2028-02-29") == date(2028, 2, 29)
