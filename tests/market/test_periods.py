"""Delivery periods: labels, clock-change days, gate closure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.labels import label_of, parse_period
from market.periods import (
    HOUR,
    Calendar,
    DeliveryPeriod,
    PeriodError,
    calendar_of,
    day_bounds,
    day_of,
    day_periods,
    day_start,
    parse_day,
    period_at,
    tradable_periods,
)

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


# --- whose days -------------------------------------------------------------------------------------------------------
GB = Calendar(LONDON, time(23))
MOVED = Calendar(BERLIN, changes=((PLAIN, Calendar(LONDON, time(23))),))


def test_a_block_is_longer_than_an_hour_and_a_quarter_lies_in_one() -> None:
    hour, quarter = day_periods(PLAIN, BERLIN)[8], day_periods(PLAIN, BERLIN, 15)[35]
    assert not hour.is_block and DeliveryPeriod(hour.start, hour.start + 2 * HOUR).is_block
    assert quarter.hour_start == hour.hour_start == hour.start


def test_a_day_that_starts_on_the_evening_before() -> None:
    assert day_bounds(PLAIN, GB) == (datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC))
    assert day_of(datetime(2026, 11, 22, 22, 59, tzinfo=UTC), GB) == date(2026, 11, 22)
    assert day_of(datetime(2026, 11, 22, 23, tzinfo=UTC), GB) == PLAIN
    assert calendar_of(LONDON) == Calendar(LONDON) and calendar_of(GB) == GB
    assert day_start(PLAIN, Calendar(BERLIN, time(6))) == datetime(2026, 11, 23, 5, tzinfo=UTC)


@given(day=days, minute=st.integers(0, 1439))
@pytest.mark.parametrize("calendar", [GB, MOVED, Calendar(BERLIN, time(6))])
def test_every_moment_has_the_day_that_holds_it(calendar: Calendar, day: date, minute: int) -> None:
    moment = datetime.combine(day, time(), tzinfo=UTC) + timedelta(minutes=minute)
    start, end = day_bounds(day_of(moment, calendar), calendar)
    assert start <= moment < end


def test_days_are_counted_another_way_from_a_day_on() -> None:
    assert MOVED.on(date(2026, 11, 22)).zone == BERLIN and MOVED.on(PLAIN).zone == LONDON
    assert day_bounds(date(2026, 11, 22), MOVED)[1] == day_start(PLAIN, MOVED) == datetime(2026, 11, 22, 23, tzinfo=UTC)


def test_a_period_is_found_by_its_seconds() -> None:
    hour = day_periods(date(2026, 10, 25), BERLIN)[3]
    found = period_at(int(hour.start.timestamp()), int(hour.end.timestamp()))
    assert found == hour
    assert (found.start.tzinfo, found.duration) == (UTC, timedelta(hours=1))
