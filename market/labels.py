"""Labels of delivery periods as people, wires and files write them, and text in our files. Pure: no Django, no clock.

"08-09" is an hour, "08:15-08:30" a quarter hour, "08-20" a block, "02-03A" and "02-03B" the hour that exists twice on
the day the clocks go back, where the market has no other marks for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from market.periods import (
    DURATIONS,
    HOUR,
    Calendar,
    Days,
    DeliveryPeriod,
    Marks,
    PeriodError,
    calendar_of,
    day_of,
    day_periods,
)

_MARK = "[AaBbXx]"
_SIDE = rf"(\d{{2}})({_MARK}?)(?::([0-5]\d)({_MARK}?))?"

_LABEL = re.compile(rf"{_SIDE}-{_SIDE}", re.ASCII)

_WHOLE_HOURS = re.compile(r"(\d{2})-(\d{2})([ABabX]?)", re.ASCII)

_NUMBERED_HOUR = re.compile(rf"(\d{{1,2}})({_MARK})", re.ASCII)

_BARE_HOUR = re.compile(r"\d{1,2}", re.ASCII)

_ONE_DIGIT_HOUR = re.compile(r"(?<![\d:])(\d)(?!\d)", re.ASCII)

_DAY_MINUTES = 24 * 60

_LONGEST = 16
"""Characters of the longest label; what is longer is no label, and not worth remembering."""

_PASSES = {Marks.UPPER: "AB", Marks.LOWER: "ab", Marks.NUMBERED: "AB", Marks.SECOND: ("", "X")}
"""What stands behind a label for the first and the second pass of a doubled hour."""


@dataclass(frozen=True, slots=True)
class ParsedPeriod:
    """A label understood. `ambiguous` is set when it named an hour that exists twice and the first was taken."""

    period: DeliveryPeriod
    label: str
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class _Written:
    """A label taken apart: minutes of the wall clock, and the pass it names: "", "A" or "B"."""

    start: int
    end: int
    names: str


def parse_period(day: date, text: str, days: Days, *, from_file: bool = False) -> ParsedPeriod:
    """The period that `text` names on a delivery day of a market with this calendar.

    Accepts "HH-HH" and "HH:MM-HH:MM", blocks of 2 to 24 whole hours in the same way, "24" and "00" as the end of the
    day, and the clock-change marks: "02-03A", "02a-02b", "02b-03", "02:15-02:30B", "02-03X", "3A" and "03X" (the third
    hour). What begins in the hour that the clocks skip begins after it: "02-04" is 03-04 then. `from_file` also
    accepts what files hold and the wire never does: "14" for 14-15 and "8-9" for 08-09. Raises PeriodError for a label
    that is malformed or names no period of that day.
    """
    if from_file and _BARE_HOUR.fullmatch(text):
        text = f"{text}-{int(text) + 1}"
    if from_file and "-" in text:
        text = _ONE_DIGIT_HOUR.sub(r"0\1", text)
    return _parsed(day, text, days) if len(text) <= _LONGEST else _parsed.__wrapped__(day, text, days)


@lru_cache(maxsize=8192)
def _parsed(day: date, text: str, days: Days) -> ParsedPeriod:
    """Remembered: a day's trades name the same hundred periods again and again."""
    calendar = calendar_of(days).on(day)
    located = _locate(day, _taken_apart(text, calendar), calendar)
    if located is None:
        raise PeriodError(
            "“%(text)s” does not exist on %(day)s in %(zone)s", text=text[:40], day=day, zone=calendar.zone.key
        )
    period, ambiguous = located
    return ParsedPeriod(period, label_of(period, days), ambiguous)


def _taken_apart(text: str, calendar: Calendar) -> _Written:
    numbered = _NUMBERED_HOUR.fullmatch(text)
    if numbered and 1 <= int(numbered[1]) <= 24:
        start = (_wall_start(calendar) + (int(numbered[1]) - 1) * 60) % _DAY_MINUTES
        return _Written(start, start + 60, _pass(numbered[2]))
    match = _LABEL.fullmatch(text)
    if not match:
        raise PeriodError("“%(text)s” is not a delivery hour of the form HH-HH or HH:MM-HH:MM", text=text[:40])
    h1, mark1, m1, mark1_late, h2, mark2, m2, mark2_late = match.groups()
    if (m1 is None) != (m2 is None):
        raise PeriodError("“%(text)s” mixes HH and HH:MM", text=text[:40])
    start, end = int(h1) * 60 + int(m1 or 0), int(h2) * 60 + int(m2 or 0)
    begins_in, ends_in = _pass(mark1 or mark1_late), _pass(mark2 or mark2_late)
    if begins_in == "A" and ends_in == "B" and end <= start:  # "02a-02b", "02:45a-02:00b": across the change
        end += 60
    elif begins_in and ends_in and begins_in != ends_in:
        raise PeriodError("“%(text)s” carries two different clock-change marks", text=text[:40])
    return _Written(start, end, begins_in or ends_in)


def _pass(mark: str | None) -> str:
    """The pass that a mark names: X is the second."""
    return (mark or "").upper().replace("X", "B")


def _wall_start(calendar: Calendar) -> int:
    return calendar.day_start.hour * 60 + calendar.day_start.minute


