"""Rates of judged periods: how often right, beside the dumb rule on the same moments, and the groups of a page. Pure.

A rate counts periods judged right or wrong, never late ones. Rates are fractions of 1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from dashboard.assumptions.intervals import Interval, Pairs, Reliability, brier, reliability, wilson
from dashboard.assumptions.rules import COUNTED, Theory, Verdict, goes_on

FEWEST = 20
"""Below so many judged periods a rate says little: it is grey."""


@dataclass(frozen=True, slots=True)
class Case:
    """One period of an assumption: what a rate asks of it. `last_change`, `frozen`, `final` EUR/MWh."""

    theory: Theory
    verdict: Verdict
    late: bool
    frozen: Decimal | None
    last_change: Decimal | None
    final: Decimal | None
    confidence: int | None = None
    trader: str = ""
    tags: tuple[str, ...] = ()
    minutes_left: int = 0
    hour: int = 0
    """Of the delivery day, by the market's clock."""
    counts: bool = field(init=False)
    pair: tuple[bool, bool] | None = field(init=False)
    """Whether it was right, and whether the dumb rule was; None where there is nothing to compare with.

    Both are worked out once: a case counts in many groups.
    """

    def __post_init__(self) -> None:
        baseline = self.baseline
        pair = None if baseline is None else (self.verdict is Verdict.RIGHT, baseline is Verdict.RIGHT)
        object.__setattr__(self, "counts", self.verdict in COUNTED and not self.late)
        object.__setattr__(self, "pair", pair)

    @property
    def baseline(self) -> Verdict | None:
        """What became of the dumb rule at the same moment."""
        if self.frozen is None or self.final is None:
            return None
        return goes_on(self.theory, self.last_change, self.frozen, self.final)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often some cases were right."""

    judged: int = 0
    right: int = 0
    pairs: Pairs = field(default_factory=Pairs)
    brier: Fraction | None = None
    reliability: tuple[Reliability, ...] = ()

    @property
    def rate(self) -> float | None:
        return self.right / self.judged if self.judged else None

    @property
    def interval(self) -> Interval | None:
        return wilson(self.right, self.judged)

    @property
    def is_grey(self) -> bool:
        return self.judged < FEWEST


def rate_of(cases: Iterable[Case]) -> Rate:
    """The rate of those of the cases that count."""
    counted = [case for case in cases if case.counts]
    right = sum(case.verdict is Verdict.RIGHT for case in counted)
    forecasts = [(case.confidence, case.verdict is Verdict.RIGHT) for case in counted if case.confidence is not None]
    return Rate(len(counted), right, _pairs(counted), brier(forecasts), tuple(reliability(forecasts)))


def _pairs(counted: Iterable[Case]) -> Pairs:
    both = Counter(case.pair for case in counted)
    return Pairs(both[True, True], both[True, False], both[False, True], both[False, False])


_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item")


def in_groups(items: Iterable[_Item], keys: Callable[[_Item], Iterable[_Key]]) -> dict[_Key, list[_Item]]:
    """The items of each key, in their order; one with several keys (tags) is in each."""
    groups: dict[_Key, list[_Item]] = defaultdict(list)
    for item in items:
        for key in keys(item):
            groups[key].append(item)
    return dict(groups)


def grouped(cases: Iterable[Case], keys: Callable[[Case], Iterable[_Key]]) -> dict[_Key, Rate]:
    """A rate for each key."""
    return {key: rate_of(of_key) for key, of_key in in_groups(cases, keys).items()}


TIME_LEFT = (30, 60, 120, 240, 480)
"""Where the groups by time left end, in minutes; the last one has no end."""


def time_left_group(minutes: int) -> int:
    """The group's number."""
    return bisect_right(TIME_LEFT, minutes)


def best_and_worst(tags: dict[str, Rate], most: int = 3) -> tuple[list[str], list[str]]:
    """Tags of at least FEWEST compared periods by their excess: the better half's best, the other half's worst."""
    known = [(rate.pairs.excess or 0.0, tag) for tag, rate in tags.items() if rate.pairs.count >= FEWEST]
    ranked = [tag for _, tag in sorted(known, key=lambda one: (-one[0], one[1]))]
    half = (len(ranked) + 1) // 2
    return ranked[: min(most, half)], ranked[half:][::-1][:most]
