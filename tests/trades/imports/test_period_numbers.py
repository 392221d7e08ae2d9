"""Bare numbers of periods in files: from where they count, on ordinary days and where the clocks change."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from market.labels import parse_period
from market.periods import parse_day
from trades.imports.period_numbers import Counting, PeriodNumberError, WrittenPeriod, labels_of

BERLIN = ZoneInfo("Europe/Berlin")
ORDINARY, LONG, SHORT = "2026-11-23", "2026-10-25", "2027-03-28"
FROM_ONE = Counting(first=1)


def written(day: str, *texts: object) -> list[WrittenPeriod]:
    return [WrittenPeriod(line, day, str(text)) for line, text in enumerate(texts, start=2)]


def labels(day: str, *texts: object, counting: Counting = FROM_ONE) -> list[str]:
    found = labels_of(written(day, *texts), counting, BERLIN)
    return [found.get((day, str(text)), str(text)) for text in texts]


def test_from_zero_the_numbers_stay_as_they_are() -> None:
    assert labels_of(written(ORDINARY, 0, 14, 23, "08-09"), Counting(), BERLIN) == {}


def test_a_mark_without_numbers_beside_it_counts_nothing() -> None:
    assert labels_of(written(LONG, "3A", "3B", "04-05"), Counting(), BERLIN) == {}


@pytest.mark.parametrize("texts", [(1, 24), (1, 25), (1, 2, "3A", "3B", 4), (1, 96), (1, 48)])
def test_what_counts_from_one_is_refused_whole_until_told_so(texts: tuple[object, ...]) -> None:
    with pytest.raises(PeriodNumberError, match=r"line \d+: .*--hours-from 1"):
        labels_of(written(LONG, *texts), Counting(), BERLIN)


def test_hours_of_an_ordinary_day() -> None:
    assert labels(ORDINARY, 1, 14, "24") == ["00-01", "13-14", "23-24"]
    assert labels(ORDINARY, *range(1, 25)) == [f"{h:02d}-{h + 1:02d}" for h in range(24)]


def test_quarters_and_half_hours() -> None:
    assert labels(ORDINARY, 1, 2, 96) == ["00:00-00:15", "00:15-00:30", "23:45-24:00"]
    assert labels(ORDINARY, 1, 48, counting=Counting(1, 30)) == ["00:00-00:30", "23:30-24:00"]
    assert labels(ORDINARY, 1, 48, counting=Counting(1, 15)) == ["00:00-00:15", "11:45-12:00"]
    with pytest.raises(PeriodNumberError, match="half hour's number or a quarter hour's"):
        labels(ORDINARY, 1, 48)


@pytest.mark.parametrize(
    ("texts", "counting", "sentence"),
    [
        ((0, 24), FROM_ONE, "“0” can't be counted from 1"),
        ((1, 101), FROM_ONE, "more than a day has"),
        ((1, 49), Counting(1, 60), "more than a day has"),
        ((1, "3A", 96), FROM_ONE, "among numbers of shorter periods"),
    ],
)
def test_numbers_that_no_day_has(texts: tuple[object, ...], counting: Counting, sentence: str) -> None:
    with pytest.raises(PeriodNumberError, match=sentence):
        labels(LONG, *texts, counting=counting)


def test_the_long_day_by_the_wall_clock_and_by_what_passes() -> None:
    by_wall = labels(LONG, 1, 2, "3A", "3B", *range(4, 25))
    assert by_wall == ["00-01", "01-02", "3A", "3B", *(f"{h:02d}-{h + 1:02d}" for h in range(3, 24))]
    passing = labels(LONG, *range(1, 26))
    assert passing[1:5] == ["01-02", "02-03A", "02-03B", "03-04"]
    assert passing[24] == "23-24"


def test_the_third_hour_by_the_wall_clock_does_not_say_which_pass() -> None:
    label = labels(LONG, 3, "3B", 24)[0]
    assert (label, parse_period(parse_day(LONG), label, BERLIN).ambiguous) == ("02-03", True)


def test_the_short_day_by_the_wall_clock_and_by_what_passes() -> None:
    assert labels(SHORT, 1, 2, *range(4, 25))[1:4] == ["01-02", "03-04", "04-05"]
    assert labels(SHORT, *range(1, 24))[1:4] == ["01-02", "03-04", "04-05"]
    assert labels(SHORT, 3, 24) == ["no. 3", "23-24"], "a wall clock's day has no third hour"


@pytest.mark.parametrize(("day", "texts"), [(LONG, (1, 2, 3, 4)), (SHORT, (1, 2, 4, 5))])
def test_what_can_be_counted_in_two_ways_is_refused_whole(day: str, texts: tuple[object, ...]) -> None:
    with pytest.raises(PeriodNumberError, match="can be counted in two ways"):
        labels(day, *texts)


def test_before_the_change_there_is_one_way() -> None:
    assert labels(LONG, 1, 2, 3) == ["00-01", "01-02", "02-03A"]


def test_a_day_that_does_not_exist_is_left_to_its_lines() -> None:
    assert labels_of([WrittenPeriod(2, "2026-02-30", "24")], FROM_ONE, BERLIN) == {}
