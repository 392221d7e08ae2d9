"""Labels of delivery periods: read in all their spellings, written in one."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.labels import doubled_periods, file_label, guarded, label_of, parse_period, unguarded
from market.periods import PeriodError, day_of, day_periods
from tests.market.test_periods import BERLIN, LONDON, LONG, PLAIN, SHORT, days, zones


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
        "08-10",
        "09-08",
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
        "00-24",
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
        assert parsed.period in day_periods(day, BERLIN, int(parsed.period.duration.total_seconds() // 60))


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
