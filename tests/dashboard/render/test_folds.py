"""Shorter products fold into their hour, which says how they do; every row stays on the page."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from dashboard.figures.board import Board
from dashboard.figures.readings import Reading
from dashboard.render.board import render_parts
from dashboard.render.rows.folds import run_title
from market.labels import label_of
from market.periods import day_periods
from tests.dashboard.boards import MORNING, SKETCH_DAY, Traded, a_board, the_feeds


def rows(board: Board) -> dict[str, str]:
    """A period's label to its part."""
    parts = render_parts(board, the_feeds()).values()
    return {found[1]: part for part in parts if (found := re.search(r'data-delivery-hour="([^"]*)"', part))}


def words(part: str) -> str:
    """What an hour says of what it holds, with the result's trend."""
    found = re.search(r'<small class="fold">.*?data-trend="(\w*)".*?</small>', part)
    return f"{re.sub('<[^>]*>', '', found[0])} {found[1]}" if found else ""


def is_folded(part: str) -> bool:
    return "data-folded" in part


def full() -> tuple[Traded, ...]:
    """24 hours and 96 quarters."""
    zone = a_board().market.zone
    labels = (label_of(one, zone) for minutes in (60, 15) for one in day_periods(SKETCH_DAY, zone, minutes))
    return tuple((label, "sell", "1", "20") for label in labels)


def test_quarters_fold_into_their_hour_which_says_how_they_do() -> None:
    board = a_board(
        ("12-13", "sell", "4", "30"),
        ("12:15-12:30", "buy", "1", "20"),
        ("12:30-12:45", "sell", "1", "20"),
        ("14:00-14:30", "sell", "2", "20"),
        references={"12-13": "25", "12:15-12:30": "22", "12:30-12:45": "27.5"},
    )
    found = rows(board)
    assert words(found["12-13"]) == "2 quarters −5.50 bad"
    assert words(found["14-15"]) == "1 shorter — none", "no reference yet; the hour itself is not traded"
    assert [is_folded(found[label]) for label in ("12-13", "12:15-12:30", "12:30-12:45", "14-15", "14:00-14:30")] == [
        False, True, True, False, True,
    ]  # fmt: skip


def test_a_full_board_shows_its_hours_and_has_all_its_rows() -> None:
    found = rows(a_board(*full()))
    assert len(found) == 120
    assert sum(not is_folded(part) for part in found.values()) == 24 + 1, "and the next gate's"
    assert all(words(part).startswith("4 quarters") for label, part in found.items() if ":" not in label)


def test_the_next_to_close_is_never_folded_away() -> None:
    ten = day_periods(SKETCH_DAY, a_board().market.zone)[10].start
    board = a_board(*full(), now=ten + timedelta(minutes=12))
    found = rows(board)
    assert [label for label, part in found.items() if 'data-state="next"' in part] == ["10:30-10:45"]
    assert not is_folded(found["10:30-10:45"])
    assert is_folded(found["10:15-10:30"])


def test_an_hour_that_holds_something_is_in_no_run_without_trades() -> None:
    found = rows(a_board(("12-13", "sell", "4", "30"), ("18:15-18:30", "sell", "1", "30"), now=MORNING))
    runs = [label for label, part in found.items() if '<tr class="fold">' in part]
    assert runs == ["00-01", "13-14", "19-20"]
    assert words(found["18-19"]) == "1 quarter — none"


def test_a_run_of_the_long_day_says_which_pass_it_begins_with() -> None:
    traded = (("01-02", "sell", "1", "30"), ("02-03A", "sell", "1", "30"), ("05-06", "sell", "1", "30"))
    found = rows(a_board(*traded, day=date(2026, 10, 25)))
    assert "02–03B … 04–05 · 3 periods without trades" in found["02-03B"]
    assert "06–24 · 18 periods" in found["06-07"]
    found = rows(a_board(("02-03B", "sell", "1", "30"), day=date(2026, 10, 25), now=datetime(2026, 10, 26, tzinfo=UTC)))
    assert "00–03A · 3 periods" in found["00-01"]


@pytest.mark.parametrize(
    ("first", "last", "title"),
    [
        ("00-01", "23-24", "00–24"),
        ("12:15-12:30", "13:00-13:15", "12:15–13:15"),
        ("02-03", "04-05", "02–05"),
        ("02-03X", "04-05", "02–03X … 04–05"),
        ("02:45-03:00b", "03:30-03:45", "02:45–03:00b … 03:30–03:45"),
        ("3A", "11-12", "3A … 11–12"),
        ("00-01", "3A", "00–01 … 3A"),
    ],
)
def test_a_run_s_title_in_the_marks_of_its_market(first: str, last: str, title: str) -> None:
    assert run_title(first, last) == title


def test_an_hour_s_profile_is_the_net_of_its_quarters_whatever_the_product() -> None:
    traded = (("12-13", "sell", "4", "30"), ("12:15-12:30", "buy", "4", "20"))
    for reading in (Reading.PRODUCT, Reading.HOUR):
        part = rows(a_board(*traded, reading=reading))["12-13"]
        assert 'aria-label="net by quarter: −1.00, +3.00, −1.00, −1.00 MWh"' in part
        long, short = re.findall(r'data-side="\w+" d="([^"]*)"', part)
        assert (long.count("M"), short.count("M")) == (1, 3)
    assert "profile" not in rows(a_board(*traded, reading=Reading.QUARTER))["12:15-12:30"]
    assert "profile" not in rows(a_board(*traded))["13-14"]
