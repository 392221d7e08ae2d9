"""How values become heights, for every chart that the server draws: small lines and bars, and the history's scale.

Pure geometry: no colours, no words. Heights grow downwards, as in SVG; zero is always in sight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Amounts to heights: `highest` lies at `top`, `lowest` `height` units below it."""

    lowest: Decimal
    highest: Decimal
    top: int
    height: int

    def __call__(self, value: Decimal) -> Decimal:
        if self.highest == self.lowest:
            return self.top + Decimal(self.height // 2)
        return self.top + (self.highest - value) * self.height / (self.highest - self.lowest)


def bounds(values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """The lowest and the highest of some values and zero."""
    return min(_ZERO, *values), max(_ZERO, *values)


def _whole_units(values: Sequence[Decimal], height: int) -> Callable[[Decimal], int]:
    """A small chart's scale: a unit is left free above and below, and heights are whole."""
    scale = Scale(*bounds(values), top=1, height=height - 2)
    return lambda value: int(scale(value))


@dataclass(frozen=True, slots=True)
class Line:
    """A line as a path; `area` is closed towards zero. `zero` is the height of zero, `end` the newest point."""

    path: str
    area: str
    zero: int
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar from zero: `top` and `height` in units, `sign` "good" or "bad"."""

    left: int
    top: int
    height: int
    sign: str

    def path(self, width: int) -> str:
        """The bar as a closed path, for charts that draw many at once."""
        return f"M{self.left} {self.top}h{width}v{self.height}h-{width}z"


def line(values: Sequence[Decimal | None], width: int, height: int) -> Line | None:
    """Values from left to right, zero always in sight; None with fewer than two. Undefined ones leave a gap."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    scale = _whole_units(known, height)
    steps = len(values) - 1
    points = [(index * width // steps, scale(value)) for index, value in enumerate(values) if value is not None]
    parts, before = [], None
    for index, value in enumerate(values):
        if value is not None:
            parts.append(f"{'L' if before is not None else 'M'}{index * width // steps} {scale(value)}")
        before = value
    path = "".join(parts)
    zero = scale(Decimal(0))
    area = "".join(f"L{x} {y}" for x, y in points)
    return Line(path, f"M{points[0][0]} {zero}{area}V{zero}Z", zero, points[-1])


def bars(values: Sequence[Decimal | None], step: int, height: int) -> tuple[list[Bar], int]:
    """One bar a value, `step` units apart, and the height of zero. What rounds to nothing is still a hair high."""
    known = [value for value in values if value is not None]
    if not known:
        return [], height
    scale = _whole_units(known, height)
    zero = scale(Decimal(0))
    return [_bar(index * step, scale(value), zero, value) for index, value in enumerate(values) if value], zero


def _bar(left: int, end: int, zero: int, value: Decimal) -> Bar:
    if value > 0:
        return Bar(left, min(end, zero - 1), max(1, zero - end), "good")
    return Bar(left, zero, max(1, end - zero), "bad")
