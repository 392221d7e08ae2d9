"""The small charts of a board, and what they say in words to those who can't see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext

from dashboard.figures.board import Board, PeriodState
from dashboard.figures.timeline import Points, Timeline
from dashboard.render import formatting as fmt
from dashboard.render.chart_geometry import Bar, Line, bars, line

SPARK_SIZE, DAY_SIZE, BAR_STEP = (84, 22), (300, 48), 10
PROFILE_SIZE, PROFILE_BAR = (6, 16), 5
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
class Profile:
    """An hour's net by quarter as four bars, `long` above zero and `short` below it (paths), and in words."""

    long: str
    short: str
    zero: int
    words: str


def profile_of(quarters: Sequence[Decimal]) -> Profile | None:
    """None where nothing is delivered or taken."""
    if not quarters:
        return None
    shown, zero = bars(quarters, *PROFILE_SIZE)
    long, short = (_together(shown, sign, PROFILE_BAR) for sign in ("good", "bad"))
    values = ", ".join(fmt.number(one, signed=True) for one in quarters)
    return Profile(long, short, zero, gettext("net by quarter: %(values)s MWh") % {"values": values})


def _together(shown: Sequence[Bar], sign: str, width: int) -> str:
    """One path of all bars of a sign: a board has up to 120, and sends them with every change."""
    return "".join(one.path(width) for one in shown if one.sign == sign)


@dataclass(frozen=True, slots=True)
class Shape:
    """The day as two small charts: results by period, and how the day's result came about; words for both."""

    good: str
    bad: str
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
    sign = fmt.currency_sign(board.currency)
    known = [
        (value, fmt.period_title(row.delivery_hour)) for value, row in zip(results, board.rows, strict=True) if value
    ]
    best, worst = max(known), min(known)
    past = [value for value in points if value is not None]
    nexts = [index for index, row in enumerate(board.rows) if row.state == PeriodState.NEXT]
    return Shape(
        good=_together(shown, "good", BAR_STEP - 2),
        bad=_together(shown, "bad", BAR_STEP - 2),
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
