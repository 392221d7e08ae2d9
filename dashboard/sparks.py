"""Small charts as SVG geometry: lines, areas and bars in whole units of their viewBox. Pure; no colours, no words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


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


def line(values: Sequence[Decimal | None], width: int, height: int) -> Line | None:
    """Values from left to right, zero always in sight; None with fewer than two. Undefined ones leave a gap."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    scale = _Scale(known, height)
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
    scale = _Scale(known, height)
    zero = scale(Decimal(0))
    return [_bar(index * step, scale(value), zero, value) for index, value in enumerate(values) if value], zero


def _bar(left: int, end: int, zero: int, value: Decimal) -> Bar:
    if value > 0:
        return Bar(left, min(end, zero - 1), max(1, zero - end), "good")
    return Bar(left, zero, max(1, end - zero), "bad")


class _Scale:
    """Amounts to heights, from 1 at the top to height - 1; zero is in it."""

    def __init__(self, values: Sequence[Decimal], height: int) -> None:
        zero = Decimal(0)
        self._low, self._high = min(zero, *values), max(zero, *values)
        self._span, self._height = self._high - self._low, height - 2

    def __call__(self, value: Decimal) -> int:
        if not self._span:
            return 1 + self._height // 2
        return 1 + int((self._high - value) * self._height / self._span)
