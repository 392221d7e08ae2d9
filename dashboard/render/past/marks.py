"""The marks of a slider over a day: where something came, how much of it. Pure geometry, no words.

A slider is as wide as COLUMNS; each column has the number of marks in its share of the time as the height of a bar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import log2

COLUMNS, HEIGHT = 480, 12


def columns(moments: Iterable[int], first: int, last: int) -> dict[int, int]:
    """Column -> how many of the moments from `first` to `last` lie in it; all in one unit of time."""
    span = last - first
    if span <= 0:
        return {}
    return dict(Counter((moment - first) * (COLUMNS - 1) // span for moment in moments if first <= moment <= last))


def path(counts: dict[int, int]) -> str:
    """Bars that hang from the top, one a column: 1 is a quarter of the height, 8 and more is all of it."""
    heights = {column: min(HEIGHT, HEIGHT // 4 * (1 + log2(count))) for column, count in sorted(counts.items())}
    return "".join(f"M{column} 0v{height:.0f}" for column, height in heights.items())
