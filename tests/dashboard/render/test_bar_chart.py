"""Bars of a series: heights in proportion, undefined values marked, a round scale around all of it."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dashboard.render.bar_chart import HEIGHT, WIDTH, Point, bar_chart

values = st.one_of(st.none(), st.decimals("-100000", "100000", places=2))


def points(*numbers: object) -> list[Point]:
    return [Point(f"{n}", f"point {n}", None if v is None else Decimal(str(v))) for n, v in enumerate(numbers)]


def test_without_a_value_there_is_no_chart() -> None:
    assert bar_chart([]) is None
    assert bar_chart(points(None, None)) is None


def test_a_gain_stands_above_the_line_and_a_loss_hangs_below() -> None:
    chart = bar_chart(points(100, -50))
    assert chart is not None
    gain, loss = chart.bars
    assert (gain.trend, loss.trend) == ("good", "bad")
    assert Decimal(gain.y) < Decimal(loss.y)
    assert abs(Decimal(gain.height) - 2 * Decimal(loss.height)) < Decimal("0.5")


@given(st.lists(values, min_size=1, max_size=60))
def test_everything_lies_in_the_picture_and_the_scale_spans_the_values(numbers: list[Decimal | None]) -> None:
    chart = bar_chart(points(*numbers))
    known = [number for number in numbers if number is not None]
    if chart is None:
        assert not known or not any(known)
        return
    for bar in chart.bars:
        assert Decimal(bar.x) >= 0 and Decimal(bar.x) + Decimal(bar.width) <= WIDTH + 1
        assert Decimal(bar.y) >= 0 and Decimal(bar.y) + Decimal(bar.height) <= HEIGHT + 1
    scale = [line.value for line in chart.lines]
    assert min(scale) <= min([*known, Decimal(0)]) and max([*known, Decimal(0)]) <= max(scale)
