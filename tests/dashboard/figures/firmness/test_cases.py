"""The like cases of a day, from the prices as they arrived."""

from __future__ import annotations

from decimal import Decimal

from dashboard.figures.firmness.cases import ClosedPeriod, looked_at, moves_of
from dashboard.figures.firmness.rules import LEFT, Kind
from prices.past import PathPoint

GATE = 1_000_000_200.0  # 3:30 after a full ten minutes
NEVER = float("inf")
D = Decimal


def point(value: str, published: float, late: float = 10) -> PathPoint:
    return PathPoint(D(value), published, published + late)


def test_every_time_left_is_looked_at_within_itself_and_all_of_its_ten_minutes_in_turn() -> None:
    for gate in (GATE, GATE - 200, GATE + 300):
        for left in range(1, len(LEFT)):
            begun = set()
            for number in range(600):
                moment = looked_at(gate, left, number)
                begun.add(moment // 600)
                remaining = gate - moment // 600 * 600
                assert LEFT[left - 1].total_seconds() < remaining <= LEFT[left].total_seconds() or moment == gate
                assert moment <= gate
            assert len(begun) == (LEFT[left] - LEFT[left - 1]).total_seconds() // 600
    assert looked_at(GATE, 0, 7) == GATE


def test_a_move_is_the_final_less_what_was_known() -> None:
    path = [point("20", GATE - 100_000), point("23", GATE - 900), point("24.5", GATE + 5)]
    moves = moves_of([ClosedPeriod(60, 2, GATE, path)], NEVER)
    assert moves[Kind(60, 0, 2)] == [D("1.5")]
    assert moves[Kind(60, 1, 2)] == [D("1.5")]
    assert moves[Kind(60, 5, 2)] == [D("4.5")]
    assert Kind(60, len(LEFT) - 1, 2) not in moves or moves[Kind(60, len(LEFT) - 1, 2)] == [D("4.5")]


def test_without_a_final_there_is_no_case() -> None:
    path = [point("20", GATE - 5000), point("23", GATE - 1)]
    assert moves_of([ClosedPeriod(60, 2, GATE, path)], NEVER) == {}
    assert moves_of([ClosedPeriod(60, 2, GATE, [])], NEVER) == {}


def test_what_came_after_the_look_is_not_used_and_the_newest_publication_counts() -> None:
    final, restated = point("30", GATE + 5), point("99", GATE + 50, late=30_000)
    path = [final, point("20", GATE - 9000), point("25", GATE - 4000, late=3990), restated]
    one = moves_of([ClosedPeriod(60, 0, GATE, path)], GATE + 600)
    assert one[Kind(60, 0, 0)] == [D(5)]
    assert one[Kind(60, 3, 0)] == [D(10)], "a value that came late was not known before"
    assert moves_of([ClosedPeriod(60, 0, GATE, path)], NEVER)[Kind(60, 0, 0)] == [D(74)]


def test_moves_are_in_order() -> None:
    values = ("5", "1", "3")
    periods = [ClosedPeriod(15, 1, GATE, [point(v, GATE - 90_000), point("4", GATE + 1)]) for v in values]
    assert moves_of(periods, NEVER)[Kind(15, 1, 1)] == [D(-1), D(1), D(3)]
