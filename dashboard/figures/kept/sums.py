"""A history's sums: those of closed days as they are kept, those of all others worked out, exactly the same figures.

What is kept is a cache and nothing else. A day counts by its kept sums only where they hold in the snapshot that reads
them, so nobody who reads has to wait for, or to know, whoever keeps them (keeping.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from dashboard.figures.history_sql import Statements, statements
from dashboard.figures.kept import kept_sql
from dashboard.figures.kept.basis import bases
from dashboard.figures.readings import Reading
from market.models import Market
from market.statements.planning import planned_by_values
from market.tables import unless_missing
from market.totals import EXACT

FEWEST_DAYS = 8
"""Of shorter ranges the days themselves are read as soon as what is kept of them."""
Row = tuple[Any, ...]


@dataclass(slots=True)
class Sums:
    """Rows of (key, direction, trades, MWh, EUR, result, MWh with a price, without one, with a stand-in)."""

    days: list[Row] = field(default_factory=list)
    hours: list[Row] = field(default_factory=list)
    traders: list[Row] = field(default_factory=list)
    """By primary key; of the whole desk alone."""
    total: list[Row] = field(default_factory=list)
    """Their key is None."""

    def __add__(self, other: Sums) -> Sums:
        """Both of them, which share no day."""
        return Sums(
            self.days + other.days,
            _added(self.hours + other.hours),
            _added(self.traders + other.traders),
            _added(self.total + other.total),
        )


def load_sums(market: Market, asked: dict[str, Any], reading: Reading, *, total_alone: bool = False) -> Sums:
    """What the statements of history_sql.py give for what is `asked` with; one query where every day is kept, and one
    more, or of the desk two, where not."""
    kept, days = _kept_sums(market, asked, reading, total_alone=total_alone)
    missing = _missing(asked, days)
    if not missing:
        return kept
    together = (missing[-1] - missing[0]).days + 1 == len(missing)
    parts = {"first": missing[0], "last": missing[-1], "days": None if together else missing}
    found = _worked_out(statements(market, reading), asked | parts, total_alone=total_alone)
    return kept + found if days else found


def _missing(asked: dict[str, Any], days: set[date]) -> list[date]:
    count = (asked["last"] - asked["first"]).days + 1
    every = (asked["first"] + timedelta(days=number) for number in range(count))
    return [day for day in every if day not in days]


def _worked_out(text: Statements, asked: dict[str, Any], *, total_alone: bool) -> Sums:
    if total_alone:
        return Sums(total=[(None, *row) for row in read(text.total, asked)])
    rows = read(text.by_period, asked)
    return Sums(
        days=[(row[0], *row[2:]) for row in rows if row[0] is not None],
        hours=[(row[1], *row[2:]) for row in rows if row[1] is not None],
        traders=read(text.by_trader, asked) if asked["trader"] is None else [],
        total=[(None, *row[2:]) for row in rows if row[0] is None and row[1] is None],
    )


def _kept_sums(market: Market, asked: dict[str, Any], reading: Reading, *, total_alone: bool) -> tuple[Sums, set[date]]:
    """Those that hold, and their days; none where an update has not brought the tables yet."""
    first, last = asked["first"], asked["last"]
    if (last - first).days + 1 < FEWEST_DAYS:
        return Sums(), set()
    rules = bases(market.dated.sources, asked["zone"], first, last)
    parts = {
        "from": [rule.first for rule in rules],
        "until": [rule.last for rule in rules],
        "bases": [rule.words for rule in rules],
        "minutes": reading.minutes or 0,
    }
    nothing: list[Row] = []
    statement = kept_sql.TOTAL if total_alone else kept_sql.ALL
    rows = unless_missing(lambda: read(statement, asked | parts), nothing)
    found, days = Sums(), set()
    lists = {"day": found.days, "hour": found.hours, "trader": found.traders, "total": found.total}
    for what, day, number, *figures in rows:
        if what == "kept":
            days.add(day)
        else:
            lists[what].append((day if number is None else number, *figures))
    return found, days


def _added(rows: Iterable[Row]) -> list[Row]:
    """One row a key and direction."""
    sums: dict[tuple[Any, str], Row] = {}
    for row in rows:
        known = sums.get(row[:2])
        sums[row[:2]] = row if known is None else (*row[:2], known[2] + row[2], *map(_sum, known[3:], row[3:]))
    return list(sums.values())


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return other if one is None else one
    return EXACT.add(one, other)


def read(statement: str, asked: dict[str, Any]) -> list[Row]:
    """The rows of one statement, planned for what it asks."""
    with planned_by_values(), connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return list(cursor.fetchall())
