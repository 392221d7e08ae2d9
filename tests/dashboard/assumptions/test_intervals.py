"""Our arithmetic against scipy's, and what its intervals promise, on worlds where the truth is known."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.assumptions.intervals import (
    COIN,
    Pairs,
    Reliability,
    _continued,
    _not_zero,
    brier,
    clopper_pearson,
    reliability,
    wilson,
)

WORLDS, STEPS = 1000, 400


@pytest.fixture(scope="module")
def stats() -> ModuleType:
    """scipy's own arithmetic: read by the worker that needs it, not by all that collect."""
    from scipy import stats

    return stats


def counted(most: int = 5000) -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(1, most).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(case=counted())
def test_wilsons_interval_is_scipys(stats: ModuleType, case: tuple[int, int]) -> None:
    right, judged = case
    expected = stats.binomtest(right, judged).proportion_ci(0.95, method="wilson")
    assert wilson(right, judged) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) is None
    empty = Pairs()
    assert (empty.own_rate, empty.other_rate, empty.excess, empty.interval, brier([])) == (None,) * 5


@given(case=counted())
def test_the_exact_interval_is_scipys(stats: ModuleType, case: tuple[int, int]) -> None:
    right, judged = case
    expected = stats.binomtest(right, judged).proportion_ci(0.95, method="exact")
    assert clopper_pearson(right, judged) == pytest.approx((expected.low, expected.high), abs=1e-10)


@given(both=st.integers(0, 300), own=st.integers(0, 300), other=st.integers(0, 300), neither=st.integers(0, 300))
def test_a_paired_difference_goes_with_mcnemars_exact_test(
    stats: ModuleType, both: int, own: int, other: int, neither: int
) -> None:
    """Zero is outside of the interval exactly when the exact test finds a difference at 5 %."""
    pairs = Pairs(both, own, other, neither)
    if not pairs.count:
        return
    assert pairs.interval is not None
    assert pairs.own_rate is not None
    assert pairs.other_rate is not None
    low, high = pairs.interval
    assert pairs.excess == pytest.approx(pairs.own_rate - pairs.other_rate, abs=1e-12)
    assert low <= pairs.excess <= high
    p_value = 1.0 if not own + other else 2 * min(stats.binom.cdf(min(own, other), own + other, 0.5), 0.5)
    if abs(p_value - 0.05) > 1e-9:
        assert (low <= 0 <= high) == (p_value > 0.05)


def test_fractions_that_meet_zero_go_on() -> None:
    assert _not_zero(0.0) > 0
    assert _not_zero(-0.5) == -0.5
    assert _continued(0.0, 1.0, 1.0) == 1.0


@given(st.lists(st.tuples(st.integers(50, 90), st.booleans()), max_size=50))
def test_brier_and_reliability(forecasts: list[tuple[int, bool]]) -> None:
    score = brier(forecasts)
    if forecasts:
        mean = sum((percent / 100 - true) ** 2 for percent, true in forecasts) / len(forecasts)
        assert score == pytest.approx(mean, abs=1e-12)
    lines = reliability(forecasts)
    assert sum(line.judged for line in lines) == len(forecasts)
    assert sum(line.right for line in lines) == sum(true for _, true in forecasts)
    assert [line.confidence for line in lines] == sorted({percent // 10 * 10 for percent, _ in forecasts})


def test_brier_by_hand() -> None:
    assert brier([(50, True), (50, False)]) == COIN
    assert brier([(90, True), (60, False)]) == Fraction(37, 200)
    assert reliability([(65, True), (60, False), (90, True)]) == [Reliability(60, 2, 1), Reliability(90, 1, 1)]


def test_on_a_random_walk_nobody_is_better_than_the_drift() -> None:
    """Random assumptions beside “it goes on as it last moved”, 1,000 worlds: the interval holds the truth, 0."""
    held, chance = 0, random.Random(5)
    for _ in range(WORLDS):
        moves = [chance.gauss(0, 1) for _ in range(STEPS + 1)]
        counts = [0, 0, 0, 0]
        for last, move in itertools.pairwise(moves):
            own_is_right = (chance.random() < 0.5) == (move > 0)
            counts[(0 if own_is_right else 2) + (0 if (last > 0) == (move > 0) else 1)] += 1
        interval = Pairs(*counts).interval
        assert interval is not None
        held += interval[0] <= 0 <= interval[1]
    assert 0.93 * WORLDS <= held <= 0.97 * WORLDS, held
