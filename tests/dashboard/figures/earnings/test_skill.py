"""Skill or luck: the interval equals brute force, holds what it should, and says when there are too few days."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.earnings.skill import FEWEST_DAYS, MOST_PARTS, Day, Skill, Verdict, skill_of

results = st.decimals(-5000, 5000, places=4)
energies = st.decimals("0.001", 500, places=3)


def by_brute_force(days: list[Day]) -> tuple[Decimal, Decimal]:
    """Order statistics of the means of all subsets, outward to whole cents."""
    means = sorted(
        Fraction(sum(Fraction(days[n][0]) for n in chosen)) / sum(Fraction(days[n][1]) for n in chosen)
        for count in range(1, len(days) + 1)
        for chosen in combinations(range(len(days)), count)
    )
    beyond = 2 ** len(days) // 40
    low, high = means[beyond - 1] * 100, means[-beyond] * 100
    return Decimal(math.floor(low)).scaleb(-2), Decimal(math.ceil(high)).scaleb(-2)


@given(st.lists(st.tuples(results, energies), min_size=FEWEST_DAYS, max_size=9))
def test_as_brute_force_to_the_cent(days: list[Day]) -> None:
    found = skill_of(days)
    assert (found.low, found.high) == by_brute_force(days)


@given(st.lists(st.tuples(results, energies), min_size=FEWEST_DAYS, max_size=8))
def test_turned_results_turn_the_interval(days: list[Day]) -> None:
    found, turned = skill_of(days), skill_of([(-result, energy) for result, energy in days])
    assert found.low is not None and turned.high is not None and turned.low is not None
    assert (found.low, found.high) == (-turned.high, -turned.low)


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ([10, 12, 9, 11, 10, 13], Verdict.BETTER),
        ([-10, -12, -9, -11, -10, -13], Verdict.WORSE),
        ([10, -12, 9, -11, 10, -1], Verdict.LUCK),
        ([10, 12, 9, 11, 10], Verdict.FEW),
    ],
)
def test_verdicts(results: list[int], verdict: Verdict) -> None:
    assert skill_of([(Decimal(one), Decimal(2)) for one in results]).verdict is verdict


def test_days_without_energy_are_none() -> None:
    assert skill_of([(Decimal(0), Decimal(0))]) == Skill(0)
    assert skill_of([]).verdict is Verdict.FEW


def test_equal_days_leave_nothing_to_chance() -> None:
    found = skill_of([(Decimal(3), Decimal(2))] * 7)
    assert (found.mean, found.low, found.high) == (Decimal("1.5"), Decimal("1.50"), Decimal("1.50"))


def test_more_days_than_can_be_told_apart_go_in_runs() -> None:
    days = [(Decimal(n % 7 - 2), Decimal(1)) for n in range(2 * MOST_PARTS)]
    runs = [(a[0] + b[0], Decimal(2)) for a, b in zip(days[::2], days[1::2], strict=True)]
    found, of_runs = skill_of(days), skill_of(runs)
    assert (found.low, found.high, found.run) == (of_runs.low, of_runs.high, 2)


def test_it_holds_the_true_mean_as_often_as_it_says() -> None:
    """Of 1,000 made-up ranges without any skill at most 5 % (and the chance of that count) are told from luck."""
    chance, told = random.Random(18), 0
    for _ in range(1000):
        days = [(Decimal(round(chance.gauss(0, 300))), Decimal(chance.randint(20, 90))) for _ in range(8)]
        told += skill_of(days).verdict is not Verdict.LUCK
    assert 10 <= told <= 70
