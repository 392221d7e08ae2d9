"""Which rows are folded away: runs of periods without trades into a line, shorter products into their hour's row.

All rows are in the page; a fold hides them until a hand unfolds it (static/js/controls.js). The next period to close is
never folded away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal, localcontext
from functools import lru_cache

from django.utils.translation import get_language, gettext, ngettext

from dashboard.figures.board import BoardRow, PeriodState
from dashboard.render import formatting as fmt
from dashboard.render.cells import Cell, signed_cell
from market.periods import HOUR
from market.totals import EXACT, ZERO

_QUARTER = timedelta(minutes=15)
SHORTEST_FOLD = 3
"""Fewer rows without trades than this in a row stay as they are: a fold would save nothing."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A run of periods without trades that is shown as one line, from its first row's part."""

    title: str
    periods: str
    references: str


@dataclass(frozen=True, slots=True)
class Inside:
    """The shorter products that an hour's row holds: how many, and their result in EUR."""

    words: str
    result: Cell


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: folded away or not, with the line of the run that it begins, with what it holds."""

    folded: bool = False
    fold: Fold | None = None
    inside: Inside | None = None


def places(rows: Sequence[BoardRow], currency: str) -> list[Place]:
    """Each row's place. A day without any trade is shown whole."""
    found = [Place()] * len(rows)
    if not any(row.figures.trade_count for row in rows):
        return found
    heads = set()
    for run in _held(rows):
        heads.add(run.start)
        held = rows[run.start + 1 : run.stop]
        found[run.start] = Place(inside=_inside(held))
        for index in run[1:]:
            found[index] = Place(folded=rows[index].state != PeriodState.NEXT)
    for run in _quiet_runs(rows, heads):
        for index in run:
            found[index] = Place(folded=True)
        found[run.start] = replace(found[run.start], fold=_fold(rows[run.start : run.stop], currency))
    return found


def _held(rows: Sequence[BoardRow]) -> Iterator[range]:
    """Each hour with the shorter products behind it that lie in it."""
    start = 0
    for index in range(1, len(rows) + 1):
        if index < len(rows) and not rows[start].period.is_block and rows[index].period.end <= rows[start].period.end:
            continue
        if index - start > 1 and rows[start].period.duration == HOUR:
            yield range(start, index)
        start = index


def _inside(held: Sequence[BoardRow]) -> Inside:
    known = [row.figures.performance_eur for row in held if row.figures.performance_eur is not None]
    with localcontext(EXACT):
        result: Decimal | None = sum(known, ZERO) if known else None
    quarters = all(row.period.duration == _QUARTER for row in held)
    return _in_words(len(held), result, get_language(), quarters=quarters)


@lru_cache(maxsize=4096)
def _in_words(count: int, result: Decimal | None, _language: str | None, *, quarters: bool) -> Inside:
    """Remembered per language, as rows are: with a trade one of 24 is another one."""
    words = (
        ngettext("%(count)s quarter", "%(count)s quarters", count)
        if quarters
        else ngettext("%(count)s shorter", "%(count)s shorter", count)
    )
    return Inside(words % {"count": fmt.count(count)}, signed_cell("inside", result))


def _quiet_runs(rows: Sequence[BoardRow], heads: set[int]) -> Iterator[range]:
    start = 0
    for index in range(len(rows) + 1):
        if index < len(rows) and index not in heads and _is_quiet(rows[index]):
            continue
        if index - start >= SHORTEST_FOLD:
            yield range(start, index)
        start = index + 1


def _is_quiet(row: BoardRow) -> bool:
    return not row.figures.trade_count and row.state != PeriodState.NEXT


def run_title(first: str, last: str) -> str:
    """From the first row's start to the last row's end: "13–18". Both whole ("02–03B … 04–05") where the first is a
    pass of the hour that exists twice, as its start alone names both; or where a mark ("3A") is no time of the clock.
    """
    start, end = first.partition("-")[0], last.rpartition("-")[2]
    if first[-1].isdigit() and "-" in last:
        return f"{start}{fmt.EN_DASH}{end}"
    return fmt.period_title(f"{first} … {last}")


def _fold(run: Sequence[BoardRow], currency: str) -> Fold:
    first, last = run[0].delivery_hour, run[-1].delivery_hour
    known = [row.reference.value for row in run if row.reference]
    lowest, highest = fmt.number(min(known, default=None)), fmt.number(max(known, default=None))
    span = gettext("%(lowest)s to %(highest)s") % {"lowest": lowest, "highest": highest}
    values = {"count": fmt.count(len(run)), "span": f"{lowest if lowest == highest else span} {currency}/MWh"}
    return Fold(
        title=run_title(first, last),
        periods=ngettext("%(count)s period without trades", "%(count)s periods without trades", len(run)) % values,
        references=gettext("reference %(span)s") % values if known else "",
    )
