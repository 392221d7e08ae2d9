"""How late publications come: a distribution learnt from the last days, and the probes that make the most of it.

Pure arithmetic; every length is in seconds. docs/reference-prices.md has the mathematics. A delay is counted from the
publication's time by the clock. Without samples it is uniform over the likely window, with a thin tail after it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

BINS = 30
"""Steps of the histogram over the likely window; as many again cover the tail, a second window."""

PRIOR_SAMPLES = float(BINS)
"""The uniform start weighs as much as this many observed publications, so that a few odd ones prove nothing."""

TAIL_SHARE = 8
"""In the tail of the uniform start probes are this many times rarer than in the likely window."""

SMOOTHING = (1, 2, 3, 2, 1)
"""How a sample spreads over its bin and the neighbours: a hundred samples make no smooth curve by themselves."""


@dataclass(frozen=True, slots=True)
class Delays:
    """The learnt distribution over the likely `window` and a tail of the same length.

    `mass[i]` is the probability, `effort[i]` the share of all probes, that lies before the i-th edge of the histogram.
    """

    window: float
    mass: tuple[float, ...]
    effort: tuple[float, ...]
    samples: int = 0

    def probe_pause(self, lateness: float, probes: float, *, share: float = 1.0) -> float:
        """From a probe at this lateness to the next, when `probes` are left until the tail's end; infinity without.

        `share` is the part of a step to take: the first probe comes after half of one.
        """
        if probes <= 0:
            return math.inf
        done = self._at(self.effort, lateness)
        step = share * (1.0 - done) / probes
        return self._where(self.effort, min(1.0, done + step)) - lateness

    def round_pause(self, lateness: float, rounds: float) -> float:
        """From one look at a period to the next, when `rounds` of equal probability are left within the window."""
        done, end = self._at(self.mass, lateness), self.mass[BINS]
        if lateness >= self.window or end <= done:
            return 0.0
        return self._where(self.mass, done + (end - done) / max(1.0, rounds)) - lateness

    def effort_left(self, lateness: float) -> float:
        """The share of all probes that lies after this lateness."""
        return 1.0 - self._at(self.effort, lateness)

    def quantile(self, share: float) -> float:
        """The delay that this share of the publications keeps below."""
        return self._where(self.mass, share)

    def _at(self, curve: Sequence[float], lateness: float) -> float:
        place = min(max(lateness / self.window * BINS, 0.0), 2.0 * BINS)
        left = min(int(place), 2 * BINS - 1)
        return curve[left] + (place - left) * (curve[left + 1] - curve[left])

    def _where(self, curve: Sequence[float], share: float) -> float:
        left = min(max(bisect_right(curve, share) - 1, 0), 2 * BINS - 1)
        step = curve[left + 1] - curve[left]
        return (left + (min(1.0, (share - curve[left]) / step) if step else 0.0)) / BINS * self.window


def learn(samples: Iterable[float], window: float) -> Delays:
    """The distribution after these delays; those beyond the tail don't count, they are chased by lateness alone."""
    counts = [PRIOR_SAMPLES / BINS] * BINS + [PRIOR_SAMPLES / BINS / TAIL_SHARE**2] * BINS
    number = 0
    for delay in samples:
        if 0 <= delay < 2 * window:
            number += 1
            _spread(counts, int(delay / window * BINS))
    return Delays(window, _cumulated(counts), _cumulated([math.sqrt(c) for c in counts]), number)


@lru_cache(maxsize=8)
def unlearnt(window: float) -> Delays:
    """Where everybody starts: uniform over the window."""
    return learn((), window)


def _spread(counts: list[float], bin_: int) -> None:
    """Add one sample, smoothed; what would fall before zero stays in the first bin."""
    reach = len(SMOOTHING) // 2
    for offset, weight in enumerate(SMOOTHING, start=-reach):
        place = min(max(bin_ + offset, 0), len(counts) - 1)
        counts[place] += weight / sum(SMOOTHING)


def _cumulated(densities: Sequence[float]) -> tuple[float, ...]:
    """From 0 to exactly 1."""
    total = math.fsum(densities)
    return (0.0, *(min(1.0, part / total) for part in accumulate(densities[:-1])), 1.0)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What earlier publications taught (delay_learning.py): how late they come, and which markets come together.

    `delays` by market; a market that is not in it starts from the uniform distribution. `together` names for each
    market of a group the group's first one; a market on its own is not in it.
    """

    delays: Mapping[int, Delays] = field(default_factory=dict)
    together: Mapping[int, int] = field(default_factory=dict)

    def delays_of(self, market_id: int, window: float) -> Delays:
        known = self.delays.get(market_id)
        return known if known is not None and known.window == window else unlearnt(window)


NOTHING_LEARNT = Learnt()