def _locate(day: date, written: _Written, calendar: Calendar) -> tuple[DeliveryPeriod, bool] | None:
    """The period, and whether it could also be the other pass; None where the day has no such product."""
    opens = _wall_start(calendar)
    start, end = written.start - opens, written.end - opens
    if max(written.start, written.end) > _DAY_MINUTES:
        return None
    if opens:  # the wall clock passes midnight within the day
        start, end = start % _DAY_MINUTES, end % _DAY_MINUTES
    if end == 0:
        end = _DAY_MINUTES
    length = end - start
    if not (0 <= start < end <= _DAY_MINUTES) or not _is_product(written.start, length):
        return None
    if written.start == written.end and not opens:  # "00-00"
        return None
    first, second = (_instant(day, start, calendar, fold) for fold in (0, 1))
    twice = first < second
    if written.names and not twice:
        return None
    begins = second if written.names == "B" else first
    ends = begins + timedelta(minutes=length) if length <= 60 else _instant(day, end, calendar, 0)
    if first > second and length <= 60:  # a wall time that the clocks jump over
        return None
    is_unclear = twice and not written.names and calendar.marks is not Marks.SECOND
    return DeliveryPeriod(begins, ends), is_unclear


def _is_product(wall_start: int, length: int) -> bool:
    """Whether a market can trade it: a part of an hour that begins on a multiple of itself, or whole hours."""
    if length > 60:
        return wall_start % 60 == length % 60 == 0
    return timedelta(minutes=length) in DURATIONS and wall_start % length == 0


def _instant(day: date, past: int, calendar: Calendar, fold: int) -> datetime:
    """`past` minutes of the wall clock after the delivery day's start, in UTC."""
    on = day - timedelta(days=1) if calendar.starts_the_evening_before else day
    wall = datetime.combine(on, calendar.day_start) + timedelta(minutes=past)
    return wall.replace(tzinfo=calendar.zone, fold=fold).astimezone(UTC)


@lru_cache(maxsize=8192)
def label_of(period: DeliveryPeriod, days: Days) -> str:
    """The canonical label: "08-09", "23-24", "08:15-08:30", a block's "08-20"; where the wall time exists twice with
    the calendar's mark."""
    calendar = _calendar_at(period.start, days)
    local = period.start.astimezone(calendar.zone)
    begin = local.hour * 60 + local.minute
    end = _wall_end(period, begin, calendar)
    number = _pass_of(local)
    mark = "" if number is None else _PASSES[calendar.marks][number]
    if period.duration < HOUR or begin % 60:
        return f"{begin // 60:02d}:{begin % 60:02d}-{end // 60:02d}:{end % 60:02d}{mark}"
    if mark and calendar.marks is Marks.NUMBERED and not period.is_block:
        return f"{(begin - _wall_start(calendar)) % _DAY_MINUTES // 60 + 1}{mark}"
    return f"{begin // 60:02d}-{end // 60:02d}{mark}"


def _calendar_at(moment: datetime, days: Days) -> Calendar:
    calendar = calendar_of(days)
    return calendar.on(day_of(moment, calendar)) if calendar.changes else calendar


def _wall_end(period: DeliveryPeriod, begin: int, calendar: Calendar) -> int:
    """Where it ends on the wall clock, in minutes up to 24:00; a block ends one hour after its last hour begins."""
    if not period.is_block:
        return begin + int(period.duration.total_seconds()) // 60
    return ((period.end - HOUR).astimezone(calendar.zone).hour + 1) * 60


def file_label(label: str) -> str:
    """The label as files have it, "08:00-09:00" for "08-09": the short one is a date to spreadsheets and csvkit."""
    short = _WHOLE_HOURS.fullmatch(label)
    return f"{short[1]}:00-{short[2]}:00{short[3]}" if short else label


def _pass_of(local: datetime) -> int | None:
    """0 or 1 for a wall time that exists twice, None for others: with the other fold it has another offset."""
    other = local.replace(fold=1 - local.fold)
    return None if other.utcoffset() == local.utcoffset() else local.fold


@lru_cache(maxsize=1024)
def doubled_periods(day: date, days: Days, minutes: int = 60) -> tuple[DeliveryPeriod, ...]:
    """The periods of a day whose wall time exists twice, in order; none on most days."""
    periods = day_periods(day, days, minutes)
    if len(periods) * minutes <= _DAY_MINUTES:
        return ()
    zone = calendar_of(days).on(day).zone
    return tuple(period for period in periods if _pass_of(period.start.astimezone(zone)) is not None)


def bare_label(period: DeliveryPeriod, days: Days) -> str:
    """The label without saying which pass it means, as a wall clock's number says it."""
    calendar = _calendar_at(period.start, days)
    return label_of(period, Calendar(calendar.zone, calendar.day_start)).rstrip("AB")


# --- text in our own files ------------------------------------------------------------------------------------------
# An apostrophe goes before what a spreadsheet may run as a formula, as OWASP advises: where the text begins, and after
# everything that may part cells, as a file may be opened with another separator than its own. What begins with an
# apostrophe gets one more, so that guarded text can be told from other text: each function is the other's inverse.

_BEGINS = r"[=+\-@\t\r\n＝＋－＠']"
_RUNS = re.compile(rf"(\A|[;,\t|])(?={_BEGINS})")
_GUARD = re.compile(rf"(?<=[;,\t|])'(?={_BEGINS})")


def guarded(text: str) -> str:
    """The text as a cell of a CSV."""
    return _RUNS.sub(r"\1'", text)


def unguarded(text: str) -> str:
    """What `guarded` was given, also where an apostrophe was put before it for another reason."""
    return _GUARD.sub("", text.removeprefix("'"))


EXPORTED_WORKBOOK = "a desk's export"
"""The category of a workbook that the desk has written: its text is as it is, without a guard."""
