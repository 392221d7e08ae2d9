"""Labels of delivery periods as people, wires and files write them, and text in our files. Pure: no Django, no clock.

"08-09" is an hour, "08:15-08:30" a quarter hour, "02-03A" and "02-03B" the hour that exists twice on the day the
clocks go back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from market.periods import DURATIONS, DeliveryPeriod, PeriodError, day_periods

_SIDE = r"(\d{2})([AaBb]?)(?::([0-5]\d)([AaBb]?))?"

_LABEL = re.compile(rf"{_SIDE}-{_SIDE}", re.ASCII)

_HOUR = re.compile(r"(\d{2})-(\d{2})([AB]?)", re.ASCII)

_HOUR_NUMBER_WITH_MARK = re.compile(r"(\d{1,2})([AaBb])", re.ASCII)

_BARE_HOUR = re.compile(r"\d{1,2}", re.ASCII)

_ONE_DIGIT_HOUR = re.compile(r"(?<![\d:])(\d)(?!\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParsedPeriod:
    """A label understood. `ambiguous` is set when it named an hour that exists twice and the first was taken."""

    period: DeliveryPeriod
    label: str
    ambiguous: bool = False


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
    return text + _mark(local)


def file_label(label: str) -> str:
    """The label as files have it, "08:00-09:00" for "08-09": the short one is a date to spreadsheets and csvkit."""
    short = _HOUR.fullmatch(label)
    return f"{short[1]}:00-{short[2]}:00{short[3]}" if short else label


def _mark(local: datetime) -> str:
    """A or B for a wall time that exists twice: `local` exists, and with the other fold it has another offset."""
    other = local.replace(fold=1 - local.fold)
    if other.utcoffset() == local.utcoffset():
        return ""
    return "AB"[local.fold]


def doubled_periods(day: date, zone: ZoneInfo, minutes: int = 60) -> tuple[DeliveryPeriod, ...]:
    """The periods of a day whose wall time exists twice, in order; none on most days."""
    periods = day_periods(day, zone, minutes)
    if len(periods) * minutes <= 24 * 60:
        return ()
    return tuple(period for period in periods if label_of(period, zone)[-1] in "AB")


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
