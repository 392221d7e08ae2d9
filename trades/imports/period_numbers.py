"""Delivery periods that a file writes as bare numbers: from where they count, and which periods they are. Pure.

14 means 14-15. A file that has 24, or a mark beside bare numbers (3A), counts from 1, where 14 is 13-14: it is read
only if somebody says so. Where the clocks change, numbers count either the wall clock's periods or those that pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from market.labels import bare_label, label_of
from market.periods import Calendar, Days, DeliveryPeriod, PeriodError, calendar_of, day_periods, parse_day

_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_MARKED_NUMBER = re.compile(r"\d{1,2}[AaBb]", re.ASCII)
_LAST_FROM_ZERO = 23
_MOST_PER_DAY = {60: 25, 30: 50, 15: 100}
"""Minutes of a period -> the most of them that a day can have."""


class PeriodNumberError(Exception):
    """The numbers can't be read without a doubt; the message is one sentence with the line and what to do."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What a person has said of a file's numbers: from where they count, and how long a period is (None: told by
    the largest)."""

    first: int = 0
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class WrittenPeriod:
    """A line's delivery day and period, as the file writes them."""

    line: int
    day: str
    text: str

    @property
    def number(self) -> int | None:
        return int(self.text) if _NUMBER.fullmatch(self.text) else None

    @property
    def is_marked(self) -> bool:
        return bool(_MARKED_NUMBER.fullmatch(self.text))


def labels_of(written: Iterable[WrittenPeriod], counting: Counting, days: Days) -> Mapping[tuple[str, str], str]:
    """(day, text) -> the period's label, for every bare number that counts from 1; empty where 14 means 14-15.

    Raises PeriodNumberError where the numbers say something else than `counting`, or can be counted in two ways.
    """
    periods = [p for p in written if p.number is not None or p.is_marked]
    if not any(p.number is not None for p in periods):
        return {}
    if counting.first == 0:
        _refuse_what_counts_from_one(periods)
        return {}
    minutes = _minutes(periods, counting)
    by_day = groupby(sorted(periods, key=lambda p: p.day), key=lambda p: p.day)
    return {key: label for day, group in by_day for key, label in _of_day(day, list(group), minutes, days).items()}


def _refuse_what_counts_from_one(periods: Sequence[WrittenPeriod]) -> None:
    for p in periods:
        if p.is_marked or (p.number or 0) > _LAST_FROM_ZERO:
            raise PeriodNumberError(
                f"line {p.line}: delivery_hour “{p.text}” shows that this file counts its periods from 1, where 14 is "
                "13-14; nothing is booked: say --hours-from 1, or write them as 13-14"
            )


def _minutes(periods: Sequence[WrittenPeriod], counting: Counting) -> int:
    numbered = [p for p in periods if p.number is not None]
    least, most = (extreme(numbered, key=lambda p: p.number or 0) for extreme in (min, max))
    if least.number == 0:
        raise PeriodNumberError(f"line {least.line}: delivery_hour “{least.text}” can't be counted from 1")
    if counting.minutes is None and _MOST_PER_DAY[60] < (most.number or 0) <= _MOST_PER_DAY[30]:
        raise PeriodNumberError(
            f"line {most.line}: delivery_hour “{most.text}” can be a half hour's number or a quarter hour's; "
            "say --numbers-are half-hours or quarters"
        )
    minutes = counting.minutes or (60 if (most.number or 0) <= _MOST_PER_DAY[60] else 15)
    if (most.number or 0) > _MOST_PER_DAY[minutes]:
        raise PeriodNumberError(
            f"line {most.line}: delivery_hour “{most.text}” is more than a day has; write the periods as 13-14"
        )
    marked = next((p for p in periods if p.is_marked), None)
    if marked and minutes != 60:
        raise PeriodNumberError(
            f"line {marked.line}: delivery_hour “{marked.text}” is an hour's number among numbers of shorter periods"
        )
    return minutes


def _of_day(day: str, periods: Sequence[WrittenPeriod], minutes: int, days: Days) -> dict[tuple[str, str], str]:
    try:
        parsed = parse_day(day)
    except PeriodError:
        return {}  # its lines are refused for their day
    in_turn = day_periods(parsed, days, minutes)
    passing = dict(enumerate(in_turn, start=1))
    calendar = calendar_of(days).on(parsed)
    wall = {_wall_number(period, minutes, calendar): period for period in reversed(in_turn)}  # the first pass last
    by_wall_clock = _counts_the_wall_clock(periods, passing, wall, minutes)
    found: dict[tuple[str, str], str] = {}
    for p in periods:
        if p.number is None or (day, p.text) in found:
            continue
        if by_wall_clock is None and passing.get(p.number) != wall.get(p.number):
            raise PeriodNumberError(
                f"line {p.line}: on {day} the clocks change, and delivery_hour “{p.text}” can be counted in two ways; "
                "nothing is booked: write that day's periods as 02-03A"
            )
        period = (wall if by_wall_clock else passing).get(p.number)
        # What the day doesn't have gets a label that no day has, so that its line is named.
        found[day, p.text] = _label(period, days, marked=not by_wall_clock) if period else f"no. {p.text}"
    return found


def _label(period: DeliveryPeriod, days: Days, *, marked: bool) -> str:
    """The canonical label; a wall clock's number does not say which pass it means, so neither does its label."""
    return label_of(period, days) if marked else bare_label(period, days)


def _wall_number(period: DeliveryPeriod, minutes: int, calendar: Calendar) -> int:
    local, begins = period.start.astimezone(calendar.zone), calendar.day_start
    return ((local.hour - begins.hour) % 24 * 60 + local.minute) // minutes + 1


def _counts_the_wall_clock(
    periods: Sequence[WrittenPeriod], passing: Mapping[int, object], wall: Mapping[int, object], minutes: int
) -> bool | None:
    """Whether a day's numbers are the wall clock's (3A, 3B, 4 … 24) or those of the periods that pass (1 … 25).

    None where they can be both: then those that differ are in doubt.
    """
    numbers = {p.number for p in periods if p.number is not None}
    on_the_wall = 24 * 60 // minutes
    if any(p.is_marked for p in periods):
        return True
    if len(passing) > on_the_wall:
        return False if any(n > on_the_wall for n in numbers) else None
    if len(passing) < on_the_wall:
        if any(n > len(passing) for n in numbers):
            return True
        return False if numbers - set(wall) else None
    return None
