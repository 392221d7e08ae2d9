"""Skill or luck: the mean result per MWh, and between which means luck can't be told apart. Pure, exact, never sampled.

If a day's result differs from its MWh times the true mean as easily upwards as downwards, each choice of signs of the
days is as likely as the one that was seen. The interval holds every mean that at least 2.5 % of these choices are
beyond on either side: its ends are order statistics of the means of all subsets of days (Hartigan 1969). Results in
EUR, energy in MWh, means in EUR/MWh.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise, repeat

from market.totals import EXACT, ZERO

FEWEST_DAYS = 6
"""With five, one choice of signs in 32 is more than 2.5 %: no interval of 95 % has an end."""

MOST_PARTS = 30
"""So many days are taken one by one; more of them in runs of consecutive days, as equal as can be."""

_TAIL = 40
"""One in forty: 2.5 % on either side."""

Day = tuple[Decimal, Decimal]
"""A day's result (EUR) and the MWh behind it, above 0."""


class Verdict(StrEnum):
    """What an interval says."""

    FEW = "few"  # too few days for an interval
    LUCK = "luck"  # 0 is in it
    BETTER = "better"  # all of it lies above 0
    WORSE = "worse"  # all of it lies below 0


@dataclass(frozen=True, slots=True)
class Skill:
    """The mean (None without a day), its interval of 95 %, outward to whole cents, and what it is made of."""

    days: int
    mean: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    run: int = 1
    """Days taken together at most."""

    @property
    def verdict(self) -> Verdict:
        if self.low is None or self.high is None:
            return Verdict.FEW
        if self.low > 0:
            return Verdict.BETTER
        return Verdict.WORSE if self.high < 0 else Verdict.LUCK


def skill_of(days: Sequence[Day]) -> Skill:
    """Of the days with a result, in their order."""
    return _skill_of(tuple((result, energy) for result, energy in days if energy > 0))


@lru_cache(maxsize=256)
def _skill_of(days: tuple[Day, ...]) -> Skill:
    if not days:
        return Skill(0)
    mean = _mean(_added(days))
    if len(days) < FEWEST_DAYS:
        return Skill(len(days), mean)
    parts = _whole(_runs(days))
    low = _low_end(parts)
    high = -_low_end([(-result, energy) for result, energy in parts])
    run = -(-len(days) // MOST_PARTS)
    return Skill(len(days), mean, Decimal(low).scaleb(-2), Decimal(high).scaleb(-2), run)


def _runs(days: tuple[Day, ...]) -> list[Day]:
    """At most MOST_PARTS runs of consecutive days, each added up."""
    count = min(len(days), MOST_PARTS)
    bounds = [len(days) * number // count for number in range(count + 1)]
    return [_added(days[first:last]) for first, last in pairwise(bounds)]


def _added(days: Sequence[Day]) -> Day:
    with localcontext(EXACT):
        return sum((result for result, _ in days), ZERO), sum((energy for _, energy in days), ZERO)


def _mean(day: Day) -> Decimal:
    with localcontext(EXACT):
        return day[0] / day[1]


def _whole(parts: Sequence[Day]) -> list[tuple[int, int]]:
    """The same in whole numbers: a common multiple of cents, and of MWh."""
    pairs = [(Fraction(result) * 100, Fraction(energy)) for result, energy in parts]
    scale = math.lcm(*(number.denominator for pair in pairs for number in pair))
    return [(int(result * scale), int(energy * scale)) for result, energy in pairs]


def _low_end(parts: Sequence[tuple[int, int]]) -> int:
    """In whole cents, rounded down: the least mean that at least 2.5 % of the choices of signs are beyond."""

    def is_within(mean: int) -> bool:
        beyond = 1 + _subsets_below([result - mean * energy for result, energy in parts])
        return _TAIL * beyond > 1 << len(parts)

    low, step = _guess(parts)  # never changes what is found, only how soon
    high = low
    while is_within(low):
        low, high, step = low - step, low, 2 * step
    while not is_within(high):
        low, high, step = high, high + step, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_within(middle) else (middle, high)
    return low


def _guess(parts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Where the end would be if means were normally distributed, and a step to look from there, in cents."""
    energy = sum(energy for _, energy in parts)
    mean = sum(result for result, _ in parts) // energy
    error = math.isqrt(sum((result - mean * energy) ** 2 for result, energy in parts)) // energy
    return mean - 2 * error, 1 + error // 8


def _subsets_below(values: list[int]) -> int:
    """How many subsets have a sum below 0: each half's sums in order, met in the middle."""
    half = len(values) // 2
    first, second = _sums(values[:half]), _sums(values[half:])
    return sum(map(bisect_left, repeat(second), [-one for one in first]))


def _sums(values: list[int]) -> list[int]:
    """The sums of all subsets, in order."""
    sums = [0]
    for value in values:
        sums = sorted(sums + [one + value for one in sums])  # two runs in order: merged, not sorted
    return sums
