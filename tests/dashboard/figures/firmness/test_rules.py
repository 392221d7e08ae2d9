"""What like cases say of a result: bands, turned signs, words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.firmness.rules import (
    FEWEST,
    FINAL,
    LEFT,
    LOCKED,
    NARROW,
    WIDE,
    Band,
    Firmness,
    Word,
    band_of,
    firmness_of,
    left_of,
    part_of_day,
    sure_share,
    turned_share,
    word_of,
)

D = Decimal
GATE = datetime(2026, 11, 23, 10, 55, tzinfo=UTC)
many_moves = st.lists(st.decimals("-50", "50", places=2), min_size=FEWEST, max_size=90).map(sorted)
amounts = st.decimals("-500", "500", places=2)


@pytest.mark.parametrize(
    ("now", "minutes"),
    [("10:59:59", 10), ("11:00:00", 0), ("10:49:59", 20), ("10:50:00", 10), ("10:25:00", 60), ("08:55:00", 240)],
)
def test_time_left_is_counted_from_the_begun_ten_minutes(now: str, minutes: int) -> None:
    at = datetime.fromisoformat(f"2026-11-23T{now}+00:00")
    assert left_of(GATE, at) == LEFT.index(timedelta(minutes=minutes))


def test_further_away_than_two_days_is_no_case() -> None:
    assert left_of(GATE, GATE - timedelta(days=3)) is None


def test_parts_of_the_day() -> None:
    assert [part_of_day(hour) for hour in (0, 5, 6, 9, 10, 15, 16, 19, 20, 23)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_bands_are_order_statistics() -> None:
    moves = [D(number) for number in range(1, 100)]  # 99 cases: the 10th and the 90th, the 25th and the 75th
    assert (band_of(moves, WIDE), band_of(moves, NARROW)) == (Band(D(10), D(90)), Band(D(25), D(75)))
    assert band_of(moves[:30], WIDE) == Band(D(3), D(28))
    assert Band(D(3), D(28)).width == 25


@given(moves=many_moves, result=amounts, net=amounts.filter(bool))
def test_the_turned_share_is_counted(moves: list[Decimal], result: Decimal, net: Decimal) -> None:
    share = turned_share(moves, result, net)
    if not result:
        assert share is None
        return
    turned = sum(1 for move in moves if (result + net * move) * result < 0)
    assert share == D(turned) / len(moves)


@given(moves=many_moves, result=amounts, net=amounts.filter(bool))
def test_a_band_holds_the_results_of_its_cases(moves: list[Decimal], result: Decimal, net: Decimal) -> None:
    found = firmness_of(moves, result=result, net=net, reference=D(20), is_final=False)
    assert found.wide and found.narrow and found.reference_wide and found.reference_narrow
    inside = [found.wide.low <= result + net * move <= found.wide.high for move in moves]
    assert sum(inside) >= 0.74 * len(moves)
    assert found.wide.low <= found.narrow.low <= found.narrow.high <= found.wide.high
    assert found.wide.width == abs(net) * found.reference_wide.width
    assert found.cases == len(moves)


def test_nothing_is_said_of_what_is_final_locked_in_or_has_too_few_cases() -> None:
    said = {"result": D(5), "reference": D(20)}
    moves = [D(0)] * (FEWEST - 1)
    assert firmness_of(moves, net=D(3), is_final=True, **said) is FINAL
    assert firmness_of(moves, net=D(0), is_final=False, **said) is LOCKED
    assert firmness_of(moves, net=D(3), is_final=False, **said) == Firmness(Word.TOO_FEW, 29)


@pytest.mark.parametrize(
    ("turned", "word"),
    [("0", "firm"), ("0.1", "firm"), ("0.11", "leaning"), ("0.3", "leaning"), ("0.31", "open"), (None, "open")],
)
def test_words(turned: str | None, word: str) -> None:
    assert word_of(D(turned) if turned else None) == word


def test_how_much_of_the_money_is_firm() -> None:
    rows = [(Word.FIRM, D(-30)), (Word.OPEN, D(50)), (Word.LOCKED, D(10)), (Word.FINAL, D(10)), (Word.TOO_FEW, D(0))]
    assert sure_share(rows) == D("0.5")
    assert sure_share([(Word.FIRM, D(0))]) is None
