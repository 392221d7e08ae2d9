"""What every app of this package shows: the positions of TRADER and DAY beside the reference price, from PostgreSQL.

Runs in the alternatives' own environment: it knows psycopg and nothing of the product but two of its tables. The table
is the one that the product keeps (24 rows at most), so none of the apps has to add up trades.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

COLUMNS = {
    "delivery_hour": "Delivery hour",
    "average": "Average EUR/MWh",
    "reference": "Reference EUR/MWh",
    "performance": "Performance EUR/MWh",
    "trades": "Trades",
}
_QUERY = """
    SELECT p.delivery_hour, p.direction, p.trade_count, p.energy, p.turnover, r.value
    FROM trades_position AS p
    JOIN trades_trader AS t ON t.id = p.trader_id
    LEFT JOIN prices_referenceprice AS r ON r.market_id = p.market_id AND r.delivery_day = p.delivery_day
      AND r.delivery_start = p.delivery_start AND r.delivery_end = p.delivery_end
    WHERE t.trader_id = %s AND p.delivery_day = %s
    ORDER BY p.delivery_start, p.delivery_end"""

Record = dict[str, str | float | None]


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a period as PostgreSQL has it: MWh, EUR, and EUR/MWh for the reference (None: not known yet)."""

    delivery_hour: str
    direction: str
    trade_count: int
    energy: Decimal
    turnover: Decimal
    reference: Decimal | None


def records() -> list[Record]:
    """A row for each traded period, as it stands now; one query."""
    with _pool().connection() as connection:
        rows = connection.execute(_QUERY, [os.environ["TRADER"], os.environ["DAY"]]).fetchall()
    return to_records(Leg(*row) for row in rows)


@cache
def _pool() -> ConnectionPool:
    from psycopg_pool import ConnectionPool

    return ConnectionPool(os.environ["DATABASE_URL"], kwargs={"autocommit": True}, open=True)


def to_records(legs: Iterable[Leg]) -> list[Record]:
    """Both sides of a period become one row. Pure."""
    periods: dict[str, list[Leg]] = {}
    for leg in legs:
        periods.setdefault(leg.delivery_hour, []).append(leg)
    return [_record(hour, sides) for hour, sides in periods.items()]


def _record(hour: str, sides: list[Leg]) -> Record:
    energy = sum((leg.energy for leg in sides), Decimal(0))
    turnover = sum((leg.turnover for leg in sides), Decimal(0))
    reference = sides[0].reference
    return {
        "delivery_hour": hour,
        "average": _rounded(turnover / energy if energy else None),
        "reference": _rounded(reference),
        "performance": _rounded(_result(sides, reference) / energy if energy and reference is not None else None),
        "trades": sum(leg.trade_count for leg in sides),
    }


def _result(sides: list[Leg], reference: Decimal) -> Decimal:
    """EUR gained against the reference: sold above it, bought below it."""
    gains = ((leg.turnover - leg.energy * reference) * (1 if leg.direction == "sell" else -1) for leg in sides)
    return sum(gains, Decimal(0))


def _rounded(value: Decimal | None) -> float | None:
    return None if value is None else round(float(value), 2)
