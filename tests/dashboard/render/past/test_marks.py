"""The marks of the slider over a day."""

from __future__ import annotations

from dashboard.render.past.marks import COLUMNS, HEIGHT, columns, path

FIRST, LAST = 8_000_000, 16_000_000


def test_marks_stand_where_their_moment_is_and_none_outside() -> None:
    moments = [FIRST, 12_000_000, 12_000_000, LAST, LAST + 1, FIRST - 1]
    assert columns(moments, FIRST, LAST) == {0: 1, (COLUMNS - 1) // 2: 2, COLUMNS - 1: 1}


def test_without_time_there_are_no_marks() -> None:
    assert columns([FIRST], FIRST, FIRST) == {}


def test_more_marks_are_a_higher_bar_up_to_all_of_it() -> None:
    assert path({7: 2, 3: 1, 9: 10_000}) == f"M3 0v3M7 0v6M9 0v{HEIGHT}"
    assert path({}) == ""
