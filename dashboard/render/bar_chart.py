"""Bars of a series of results, as the attributes of an SVG drawn on the server. Pure geometry: no colours, no HTML.

A chart never stands alone: the same figures are in a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from dashboard.render.chart_geometry import Scale, bounds

WIDTH, HEIGHT = 1000, 240
LEFT, TOP, BOTTOM = 74, 10, 24
"""Room for the scale's figures and for the names beneath the bars."""

_ZERO = Decimal(0)
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_LINES = 4
_MOST_NAMES = 12


@dataclass(frozen=True, slots=True)
class Point:
    """One value of the series; None while undefined. `title` says it whole, `name` stands beneath the bar."""

    name: str
    title: str
    value: Decimal | None
    traded: bool = True
    """Without trades there is nothing to draw; with trades and no value there is a mark that says so."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle (attributes as text, in the view box's units). `trend`: good, bad, even, or none while undefined."""

    x: str
    y: str
    width: str
    height: str
    trend: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the scale: where it is, and what it stands for (a round number)."""

    y: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Name:
    """A name beneath the bars."""

    x: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that an SVG of WIDTH by HEIGHT needs."""

    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    names: tuple[Name, ...]
    zero: str


def bar_chart(points: Sequence[Point]) -> Chart | None:
    """The chart of a series in order; None when no value of it is defined."""
    known = [point.value for point in points if point.value is not None]
    if not known:
        return None
    low, high = bounds(known)
    step = _step(high - low)
    lowest = (low / step).to_integral_value(ROUND_FLOOR) * step
    highest = max((high / step).to_integral_value(ROUND_CEILING) * step, lowest + step)
    height_of = Scale(lowest, highest, top=TOP, height=HEIGHT - TOP - BOTTOM)
    slot = Decimal(WIDTH - LEFT) / len(points)
    lines, value = [], lowest
    while value <= highest:
        lines.append(Line(_text(height_of(value)), value))
        value += step
    every = -(-len(points) // _MOST_NAMES)
    return Chart(
        bars=tuple(_bar(point, LEFT + i * slot, slot, height_of) for i, point in enumerate(points) if point.traded),
        lines=tuple(lines),
        names=tuple(
            Name(_text(LEFT + (i + Decimal("0.5")) * slot), point.name)
            for i, point in enumerate(points)
            if i % every == 0
        ),
        zero=_text(height_of(_ZERO)),
    )


def _bar(point: Point, x: Decimal, slot: Decimal, height_of: Scale) -> Bar:
    gap = min(slot * Decimal("0.2"), Decimal(6))
    value = point.value if point.value is not None else _ZERO
    top, base = sorted((height_of(value), height_of(_ZERO)))
    tall = max(base - top, Decimal(2))  # what is even, or undefined, is still to be seen
    trend = "none" if point.value is None else "good" if value > 0 else "bad" if value < 0 else "even"
    y = top if value > 0 or base - top >= tall else base - 1
    return Bar(_text(x + gap / 2), _text(y), _text(slot - gap), _text(tall), trend, point.title)


def _step(span: Decimal) -> Decimal:
    """A round distance between the scale's lines, so that about _LINES of them cover the span."""
    if span == 0:
        return Decimal(1)
    wanted = span / _LINES
    power = Decimal(10) ** wanted.adjusted()
    return next(factor * power for factor in _STEPS if factor * power >= wanted)


def _text(value: Decimal) -> str:
    return f"{value:.2f}"
