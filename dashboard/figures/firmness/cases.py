"""What a day's references still moved: the like cases of one delivery day, from the prices as they arrived. Pure.

Prices are in EUR/MWh, moments in seconds since 1970. Of each period there is one case for each time left: at which of
the ten minutes in it goes around with the period's number, so that all of them are met alike, and by no chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from dashboard.figures.firmness.rules import LEFT, SLOT, Kind

_SLOT = int(SLOT.total_seconds())
_LEFT = tuple(int(left.total_seconds()) for left in LEFT)
MIDDLE = _SLOT // 2
"""Into its ten minutes a case is looked at: the publication of then has come."""
GOLDEN = 0.6180339887498949


class Point(Protocol):
    """An accepted value: `published` and `arrived` in seconds since 1970."""

    @property
    def value(self) -> Decimal: ...
    @property
    def published(self) -> float: ...
    @property
    def arrived(self) -> float: ...


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """A period that has closed: its length in minutes, the part of the day, when its gate closed, and its prices."""

    minutes: int
    part: int
    gate: float
    path: Sequence[Point]

    def final(self, until: float) -> Decimal | None:
        """The newest value that had arrived by then, if it was published at or after the gate."""
        known = self._known_at(until)
        return known.value if known is not None and known.published >= self.gate else None

    def value_at(self, moment: float) -> Decimal | None:
        """The newest value that had arrived by then."""
        known = self._known_at(moment)
        return known.value if known is not None else None

    def _known_at(self, moment: float) -> Point | None:
        arrived = [point for point in self.path if point.arrived <= moment]
        return max(arrived, key=lambda point: point.published, default=None)


def moves_of(periods: Iterable[ClosedPeriod], until: float) -> Mapping[Kind, list[Decimal]]:
    """The moves of a day's periods that were final `until` then, by kind, ascending."""
    moves: dict[Kind, list[Decimal]] = {}
    for number, period in enumerate(periods):
        final = period.final(until)
        if final is None:
            continue
        for left in range(len(LEFT)):
            known = period.value_at(looked_at(period.gate, left, number))
            if known is not None:
                moves.setdefault(Kind(period.minutes, left, period.part), []).append(final - known)
    return {kind: sorted(found) for kind, found in moves.items()}


def looked_at(gate: float, left: int, number: int) -> float:
    """When the case of the period of this number is looked at that has this time left: the middle of one of its ten
    minutes."""
    if left == 0:
        return gate
    slots = (_LEFT[left] - _LEFT[left - 1]) // _SLOT
    turn = int((number * GOLDEN + left * 0.5) % 1 * slots)
    first = -((_LEFT[left] - gate) // _SLOT) * _SLOT  # gates don't all close at full ten minutes
    return min(first + turn * _SLOT + MIDDLE, gate)
