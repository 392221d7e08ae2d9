"""Delivery periods of a market's local day: labels, clock changes, gate closure. Pure: no Django, no clock.

A period is identified by its start in UTC and its duration. Labels are what people and wires call it on a
delivery day: "08-09" for an hour, "08:15-08:30" for a quarter hour, "02-03A" and "02-03B" for the hour that
exists twice on the day the clocks go back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

DURATIONS = (timedelta(minutes=60), timedelta(minutes=30), timedelta(minutes=15))
"""The product lengths that an exchange trades and this system knows."""

_EARLIEST, _LATEST = date(2000, 1, 1), date(2199, 12, 31)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_SIDE = r"(\d{2})([AaBb]?)(?::([0-5]\d)([AaBb]?))?"
_LABEL = re.compile(rf"{_SIDE}-{_SIDE}", re.ASCII)
_HOUR_NUMBER_WITH_MARK = re.compile(r"(\d{1,2})([AaBb])", re.ASCII)
_BARE_HOUR = re.compile(r"\d{1,2}", re.ASCII)
_ONE_DIGIT_HOUR = re.compile(r"(?<![\d:])(\d)(?!\d)", re.ASCII)


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


@dataclass(frozen=True, slots=True)
class ParsedPeriod:
    """A label understood. `ambiguous` is set when it named an hour that exists twice and the first was taken."""

    period: DeliveryPeriod
    label: str
    ambiguous: bool = False


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


def parse_period(day: date, text: str, zone: ZoneInfo, *, from_file: bool = False) -> ParsedPeriod:
    """The period that `text` names on delivery day `day` of a market in `zone`.

    Accepts "HH-HH" and "HH:MM-HH:MM", "24" and "00" as the end of the day, and the clock-change marks: "02-03A",
    "02a-02b", "02b-03", "02:15-02:30B", "3A" (the third hour, first pass). `from_file` also accepts what files hold
    and the wire never does: "14" for 14-15 and "8-9" for 08-09. Raises PeriodError for a label that is malformed or
    names no period of that day.
    """
    if from_file and _BARE_HOUR.fullmatch(text):
        text = f"{text}-{int(text) + 1}"
    if from_file and "-" in text:
        text = _ONE_DIGIT_HOUR.sub(r"0\1", text)
    start_minute, end_minute, mark = _wall_minutes(text)
    period_ambiguous = _locate(day, start_minute, end_minute, mark, zone)
    if period_ambiguous is None:
        raise PeriodError("“%(text)s” does not exist on %(day)s in %(zone)s", text=text[:40], day=day, zone=zone.key)
    period, ambiguous = period_ambiguous
    return ParsedPeriod(period, label_of(period, zone), ambiguous)


def _wall_minutes(text: str) -> tuple[int, int, str]:
    """Start and end as minutes of the wall clock's day (end up to 1440), and the mark "", "A" or "B"."""
    numbered = _HOUR_NUMBER_WITH_MARK.fullmatch(text)
    if numbered:
        hour = int(numbered[1])
        return (hour - 1) * 60, hour * 60, numbered[2].upper()
    match = _LABEL.fullmatch(text)
    if not match:
        raise PeriodError("“%(text)s” is not a delivery hour of the form HH-HH or HH:MM-HH:MM", text=text[:40])
    h1, mark1, m1, mark1_late, h2, mark2, m2, mark2_late = match.groups()
    if (m1 is None) != (m2 is None):
        raise PeriodError("“%(text)s” mixes HH and HH:MM", text=text[:40])
    start, end = int(h1) * 60 + int(m1 or 0), int(h2) * 60 + int(m2 or 0)
    start_mark = (mark1 or mark1_late or "").upper()
    end_mark = (mark2 or mark2_late or "").upper()
    if start_mark == "A" and end_mark == "B" and end <= start:  # "02a-02b", "02:45a-02:00b": across the change
        end += 60
    elif start_mark and end_mark and start_mark != end_mark:
        raise PeriodError("“%(text)s” carries two different clock-change marks", text=text[:40])
    if end == 0:
        end = 24 * 60
    return start, end, start_mark or end_mark


def _locate(
    day: date, start_minute: int, end_minute: int, mark: str, zone: ZoneInfo
) -> tuple[DeliveryPeriod, bool] | None:
    duration = timedelta(minutes=end_minute - start_minute)
    if duration not in DURATIONS or start_minute < 0 or end_minute > 24 * 60:
        return None
    if start_minute % (duration.seconds // 60):
        return None
    wall = datetime.combine(day, time(start_minute // 60, start_minute % 60))
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first > second:  # a wall time that the clocks jump over
        return None
    twice = first != second
    if mark and not twice:
        return None
    start = second if mark == "B" else first
    return DeliveryPeriod(start, start + duration), twice and not mark


@lru_cache(maxsize=4096)
def label_of(period: DeliveryPeriod, zone: ZoneInfo) -> str:
    """The canonical label: "08-09", "23-24", "08:15-08:30", with A or B where the wall time exists twice."""
    local = period.start.astimezone(zone)
    begin = local.hour * 60 + local.minute
    end = begin + int(period.duration.total_seconds()) // 60
    if period.duration == DURATIONS[0] and begin % 60 == 0:
        text = f"{begin // 60:02d}-{end // 60:02d}"
    else:
        text = f"{begin // 60:02d}:{begin % 60:02d}-{end // 60:02d}:{end % 60:02d}"
    return text + _mark(local, zone)


def _mark(local: datetime, zone: tzinfo) -> str:
    other = local.replace(fold=1 - local.fold)
    if other.utcoffset() == local.utcoffset():
        return ""
    if other.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        return ""
    return "AB"[local.fold]


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The market's local date of an aware moment: the delivery day of a period that starts then."""
    return moment.astimezone(zone).date()


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end (UTC) of the market's local day: 23, 24 or 25 hours apart."""
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=512)
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
