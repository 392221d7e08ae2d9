"""How sure a rate is: Wilson's interval, the exact interval of a paired difference, Brier. Pure arithmetic.

Rates are fractions of 1. Intervals are of 95 %. Sources: Wilson (1927), Clopper and Pearson (1934), McNemar (1947),
Brier (1950); the incomplete beta function as a continued fraction (Lentz).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

Z = 1.959963984540054
"""The normal distribution's 97.5 % quantile."""

_TAIL = 0.025
_TINY = 1e-300
_STEPS = 100
_LAST_BITS = 1e-15
_MOST_TERMS = 10_000
COIN = Fraction(1, 4)
"""The Brier score of somebody who always says 50 %."""

Interval = tuple[float, float]


def wilson(right: int, judged: int) -> Interval | None:
    """Between which rates the true one lies; None of nothing."""
    if not judged:
        return None
    rate, spread = right / judged, Z * Z / judged
    middle = (rate + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(rate * (1 - rate) / judged + spread / (4 * judged))
    return (0.0 if not right else middle - half, 1.0 if right == judged else middle + half)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two rules on the same moments: how often both, one or the other, or neither was right."""

    both: int = 0
    only_own: int = 0
    only_other: int = 0
    neither: int = 0

    @property
    def count(self) -> int:
        return self.both + self.only_own + self.only_other + self.neither

    @property
    def own_rate(self) -> float | None:
        return (self.both + self.only_own) / self.count if self.count else None

    @property
    def other_rate(self) -> float | None:
        return (self.both + self.only_other) / self.count if self.count else None

    @property
    def excess(self) -> float | None:
        """Own rate less the other's."""
        return (self.only_own - self.only_other) / self.count if self.count else None

    @property
    def interval(self) -> Interval | None:
        """Of the excess: exact, as McNemar's test, on those moments alone at which only one of the two was right."""
        if not self.count:
            return None
        apart = self.only_own + self.only_other
        if not apart:
            return (0.0, 0.0)
        low, high = clopper_pearson(self.only_own, apart)
        return (apart * (2 * low - 1) / self.count, apart * (2 * high - 1) / self.count)


@lru_cache(maxsize=4096)
def clopper_pearson(right: int, judged: int) -> Interval:
    """The exact interval of a rate of at least one case."""
    low = 0.0 if not right else _beta_quantile(_TAIL, right, judged - right + 1)
    high = 1.0 if right == judged else _beta_quantile(1 - _TAIL, right + 1, judged - right)
    return (low, high)


def _beta_quantile(share: float, a: float, b: float) -> float:
    """Where the beta distribution's lower part reaches this share: Newton's steps, halving where one leads too far."""
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(_STEPS):
        front = _front(x, a, b)
        beyond = _beta_below(x, a, b, front) - share
        low, high = (x, high) if beyond < 0 else (low, x)
        step = x - beyond * x * (1 - x) / front if front > _TINY else -1.0
        following = step if low < step < high else (low + high) / 2
        if abs(following - x) <= _LAST_BITS * x:
            break
        x = following
    return x


def _front(x: float, a: float, b: float) -> float:
    """The density at x, between 0 and 1, times x (1 - x)."""
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front)


def _beta_below(x: float, a: float, b: float, front: float) -> float:
    """The regularised incomplete beta function, for x between 0 and 1."""
    if x < (a + 1) / (a + b + 2):
        return front * _continued(x, a, b) / a
    return 1 - front * _continued(1 - x, b, a) / b


def _continued(x: float, a: float, b: float) -> float:
    upper, lower = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = lower
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            lower = 1 / _not_zero(1 + term * lower)
            upper = _not_zero(1 + term / upper)
            value *= upper * lower
        if abs(upper * lower - 1) < 1e-14:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


# --- confidence -------------------------------------------------------------------------------------------------------
Forecast = tuple[int, bool]
"""A confidence in per cent, and whether it came true."""


def brier(forecasts: Sequence[Forecast]) -> Fraction | None:
    """The mean squared distance between confidence and outcome, exact; 0 is perfect, a coin's is 0.25."""
    if not forecasts:
        return None
    squares = (
        times * (Fraction(percent, 100) - came_true) ** 2 for (percent, came_true), times in Counter(forecasts).items()
    )
    return sum(squares, Fraction()) / len(forecasts)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Of all that were given with this confidence (per cent): how many, and how many came true."""

    confidence: int
    judged: int
    right: int


def reliability(forecasts: Iterable[Forecast]) -> list[Reliability]:
    """A line for each ten per cent of confidence that was given, by its lower end, in order."""
    lines: dict[int, list[bool]] = {}
    for percent, came_true in forecasts:
        lines.setdefault(percent // 10 * 10, []).append(came_true)
    return [Reliability(percent, len(cases), sum(cases)) for percent, cases in sorted(lines.items())]
