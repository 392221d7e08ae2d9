"""Our average, the market's, and what we made over it: by product, month and year, and day by day.

Energy with a reference alone: MWh; turnover, EUR; at the market, EUR: the same energy at its reference prices. What is
over the market is the history's result (dashboard/figures/history.py), exactly, side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import TypeVar

from django.db import connection

from dashboard.figures.earnings.clock import Wanted
from dashboard.figures.history_sql import priced
from market.statements.planning import planned_by_values
from market.totals import EXACT, ZERO

_Key = TypeVar("_Key", bound=Hashable)

AGAINST_MARKET = """
    WITH products AS (
        SELECT delivery_day, delivery_start, delivery_end, direction,
            least(delivery_end - delivery_start, interval '2 hours') AS length,
            sum(trade_count) AS trades, sum(energy) AS energy, sum(turnover) AS turnover
        FROM trades_position
        WHERE market_id = %(market)s AND delivery_day BETWEEN %(first)s AND %(last)s AND trade_count > 0
            AND (%(trader)s::bigint IS NULL OR trader_id = %(trader)s)
            AND (%(product)s::interval IS NULL
                OR least(delivery_end - delivery_start, interval '2 hours') = %(product)s)
            AND (%(bots)s::boolean IS NULL OR trader_id IN (SELECT id FROM trades_trader WHERE is_bot = %(bots)s))
            AND (%(side)s = '' OR direction = %(side)s)
        GROUP BY 1, 2, 3, 4, 5
    ), HELD
    SELECT delivery_day, products_length, direction, sum(energy), sum(turnover), sum(energy * value)
    FROM (SELECT *, length AS products_length FROM PRICES) AS of_product WHERE value IS NOT NULL GROUP BY 1, 2, 3"""


@dataclass(frozen=True, slots=True)
class Leg:
    """One side: MWh, and what they cost or brought, here and at the market's prices (EUR)."""

    energy: Decimal = ZERO
    turnover: Decimal = ZERO
    at_market: Decimal = ZERO

    def __add__(self, other: Leg) -> Leg:
        with localcontext(EXACT):
            return Leg(self.energy + other.energy, self.turnover + other.turnover, self.at_market + other.at_market)

    @property
    def ours(self) -> Decimal | None:
        """Our average price, EUR/MWh."""
        return EXACT.divide(self.turnover, self.energy) if self.energy else None

    @property
    def market(self) -> Decimal | None:
        """The market's average for the same energy, EUR/MWh."""
        return EXACT.divide(self.at_market, self.energy) if self.energy else None


@dataclass(frozen=True, slots=True)
class AgainstMarket:
    """Both sides of a part of the range."""

    sold: Leg = Leg()
    bought: Leg = Leg()

    def __add__(self, other: AgainstMarket) -> AgainstMarket:
        return AgainstMarket(self.sold + other.sold, self.bought + other.bought)

    @property
    def energy(self) -> Decimal:
        """MWh with a reference, sold and bought."""
        return EXACT.add(self.sold.energy, self.bought.energy)

    @property
    def over(self) -> Decimal | None:
        """EUR: sold above the market, and bought below it; None of nothing."""
        if not self.energy:
            return None
        with localcontext(EXACT):
            return (self.sold.turnover - self.sold.at_market) + (self.bought.at_market - self.bought.turnover)

    @property
    def over_per_mwh(self) -> Decimal | None:
        """The same per MWh."""
        return None if self.over is None else EXACT.divide(self.over, self.energy)


@dataclass(frozen=True, slots=True)
class MarketComparison:
    """Each in order; only what has a reference. `products` by minutes, 0 for blocks; `months` by their first day."""

    days: tuple[tuple[date, AgainstMarket], ...]
    products: tuple[tuple[int, AgainstMarket], ...]
    months: tuple[tuple[date, AgainstMarket], ...]
    years: tuple[tuple[int, AgainstMarket], ...]
    total: AgainstMarket


_Row = tuple[date, timedelta, AgainstMarket]


def load_against_market(wanted: Wanted) -> MarketComparison:
    """One query, beside the market's rules."""
    with planned_by_values(), connection.cursor() as cursor:
        statement = priced(AGAINST_MARKET, wanted.market, wanted.reading, beside="length,")
        cursor.execute(statement, wanted.parameters() | {"side": wanted.side})
        rows = [(day, length, _of(side, Leg(*sums))) for day, length, side, *sums in cursor.fetchall()]
    return MarketComparison(
        days=_by(rows, lambda row: row[0]),
        products=_by(rows, lambda row: _minutes(row[1])),
        months=_by(rows, lambda row: row[0].replace(day=1)),
        years=_by(rows, lambda row: row[0].year),
        total=_sum(part for _, _, part in rows),
    )


def _of(side: str, leg: Leg) -> AgainstMarket:
    return AgainstMarket(sold=leg) if side == "sell" else AgainstMarket(bought=leg)


def _minutes(length: timedelta) -> int:
    return int(length / timedelta(minutes=1)) % 120


def _by(rows: Sequence[_Row], key: Callable[[_Row], _Key]) -> tuple[tuple[_Key, AgainstMarket], ...]:
    parts: dict[_Key, AgainstMarket] = {}
    for row in rows:
        parts[key(row)] = parts.get(key(row), AgainstMarket()) + row[2]
    return tuple(sorted(parts.items(), key=lambda item: item[0]))  # type: ignore[arg-type, return-value]


def _sum(parts: Iterable[AgainstMarket]) -> AgainstMarket:
    return sum(parts, AgainstMarket())
