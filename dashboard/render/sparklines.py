"""The small charts of a board: their geometry, and what they say in words to those who can't see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext

from dashboard.figures.board import Board, PeriodState
from dashboard.figures.timeline import Points, Timeline
from dashboard.render import formatting as fmt

SPARK_SIZE, DAY_SIZE, BAR_STEP = (84, 22), (300, 48), 10
"""Units of the charts' viewBoxes, which the stylesheet stretches."""


@dataclass(frozen=True, slots=True)
class Spark:
    """A row's line over time, coloured by where it stands now, and what it says in words."""

    line: Line
    trend: fmt.Trend
    words: str


def spark(points: Points) -> Spark | None:
    """A row's line; None until there are two figures to join."""
    known = [value for value in points if value is not None]
    drawn = line(points, *SPARK_SIZE)
    if drawn is None:
        return None
    words = gettext("from %(first)s to %(last)s") % {
        "first": fmt.number(known[0], signed=True),
        "last": fmt.number(known[-1], signed=True),
    }
    return Spark(drawn, fmt.trend(points[-1]), words)


@dataclass(frozen=True, slots=True)
class Shape:
    """The day as two small charts: results by period, and how the day's result came about; words for both."""

    bars: list[Bar]
    zero: int
    width: int
    now: int | None
    bars_words: str
    line: Line
    trend: fmt.Trend
    line_words: str


def shape_of(board: Board, timeline: Timeline) -> Shape | None:
    """None until there is a line to draw."""
    results = [row.figures.performance_eur for row in board.rows]
    points = timeline.of_day(board.total)
    drawn = line(points, *DAY_SIZE)
    shown, zero = bars(results, BAR_STEP, DAY_SIZE[1])
    if drawn is None or not shown:
        return None
    sign = fmt.currency_sign(board.market.currency)
    known = [
        (value, fmt.period_title(row.delivery_hour)) for value, row in zip(results, board.rows, strict=True) if value
    ]
    best, worst = max(known), min(known)
    past = [value for value in points if value is not None]
    nexts = [index for index, row in enumerate(board.rows) if row.state == PeriodState.NEXT]
    return Shape(
        bars=shown,
        zero=zero,
        width=len(results) * BAR_STEP,
        now=nexts[0] * BAR_STEP if nexts else None,
        bars_words=gettext("Result by period: best %(best)s %(high)s, worst %(worst)s %(low)s")
        % {
            "best": best[1],
            "high": f"{fmt.number(best[0], signed=True)} {sign}",
            "worst": worst[1],
            "low": f"{fmt.number(worst[0], signed=True)} {sign}",
        },
        line=drawn,
        trend=fmt.trend(board.total.performance_eur),
        line_words=gettext("The day's result so far: lowest %(low)s, highest %(high)s, now %(now)s")
        % {
            name: f"{fmt.number(value, signed=True)} {sign}"
            for name, value in (("low", min(past)), ("high", max(past)), ("now", past[-1]))
        },
    )


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
