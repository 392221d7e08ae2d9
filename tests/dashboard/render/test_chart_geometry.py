"""Values become heights: in their box, in proportion, zero in sight, undefined a gap."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dashboard.render.chart_geometry import bars, line

amounts = st.lists(st.none() | st.decimals(-(10**6), 10**6, places=2), max_size=60)


@given(amounts)
def test_a_line_stays_in_its_box_and_ends_at_the_newest(values: list[Decimal | None]) -> None:
    drawn = line(values, 84, 22)
    known = [value for value in values if value is not None]
    if len(known) < 2:
        assert drawn is None
        return
    assert drawn is not None
    numbers = [list(map(int, part.split())) for part in drawn.path.replace("M", "L").split("L")[1:]]
    assert len(numbers) == len(known)
    assert all(0 <= x <= 84 and 1 <= y <= 21 for x, y in numbers)
    assert tuple(numbers[-1]) == drawn.end
    assert 1 <= drawn.zero <= 21


@given(amounts)
def test_bars_stand_on_zero(values: list[Decimal | None]) -> None:
    drawn, zero = bars(values, 10, 48)
    assert len(drawn) == sum(1 for value in values if value)
    for bar in drawn:
        assert bar.top >= 0
        assert bar.top + bar.height <= 48
        assert zero in {bar.top + bar.height, bar.top}


def test_undefined_is_a_gap_and_zero_alone_a_flat_line() -> None:
    gap = line([Decimal(1), None, Decimal(2), Decimal(3)], 30, 22)
    assert gap is not None
    assert gap.path.count("M") == 2
    flat = line([Decimal(0), Decimal(0)], 30, 22)
    assert flat is not None
    assert flat.zero == flat.end[1]


def test_without_values_there_are_no_bars() -> None:
    assert bars([None, None], 10, 48) == ([], 48)


def test_bars_as_paths() -> None:
    shown, zero = bars([Decimal(-1), Decimal(3), None, Decimal(-1)], 6, 16)
    assert [bar.path(5) for bar in shown] == ["M0 11h5v4h-5z", "M6 1h5v10h-5z", "M18 11h5v4h-5z"]
    assert zero == 11
