"""Delivery periods of a market's local day: clock changes, gate closure. Pure: no Django, no clock.

A period is identified by its start in UTC and its duration. What people and wires call it: market/labels.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

DURATIONS = (timedelta(minutes=60), timedelta(minutes=30), timedelta(minutes=15))
"""The product lengths that an exchange trades and this system knows."""

_EARLIEST, _LATEST = date(2000, 1, 1), date(2199, 12, 31)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)


class PeriodError(ValueError):
    """A delivery day or hour that names no period; the message is one sentence for people.

    `pattern % values` is the message, so that a page can say it in its reader's language.
    """

    def __init__(self, pattern: str, **values: object) -> None:
        super().__init__(pattern % values)
        self.pattern = pattern
        self.values = values


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
        """Length in hours, exact: 1, 0.5 or 0.25. MW times this is MWh."""
        return Decimal(int(self.duration.total_seconds())) / 3600

    def gate_closure(self, lead: timedelta) -> datetime:
        """The moment (UTC) after which the period can't be traded: `lead` before delivery starts."""
        return self.start - lead


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


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The market's local date of an aware moment: the delivery day of a period that starts then."""
    return moment.astimezone(zone).date()


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end (UTC) of the market's local day: 23, 24 or 25 hours apart."""
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=512)
def day_periods(day: date, zone: ZoneInfo, minutes: int = 60) -> tuple[DeliveryPeriod, ...]:
    """All periods of `minutes` length of the local day, in order: 23, 24 or 25 hours."""
    start, end = day_bounds(day, zone)
    step = timedelta(minutes=minutes)
    return tuple(DeliveryPeriod(start + i * step, start + (i + 1) * step) for i in range((end - start) // step))


def tradable_periods(now: datetime, zone: ZoneInfo, lead: timedelta, minutes: int = 60) -> tuple[DeliveryPeriod, ...]:
    """Periods whose gate is still open at `now`, up to the end of tomorrow, in order."""
    today = day_of(now, zone)
    periods = day_periods(today, zone, minutes) + day_periods(today + timedelta(days=1), zone, minutes)
    return tuple(p for p in periods if p.gate_closure(lead) > now)
