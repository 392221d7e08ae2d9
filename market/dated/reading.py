"""The dated rules of markets, read: all of them in one query, as the pure rules take them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db import ProgrammingError, connection, transaction

from market.periods import Marks
from market.rules import DatedGate, DatedRules, DatedSource, Phase, ReferenceSource

_Row = TypeVar("_Row")
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
"""Rules that a market begins with are known since then: it has no moment before them."""
Entered = tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Dated:
    """Everything dated about one market; `entered` says of each, kind by kind, since when it is known here (UTC)."""

    rules: tuple[DatedRules, ...] = ()
    gates: tuple[DatedGate, ...] = ()
    sources: tuple[DatedSource, ...] = ()
    entered: tuple[Entered, Entered, Entered] = ((), (), ())

    def known_at(self, moment: datetime) -> Dated:
        """What was known at a moment (UTC); the same object where that is all."""
        rules_at, gates_at, sources_at = self.entered
        if all(at <= moment for at in (*rules_at, *gates_at, *sources_at)):
            return self
        rules, rules_at = _until(moment, self.rules, rules_at)
        gates, gates_at = _until(moment, self.gates, gates_at)
        sources, sources_at = _until(moment, self.sources, sources_at)
        return Dated(rules, gates, sources, (rules_at, gates_at, sources_at))


def _until(moment: datetime, rows: tuple[_Row, ...], entered: Entered) -> tuple[tuple[_Row, ...], Entered]:
    known = [(row, at) for row, at in zip(rows, entered, strict=True) if at <= moment]
    return tuple(row for row, _ in known), tuple(at for _, at in known)


_ALL = """SELECT m.id,
       (SELECT coalesce(json_agg(r), '[]') FROM market_marketrule r WHERE r.market_id = m.id),
       (SELECT coalesce(json_agg(g), '[]') FROM market_gateclosure g WHERE g.market_id = m.id),
       (SELECT coalesce(json_agg(s), '[]') FROM market_referencerule s WHERE s.market_id = m.id)
   FROM market_market m WHERE m.id = ANY(%s)"""


_are_there = False
"""Whether the tables have been seen: an update brings them while processes of the new version run already."""


def dated_rules(market_ids: Collection[int]) -> Mapping[int, Dated]:
    """The rules of the markets by primary key; none where an update has not brought the tables yet. One query."""
    global _are_there  # noqa: PLW0603 - known once for the whole process
    try:
        rows = _rows(market_ids) if _are_there else _first_rows(market_ids)
        _are_there = True
    except ProgrammingError:
        if _are_there:
            raise
        rows = []
    found = {pk: _dated(*map(_parsed, (rules, gates, sources))) for pk, rules, gates, sources in rows}
    return {pk: found.get(pk, Dated()) for pk in market_ids}


def _first_rows(market_ids: Collection[int]) -> list[tuple[Any, ...]]:
    with transaction.atomic():  # the error of a table that isn't there would end whatever transaction goes on
        return _rows(market_ids)


def _rows(market_ids: Collection[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_ALL, [list(market_ids)])
        return list(cursor.fetchall())


def _parsed(column: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a column of JSON, with exact numbers; Django leaves it as text."""
    return json.loads(column, parse_float=Decimal) if isinstance(column, str) else column


def _dated(rules: list[dict[str, Any]], gates: list[dict[str, Any]], sources: list[dict[str, Any]]) -> Dated:
    return Dated(
        tuple(_rule(row) for row in rules),
        tuple(_gate(row) for row in gates),
        tuple(
            DatedSource(date.fromisoformat(row["valid_from"]), row["minutes"], ReferenceSource(row["source"]))
            for row in sources
        ),
        (_entered(rules), _entered(gates), _entered(sources)),
    )


def _entered(rows: list[dict[str, Any]]) -> Entered:
    """Where an update has not brought the column yet, all of it has always been known."""
    return tuple(datetime.fromisoformat(row["entered_at"]) if "entered_at" in row else ALWAYS for row in rows)


def _gate(row: dict[str, Any]) -> DatedGate:
    lead = row["lead_minutes"]
    return DatedGate(
        valid_from=date.fromisoformat(row["valid_from"]),
        product=row["product"],
        phase=Phase(row["phase"]),
        lead=None if lead is None else timedelta(minutes=lead),
        with_hour=row["counts_from"] == "hour",
    )


def _rule(row: dict[str, Any]) -> DatedRules:
    return DatedRules(
        valid_from=date.fromisoformat(row["valid_from"]),
        zone=ZoneInfo(row["time_zone"]) if row["time_zone"] else None,
        currency=row["currency"] or None,
        day_start=_time(row["day_start"]),
        display_zone=ZoneInfo(row["display_zone"]) if row["display_zone"] else None,
        marks=Marks(row["marks"]) if row["marks"] else None,
        products=frozenset(row["products"]) or None,
        opening=_time(row["opening"]),
        quarters_opening=_time(row["quarters_opening"]),
        lowest_price=_price(row["lowest_price"]),
        highest_price=_price(row["highest_price"]),
        reference_name=row["reference_name"] or None,
        rhythm=row["reference_rhythm"],
    )


def _time(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


def _price(number: Decimal | int | None) -> Decimal | None:
    return None if number is None else Decimal(number)
