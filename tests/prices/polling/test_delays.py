"""The learnt distribution: uniform at the start, sharper with evidence, and the probes that follow from it."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prices.polling.delays import Learnt, learn, unlearnt

WINDOW = 30.0
UNIFORM = unlearnt(WINDOW)


def probes(delays: list[float], number: int) -> list[float]:
    """The moments of all probes of a publication that never comes, when `number` of them are affordable."""
    learnt, at, found = learn(delays, WINDOW), 0.0, []
    for left in range(number, 0, -1):
        at += learnt.probe_pause(at, left, share=0.5 if left == number else 1.0)
        found.append(at)
    return found


def mean_wait(delays: list[float], moments: list[float]) -> float:
    waits = [min((m - d for m in moments if m >= d), default=WINDOW) for d in delays]
    return sum(waits) / len(waits)


def test_at_the_start_probes_are_even_and_an_eighth_as_dense_in_the_tail() -> None:
    moments = probes([], 27)
    within = [m for m in moments if m < WINDOW]
    pauses = [b - a for a, b in pairwise(within)]
    assert len(within) == 24
    assert max(pauses) == pytest.approx(min(pauses), rel=0.05)
    assert WINDOW < moments[-1] <= 2 * WINDOW


def test_a_pause_at_the_start_is_what_the_formula_says() -> None:
    assert UNIFORM.probe_pause(0, 27) == pytest.approx(30 * (1 + 1 / 8) / 27)
    assert UNIFORM.probe_pause(40, 4) == pytest.approx(20 / 4)
    assert UNIFORM.probe_pause(10, 0) == math.inf


def test_what_always_comes_at_the_same_time_is_probed_there() -> None:
    dice = random.Random(1)
    delays = [dice.uniform(8, 12) for _ in range(288)]
    moments = probes(delays, 27)
    assert sum(7 <= m <= 13 for m in moments) >= 13
    assert mean_wait(delays, moments) < 0.5 * mean_wait(delays, probes([], 27))


def test_probes_by_the_root_of_the_density_wait_less_than_even_or_proportional_ones() -> None:
    dice = random.Random(2)
    delays = [dice.uniform(3, 6) if dice.random() < 0.7 else dice.uniform(0, 30) for _ in range(2000)]
    even = [30 * (i + 1) / 27 for i in range(27)]
    proportional = [*sorted(delays)[76::77], 30.0]
    ours = mean_wait(delays, [*probes(delays, 26), 30.0])
    assert len(proportional) <= 27
    assert ours < 0.8 * mean_wait(delays, even)
    assert ours < 0.8 * mean_wait(delays, proportional)


def test_a_few_odd_publications_prove_nothing() -> None:
    assert learn([3.0] * 3, WINDOW).probe_pause(20, 10) < 1.6 * UNIFORM.probe_pause(20, 10)


def test_rounds_are_equally_likely_to_bring_the_price() -> None:
    assert UNIFORM.round_pause(0, 3) == pytest.approx(10)
    assert UNIFORM.round_pause(20, 1) == pytest.approx(10)
    assert UNIFORM.round_pause(31, 3) == 0
    early = learn([4.0] * 300, WINDOW)
    assert early.round_pause(0, 2) < 5


def test_the_quantiles_of_the_start() -> None:
    assert UNIFORM.quantile(0.5) == pytest.approx(15, abs=0.5)
    assert learn([12.0] * 300, WINDOW).quantile(0.5) == pytest.approx(12.5, abs=1)


@given(
    st.lists(st.floats(-10, 200, allow_nan=False), max_size=50),
    st.floats(0, 100),
    st.floats(0.1, 60),
    st.floats(1, 1000),
)
def test_whatever_was_seen_a_pause_is_positive_and_ends_in_the_tail(
    delays: list[float], lateness: float, number: float, window: float
) -> None:
    learnt = learn(delays, window)
    assert learnt.mass[0] == learnt.effort[0] == 0
    assert learnt.mass[-1] == learnt.effort[-1] == 1
    assert list(learnt.effort) == sorted(learnt.effort)
    pause = learnt.probe_pause(lateness, number)
    assert pause >= -1e-6 or lateness > 2 * window
    assert lateness + pause <= 2 * window + 1e-6


def test_a_market_that_nothing_was_learnt_of_starts_from_uniform() -> None:
    known = learn([3.0] * 100, WINDOW)
    learnt = Learnt(delays={1: known})
    assert learnt.delays_of(1, WINDOW) is known
    assert learnt.delays_of(2, WINDOW) == unlearnt(WINDOW)
    assert learnt.delays_of(1, WINDOW / 2) == unlearnt(WINDOW / 2), "learnt for another window"


def test_what_is_left_of_the_probes_falls_with_the_lateness() -> None:
    delays = unlearnt(30.0)
    left = [delays.effort_left(lateness) for lateness in (0, 10, 20, 30, 60, 90)]
    assert left[0] == 1
    assert left == sorted(left, reverse=True)
    assert left[3] == pytest.approx(1 / 9), "the tail gets an eighth of the window's"
    assert left[-1] == 0
