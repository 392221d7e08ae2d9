"""A run beside the last recorded one, the aims, and the document's table, which is what the recorded run gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import aims, document, runs
from bench.aims import AIMS, Aim
from bench.runs import Run
from bench.table import Row, beside, console, figure

SLOW = Row("storing", "ms", 30.0, 10.0)
RATE = Row("answers", "a second", 300.0, 100.0)
ALONE = Row("memory", "MB", 80.0, None)
RUN = Run("2026-11-26T21:00:00+00:00", "c0ffee" * 6, {"cores": 2}, {"Python": "3.11"}, [SLOW, RATE, ALONE])


# --- compared with the last run -------------------------------------------------------------------------------------
def test_a_row_with_a_floor_is_compared_by_its_ratio_and_one_without_by_its_figure() -> None:
    rows = beside([replace(SLOW, ours=60.0), ALONE, RATE], [replace(ALONE, ours=70.0), SLOW])
    assert [row.before for row in rows] == [3.0, 70.0, None]


def test_a_row_that_has_got_a_floor_has_nothing_to_compare_with() -> None:
    assert [row.before for row in beside([SLOW], [replace(SLOW, floor=None)])] == [None]


@pytest.mark.parametrize(
    ("row", "before", "worse"),
    [
        (SLOW, None, False),
        (SLOW, 3.0, False),
        (SLOW, 2.4, False),  # exactly a quarter more
        (SLOW, 2.39, True),
        (SLOW, 9.0, False),  # better
        (RATE, 3.75, False),
        (RATE, 3.76, True),
        (RATE, 1.0, False),
        (ALONE, 64.0, False),
        (ALONE, 63.9, True),
        (replace(ALONE, ours=0.0), 0.0, False),
        (replace(ALONE, ours=1.0), 0.0, True),
        (replace(ALONE, ours=None), 5.0, False),
    ],
)
def test_worse_is_more_than_a_quarter_in_the_direction_that_hurts(row: Row, before: float | None, worse: bool) -> None:
    assert replace(row, before=before).is_worse is worse


def test_without_a_last_run_nothing_is_worse_and_dashes_stand_for_it(tmp_path: Path) -> None:
    last = runs.last_run(tmp_path / "none.json")
    assert last is None
    rows = beside(RUN.rows, last.rows if last else ())
    lines = list(console(rows))
    assert [line.split()[4:] for line in lines[1:2]] == [["—", "ms"]]
    assert not any("worse" in line for line in lines)


def test_the_console_marks_what_is_worse() -> None:
    lines = list(console([replace(SLOW, before=2.0, note="of 100"), replace(RATE, before=3.0)]))
    assert lines[1].split() == ["storing", "10.0", "30.0", "3.00", "2.00", "worse", "ms", "(of", "100)"]
    assert lines[2].split() == ["answers", "100", "300", "3.00", "3.00", "a", "second"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "—"), (0.0, "0"), (0.481, "0.48"), (9.99, "9.99"), (14.66, "14.7"), (138.4, "138"), (29_204.3, "29,204")],
)
def test_figures_have_three_digits_that_say_something(value: float | None, words: str) -> None:
    assert figure(value) == words


# --- aims -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("aim", "holds"),
    [
        (Aim(at_most=30), True),
        (Aim(at_most=29.9), False),
        (Aim(at_least=30), True),
        (Aim(at_least=30.1), False),
        (Aim(at_most=3, of_floor=True), True),
        (Aim(at_most=2.9, of_floor=True), False),
        (Aim(at_least=3.1, of_floor=True), False),
    ],
)
def test_an_aim_bounds_our_figure_or_its_ratio_to_the_floor(aim: Aim, holds: bool) -> None:
    assert aim.holds(SLOW) is holds


def test_a_row_without_the_figure_that_is_asked_for_misses_its_aim() -> None:
    assert not Aim(at_most=5, of_floor=True).holds(ALONE)
    assert not Aim(at_most=5).holds(replace(ALONE, ours=None))


def test_missed_aims_are_said_with_their_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AIMS, SLOW.what, (Aim(at_most=20), Aim(at_most=5, of_floor=True), Aim(2, of_floor=True)))
    assert list(aims.missed(RUN.rows)) == ["storing: 30.0 ms, aim ≤ 20 ms", "storing: 3.00 × floor, aim ≤ 2 × floor"]
    assert aims.words(SLOW) == "≤ 20 ms; ≤ 5 × floor; ≤ 2 × floor"
    assert SLOW.what not in aims.unmeasured(RUN.rows)
    assert SLOW.what in aims.unmeasured([])


# --- recorded -------------------------------------------------------------------------------------------------------
def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(RUN.as_json())
    assert runs.last_run(path) == RUN


def test_only_what_is_between_the_marks_is_replaced() -> None:
    run = replace(RUN, machine={"processor": "X", "cores": 2, "memory": 8.0, "system": "Linux"})
    text = f"before\n{document.BEGIN}\nold | figures\n{document.END}\nafter\n"
    new = document.with_figures(text, replace(run, rows=[replace(SLOW, before=1.0, note="a|b")]))
    assert new.startswith(f"before\n{document.BEGIN}\n2026-11-26, commit c0ffeec0ffee; X, 2 cores")
    assert "| storing (a/b) | 10.0 ms | 30.0 ms | 3.00 | 1.00 (worse now) |  |" in new
    assert new.endswith(f"{document.END}\nafter\n")
    assert "old" not in new
    assert document.with_figures(new, run) == document.with_figures(text, run)


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="figures: begin"):
        document.with_figures("text", RUN)


def test_the_documents_table_is_what_the_recorded_run_gives() -> None:
    run = runs.last_run()
    assert run is not None
    text = document.DOCUMENT.read_text()
    assert document.with_figures(text, run) == text


def test_every_aim_is_of_a_row_that_the_recorded_run_has() -> None:
    run = runs.last_run()
    assert run is not None
    assert aims.unmeasured(run.rows) == []
