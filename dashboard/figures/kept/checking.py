"""Are kept sums what positions and prices give? Each day is worked out again, of one snapshot with what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dashboard.figures.history_sql import priced
from dashboard.figures.kept import kept_sql
from dashboard.figures.kept.keeping import Kept, basis_of, kept_of, of_day
from dashboard.figures.kept.sums import read
from dashboard.figures.readings import Reading
from market.models import Market


@dataclass(frozen=True, slots=True)
class Checked:
    """A day or month whose sums hold, and how many of its rows are not what they should be."""

    kept: Kept
    differences: int


def check(market: Market) -> Iterator[Checked]:
    """Every day, against positions and prices, and every month, against its days; what is of other rules is not
    looked at by any history."""
    for kept in kept_of(market):
        if kept.basis != basis_of(market, kept.first):
            continue
        yield Checked(kept, _of_month(market, kept) if kept.is_month else _of_day(market, kept))


def _of_day(market: Market, kept: Kept) -> int:
    return sum(_differing_rows(market, kept, reading) for reading in Reading)


def _differing_rows(market: Market, kept: Kept, reading: Reading) -> int:
    statement = priced(kept_sql.DIFFERENCES, market, reading, beside="trader_id,")
    return int(read(statement, of_day(market, kept.first, reading, kept.pk))[0][0])


def _of_month(market: Market, kept: Kept) -> int:
    asked = {"market": market.pk, "kept": kept.pk, "first": kept.first, "last": kept.last}
    return int(read(kept_sql.MONTH_DIFFERENCES, asked)[0][0])
