"""Labels of delivery periods: read in all their spellings, written in one."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.labels import bare_label, doubled_periods, file_label, guarded, label_of, parse_period, unguarded
from market.periods import Calendar, Days, DeliveryPeriod, Marks, PeriodError, day_of, day_periods
from tests.market.test_periods import BERLIN, LONDON, LONG, PLAIN, SHORT, days, zones

HELSINKI = ZoneInfo("Europe/Helsinki")
QUARTER = timedelta(minutes=15)
EPEX_GB = Calendar(LONDON, time(23))


def test_the_long_day_has_two_hours_02_03() -> None:
    labels = [label_of(p, BERLIN) for p in day_periods(LONG, BERLIN)]
    assert labels[1:5] == ["01-02", "02-03A", "02-03B", "03-04"]
    assert [label_of(p, LONDON) for p in day_periods(LONG, LONDON)][1:3] == ["01-02A", "01-02B"]


def test_the_short_day_has_no_hour_02_03() -> None:
    labels = [label_of(p, BERLIN) for p in day_periods(SHORT, BERLIN)]
    assert labels[1:3] == ["01-02", "03-04"]
    with pytest.raises(PeriodError, match="does not exist"):
        parse_period(SHORT, "02-03", BERLIN)


@pytest.mark.parametrize(
    ("day", "minutes", "labels"),
    [
        (date(2026, 10, 25), 60, ["02-03A", "02-03B"]),
        (date(2026, 10, 25), 30, ["02:00-02:30A", "02:30-03:00A", "02:00-02:30B", "02:30-03:00B"]),
        (date(2026, 10, 24), 60, []),
        (date(2026, 3, 29), 60, []),
    ],
)
def test_the_periods_that_exist_twice(day: date, minutes: int, labels: list[str]) -> None:
    assert [label_of(period, BERLIN) for period in doubled_periods(day, BERLIN, minutes)] == labels


@pytest.mark.parametrize("text", ["02-03A", "02-03a", "3A", "3a", "02a-02b", "02A-02B", "02:00-03:00A"])
def test_the_first_hour_02_03_in_all_its_spellings(text: str) -> None:
    parsed = parse_period(LONG, text, BERLIN)
    assert parsed.period.start == datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert (parsed.label, parsed.ambiguous) == ("02-03A", False)


@pytest.mark.parametrize("text", ["02-03B", "02-03b", "3B", "3b", "02b-03", "02B-03"])
def test_the_second_hour_02_03_in_all_its_spellings(text: str) -> None:
    parsed = parse_period(LONG, text, BERLIN)
    assert parsed.period.start == datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert (parsed.label, parsed.ambiguous) == ("02-03B", False)


def test_a_bare_02_03_on_the_long_day_is_the_first_and_ambiguous() -> None:
    parsed = parse_period(LONG, "02-03", BERLIN)
    assert (parsed.label, parsed.ambiguous) == ("02-03A", True)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("02:15-02:30B", "02:15-02:30B"),
        ("02:45a-02:00b", "02:45-03:00A"),
        ("02:45-03:00A", "02:45-03:00A"),
        ("02:30-03:00B", "02:30-03:00B"),
    ],
)
def test_shorter_periods_of_the_doubled_hour(text: str, label: str) -> None:
    assert parse_period(LONG, text, BERLIN).label == label


@pytest.mark.parametrize(
    ("one", "other"), [("23-24", "23-00"), ("08-09", "08:00-09:00"), ("23:45-24:00", "23:45-00:00")]
)
def test_two_spellings_of_one_period(one: str, other: str) -> None:
    assert parse_period(PLAIN, one, BERLIN) == parse_period(PLAIN, other, BERLIN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8",
        "8-9",
        "08",
        "09-08",
        "22-02",
        "08-08",
        "00-00",
        "08:30-10:30",
        "08:00-09:30",
        "27A",
        "0A",
        "24-25",
        "25-26",
        "08:10-08:25",
        "08:00-08:20",
        "08-09:00",
        "08-09A",
        "aa-bb",
        "08–09",
        "08-09 ",
        "08-09-10",
        "٠٨-٠٩",
        "00-25",
        "-1-00",
        "3C",
        "02a-03b",
        "0-1",
    ],
)
def test_what_is_no_period_of_the_wire(text: str) -> None:
    with pytest.raises(PeriodError):
        parse_period(PLAIN, text, BERLIN)


@pytest.mark.parametrize(("text", "label"), [("14", "14-15"), ("0", "00-01"), ("23", "23-24"), ("8-9", "08-09")])
def test_files_may_write_hours_more_loosely(text: str, label: str) -> None:
    assert parse_period(PLAIN, text, BERLIN, from_file=True).label == label


@given(day=days, zone=zones, minutes=st.sampled_from([15, 30, 60]))
def test_every_period_of_every_day_is_found_again_by_its_label(day: date, zone: ZoneInfo, minutes: int) -> None:
    periods = day_periods(day, zone, minutes)
    labels = [label_of(p, zone) for p in periods]
    assert len(set(labels)) == len(labels)
    for period, label in zip(periods, labels, strict=True):
        parsed = parse_period(day, label, zone)
        assert (parsed.period, parsed.label, parsed.ambiguous) == (period, label, False)
        assert day_of(period.start, zone) == day


# --- blocks ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("day", "text", "label", "hours"),
    [
        (PLAIN, "08-10", "08-10", 2),
        (PLAIN, "08:00-20:00", "08-20", 12),
        (PLAIN, "00-24", "00-24", 24),
        (PLAIN, "22-00", "22-24", 2),
        (LONG, "00-24", "00-24", 25),
        (LONG, "00-03", "00-03", 4),
        (LONG, "00-02", "00-02", 2),
        (LONG, "02-06A", "02-06A", 5),
        (LONG, "02-06B", "02-06B", 4),
        (SHORT, "00-24", "00-24", 23),
        (SHORT, "00-06", "00-06", 5),
        (SHORT, "02-06", "03-06", 3),
        (SHORT, "02-04", "03-04", 1),
        (SHORT, "00-03", "00-02", 2),
    ],
)
def test_blocks_of_whole_hours(day: date, text: str, label: str, hours: int) -> None:
    parsed = parse_period(day, text, BERLIN)
    assert (parsed.label, parsed.period.hours, parsed.ambiguous) == (label, hours, False)
    assert parse_period(day, label, BERLIN).period == parsed.period
    assert parsed.period.is_block == (hours > 1)


def test_a_block_that_begins_in_the_doubled_hour_is_ambiguous_without_a_mark() -> None:
    parsed = parse_period(LONG, "02-06", BERLIN)
    assert (parsed.label, parsed.ambiguous) == ("02-06A", True)


@given(day=days, calendar=st.sampled_from([BERLIN, LONDON, EPEX_GB, HELSINKI]), data=st.data())
def test_every_block_of_every_day_is_found_again_by_its_label(day: date, calendar: Days, data: st.DataObject) -> None:
    hours = day_periods(day, calendar)
    first = data.draw(st.integers(0, len(hours) - 2))
    last = data.draw(st.integers(first + 1, len(hours) - 1))
    block = DeliveryPeriod(hours[first].start, hours[last].end)
    doubled = doubled_periods(day, calendar)
    if doubled and (block.end == doubled[0].end or (block.start, block.end) == (doubled[0].start, doubled[1].end)):
        return  # what ends between the two passes of an hour, or is just these two, can't be written: nobody trades it
    assert parse_period(day, label_of(block, calendar), calendar).period == block


# --- how exchanges write the doubled hour -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("marks", "labels"),
    [
        (Marks.UPPER, ["02-03A", "02-03B"]),
        (Marks.LOWER, ["02-03a", "02-03b"]),
        (Marks.SECOND, ["02-03", "02-03X"]),
        (Marks.NUMBERED, ["3A", "3B"]),
    ],
)
def test_each_market_writes_the_doubled_hour_in_its_way_and_reads_all(marks: Marks, labels: list[str]) -> None:
    calendar = Calendar(BERLIN, marks=marks)
    doubled = doubled_periods(LONG, calendar)
    assert [label_of(period, calendar) for period in doubled] == labels
    for number, spellings in enumerate((["02-03A", "02-03a", "3A"], ["02-03B", "02-03b", "3B", "03X", "02-03X"])):
        for text in [*spellings, labels[number]]:
            parsed = parse_period(LONG, text, calendar)
            assert (parsed.period, parsed.ambiguous) == (doubled[number], False)
    assert parse_period(LONG, "02-03", calendar).ambiguous == (marks is not Marks.SECOND)
    assert {bare_label(period, calendar) for period in doubled} == {"02-03"}


def test_shorter_periods_and_blocks_take_the_mark_too() -> None:
    second = Calendar(BERLIN, marks=Marks.SECOND)
    quarters = [label_of(p, second) for p in doubled_periods(LONG, second, 15)]
    assert quarters[0] == "02:00-02:15" and quarters[4] == "02:00-02:15X"
    numbered = Calendar(BERLIN, marks=Marks.NUMBERED)
    assert label_of(doubled_periods(LONG, numbered, 15)[4], numbered) == "02:00-02:15B"
    block = DeliveryPeriod(doubled_periods(LONG, BERLIN)[1].start, day_periods(LONG, BERLIN)[-1].end)
    assert label_of(block, numbered) == "02-24B"


# --- days that begin on the evening before ----------------------------------------------------------------------------
def test_a_british_day_begins_at_eleven_on_the_evening_before() -> None:
    labels = [label_of(p, EPEX_GB) for p in day_periods(PLAIN, EPEX_GB)]
    assert (labels[0], labels[1], labels[-1], len(labels)) == ("23-24", "00-01", "22-23", 24)
    assert parse_period(PLAIN, "23-00", EPEX_GB).period == day_periods(PLAIN, EPEX_GB)[0]
    assert parse_period(PLAIN, "22:30-23:00", EPEX_GB).period == day_periods(PLAIN, EPEX_GB, 30)[-1]
    assert parse_period(PLAIN, "23-03", EPEX_GB).period.hours == 4
    assert parse_period(PLAIN, "23-23", EPEX_GB).period.hours == 24
    assert [label_of(p, EPEX_GB) for p in doubled_periods(LONG, EPEX_GB)] == ["01-02A", "01-02B"]
    assert parse_period(LONG, "3A", EPEX_GB).label == "01-02A"
    for text in ("22-00", "25-26", "22:30-23:30"):
        with pytest.raises(PeriodError):
            parse_period(PLAIN, text, EPEX_GB)


def test_a_label_of_another_markets_doubled_hour_does_not_exist() -> None:
    with pytest.raises(PeriodError, match="“02-03A” does not exist on 2026-10-25 in Europe/London"):
        parse_period(LONG, "02-03A", EPEX_GB)


def test_a_calendar_that_changes_counts_each_day_by_the_rule_of_its_time() -> None:
    changed = Calendar(BERLIN, changes=((date(2026, 6, 2), Calendar(BERLIN, marks=Marks.NUMBERED)),))
    assert label_of(doubled_periods(LONG, changed)[0], changed) == "3A"
    assert label_of(doubled_periods(date(2025, 10, 26), changed)[0], changed) == "02-03A"
    shifted = Calendar(LONDON, changes=((date(2026, 6, 2), EPEX_GB),))
    first = day_periods(date(2026, 6, 1), shifted)
    assert len(first) == 23 and label_of(first[-1], shifted) == "22-23"
    assert [day_of(p.start, shifted) for p in (first[-1], day_periods(date(2026, 6, 2), shifted)[0])] == [
        date(2026, 6, 1),
        date(2026, 6, 2),
    ]


@given(days, zones, st.sampled_from([60, 30, 15]))
def test_a_label_in_a_file_has_minutes_and_names_the_same_period(day: date, zone: ZoneInfo, minutes: int) -> None:
    for period in day_periods(day, zone, minutes):
        written = file_label(label_of(period, zone))
        assert ":" in written.partition("-")[0]
        assert parse_period(day, written, zone).period == period


@given(text=st.text(max_size=20), day=days)
def test_any_text_is_a_period_or_a_sentence(text: str, day: date) -> None:
    try:
        parsed = parse_period(day, text, BERLIN)
    except PeriodError as error:
        assert str(error)
    else:
        assert day_of(parsed.period.start, BERLIN) == day and day_of(parsed.period.end - QUARTER, BERLIN) == day


# --- text in our own files ------------------------------------------------------------------------------------------
RISKY = st.text(st.sampled_from(list("=+-@'a1;,\t| ＝")), max_size=12)


@given(RISKY)
def test_it_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(RISKY, st.sampled_from(",;\t|"))
def test_no_cell_begins_like_a_formula_with_any_separator(text: str, separator: str) -> None:
    (cells,) = csv.reader(io.StringIO(f"{guarded(text)}\n"), delimiter=separator, quoting=csv.QUOTE_NONE)
    assert not [cell for cell in cells if cell[:1] in set("=+-@＝")]


@pytest.mark.parametrize(("text", "as_cell"), [("a", "a"), ("=1", "'=1"), ("a;=1+1;b", "a;'=1+1;b"), ("'a", "''a")])
def test_how_it_looks(text: str, as_cell: str) -> None:
    assert guarded(text) == as_cell
    assert unguarded(as_cell) == text
    assert unguarded("'0042") == "0042", "guarded for another reason: it looks like a number"
