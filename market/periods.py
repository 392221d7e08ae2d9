"""Delivery periods of a market's delivery days: whose days, clock changes, blocks. Pure: no Django, no clock.

A period is identified by its start in UTC and its duration. What people and wires call it: market/labels.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
DURATIONS = (timedelta(minutes=60), timedelta(minutes=30), timedelta(minutes=15))
"""The lengths of products that lie within one hour; longer ones are blocks of whole hours."""

_EARLIEST, _LATEST = date(2000, 1, 1), date(2199, 12, 31)
_NOON = time(12)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)


class PeriodError(ValueError):
    """A delivery day or hour that names no period; the message is one sentence for people.

    `pattern % values` is the message, so that a page can say it in its reader's language.
    """

    def __init__(self, pattern: str, **values: object) -> None:
        super().__init__(pattern % values)
        self.pattern = pattern
        self.values = values


_HOURS = {timedelta(minutes=minutes): Decimal(minutes) / 60 for minutes in (15, 30, *range(60, 26 * 60, 60))}


@dataclass(frozen=True, slots=True, order=True)
class DeliveryPeriod:
    """One product of a delivery day. `start` and `end` are aware UTC datetimes; identity is start and duration."""

    start: datetime
    end: datetime

    @property
    def duration(self) -> timedelta:
        return self.end - self.start

    @property
    def hours(self) -> Decimal:
        """Length in hours, exact: 0.25, 0.5, 1, or a block's. MW times this is MWh."""
        duration = self.end - self.start
        return _HOURS.get(duration) or Decimal(int(duration.total_seconds())) / 3600

    @property
    def is_block(self) -> bool:
        return self.duration > HOUR

    @property
    def hour_start(self) -> datetime:
        """The start of the (first) hour that holds it: hours begin on whole hours of UTC, as product zones do."""
        return self.start.replace(minute=0, second=0, microsecond=0)

    def gate_closure(self, lead: timedelta) -> datetime:
        """The moment (UTC) after which the period can't be traded: `lead` before delivery starts."""
        return self.start - lead


@lru_cache(maxsize=4096)
def period_at(start: int, end: int) -> DeliveryPeriod:
    """The period between two moments in seconds of 1970: one object for each, as a day's are read again and again."""
    return DeliveryPeriod(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


@lru_cache(maxsize=256)
def parse_day(text: str) -> date:
    """`YYYY-MM-DD` to a date between 2000 and 2199; PeriodError says what is wrong with anything else."""
    match = _DAY.fullmatch(text)
    if not match:
        raise PeriodError("“%(text)s” is not a delivery day of the form YYYY-MM-DD", text=text[:40])
    try:
        day = date(*map(int, match.groups()))
    except ValueError:
        raise PeriodError("%(day)s is not in the calendar", day=text) from None
    if not _EARLIEST <= day <= _LATEST:
        raise PeriodError("%(day)s is not between %(first)s and %(last)s", day=text, first=_EARLIEST, last=_LATEST)
    return day


class Marks(StrEnum):
    """How an exchange writes the two passes of the hour that exists twice."""

    UPPER = "A/B"  # 02-03A, 02-03B
    LOWER = "a/b"  # 02-03a, 02-03b
    SECOND = "X"  # 02-03, 02-03X: what bears no mark is the first
    NUMBERED = "3A/3B"  # the third hour of the day, in both passes


@dataclass(frozen=True, slots=True)
class Calendar:
    """How a market counts its delivery days.

    `zone` is the product zone, whole hours from UTC. `day_start` is when its days begin on that clock: one from 12:00
    on is on the evening before the day's date. `changes` are other calendars, each from a delivery day on, in order.
    """

    zone: ZoneInfo
    day_start: time = time()
    marks: Marks = Marks.UPPER
    changes: tuple[tuple[date, Calendar], ...] = ()

    def on(self, day: date) -> Calendar:
        """The calendar that holds on a delivery day."""
        held = self
        for begins, changed in self.changes:
            if begins <= day:
                held = changed
        return held

    @property
    def starts_the_evening_before(self) -> bool:
        return self.day_start >= _NOON

    def start_of(self, day: date) -> datetime:
        """When a delivery day begins under this calendar (UTC)."""
        on = day - timedelta(days=1) if self.starts_the_evening_before else day
        return datetime.combine(on, self.day_start, tzinfo=self.zone).astimezone(UTC)


Days = ZoneInfo | Calendar
"""Whose delivery days: a market's calendar, or a zone whose days begin at midnight."""


@lru_cache(maxsize=256)
def calendar_of(days: Days) -> Calendar:
    """The calendar; a zone's own without one."""
    return days if isinstance(days, Calendar) else Calendar(days)


def day_of(moment: datetime, days: Days) -> date:
    """The delivery day of a period that starts at an aware moment: the last one that has begun by then."""
    if isinstance(days, ZoneInfo):
        return moment.astimezone(days).date()
    latest = moment.astimezone(UTC).date() + timedelta(days=2)
    return next(day for n in range(5) if day_start(day := latest - timedelta(days=n), days) <= moment)


def day_start(day: date, days: Days) -> datetime:
    """When a delivery day begins (UTC)."""
    return calendar_of(days).on(day).start_of(day)


def day_bounds(day: date, days: Days) -> tuple[datetime, datetime]:
    """Start and end (UTC) of a delivery day: 23, 24 or 25 hours apart, but where a market's calendar changes."""
    return day_start(day, days), day_start(day + timedelta(days=1), days)


@lru_cache(maxsize=512)
def day_periods(day: date, days: Days, minutes: int = 60) -> tuple[DeliveryPeriod, ...]:
    """All periods of `minutes` length of a delivery day, in order: 23, 24 or 25 hours."""
    start, end = day_bounds(day, days)
    step = timedelta(minutes=minutes)
    return tuple(DeliveryPeriod(start + i * step, start + (i + 1) * step) for i in range((end - start) // step))


def tradable_periods(now: datetime, days: Days, lead: timedelta, minutes: int = 60) -> tuple[DeliveryPeriod, ...]:
    """Periods whose gate is still open at `now`, up to the end of tomorrow, in order."""
    today = day_of(now, days)
    periods = day_periods(today, days, minutes) + day_periods(today + timedelta(days=1), days, minutes)
    return tuple(p for p in periods if p.gate_closure(lead) > now)
