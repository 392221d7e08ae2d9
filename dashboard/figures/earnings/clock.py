"""The clock of our earnings: what was made by hour of delivery and by time left to the last gate closure.

Cells are slices of a history (dashboard/figures/history.py) in its reading, against the same references, and add up to
its total exactly: energy MWh, turnover and results EUR. An hour counts each trade that touches it, all else each once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from dashboard.figures.earnings.clock_sql import CELL, CLOCK, TRADE_COLUMNS
from dashboard.figures.earnings.rows_clock_sql import rows_clock
from dashboard.figures.earnings.time_left import LIMITS, Left, leads
from dashboard.figures.history import DayRange, Slice, asked_with, slices
from dashboard.figures.history_sql import priced
from dashboard.figures.readings import Reading
from market.models import Market
from market.periods import DeliveryPeriod
from market.rules import BLOCK
from market.statements.planning import planned_by_values
from trades.models import Trader

MOST_TRADES = 500
"""Of a cell, the newest; a page of more is no list that anybody reads."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which trades count: of a range, a trader (None: the whole desk), a product (minutes, or BLOCK), people or bots.

    A reading says which rows what was traded is held against.
    """

    market: Market
    trader: Trader | None
    days: DayRange
    reading: Reading = Reading.PRODUCT
    product: int | None = None
    bots: bool | None = None
    side: str = ""
    """"sell", "buy", or both."""

    def parameters(self) -> dict[str, Any]:
        """What the statements of clock_sql.py are asked with."""
        lead = timedelta(minutes=self.market.gate_closure_minutes)
        rules = leads(self.market.dated.gates, first=self.days.first, last=self.days.last, default_lead=lead)
        length = None if self.product is None else timedelta(minutes=120 if self.product == BLOCK else self.product)
        return asked_with(self.market, self.trader, self.days, self.reading) | {
            "product": length,
            "bots": self.bots,
            "limits": list(LIMITS),
            "lengths": [rule.length for rule in rules],
            "from": [rule.valid_from for rule in rules],
            "until": [rule.until for rule in rules],
            "own": [rule.own for rule in rules],
            "hour_lead": [rule.hour for rule in rules],
        }


@dataclass(frozen=True, slots=True)
class EarningsClock:
    """By (hour of delivery 0 to 23, time left); only what was traded is there."""

    cells: Mapping[tuple[int, Left], Slice]
    hours: Mapping[int, Slice]
    steps: Mapping[Left, Slice]
    total: Slice


def load_clock(wanted: Wanted) -> EarningsClock:
    """One query, beside the market's rules."""
    minutes = wanted.reading.minutes
    by_product = priced(CLOCK, wanted.market, wanted.reading, beside="step,")
    rows = _read(rows_clock(wanted.market, minutes) if minutes else by_product, wanted.parameters())
    rows = [row for row in rows if wanted.side in {"", row[2]}]
    found = slices(((hour, step), *sums) for hour, step, *sums in rows)
    return EarningsClock(
        cells={(hour, Left(step)): part for (hour, step), part in found.items() if None not in {hour, step}},
        hours={hour: part for (hour, step), part in found.items() if step is None and hour is not None},
        steps={Left(step): part for (hour, step), part in found.items() if hour is None and step is not None},
        total=found.get((None, None), Slice()),
    )


@dataclass(frozen=True, slots=True)
class CellTrade:
    """A trade of a cell as it counts: its own facts, and what of it is delivered in the cell's hour."""

    exchange_id: str
    trader: int
    label: str
    price: Decimal
    quantity: Decimal
    executed_at: datetime
    period: DeliveryPeriod
    delivery_day: date
    direction: str
    energy: Decimal
    turnover: Decimal
    result: Decimal | None
    """EUR against the reference; None while undefined."""
    time_left: timedelta


def load_cell(wanted: Wanted, *, hour: int | None, step: Left | None) -> tuple[list[CellTrade], int]:
    """The newest trades of a cell, or of a margin (None: every hour, every step), and how many there are. One query."""
    asked = {"hour": hour, "step": step, "side": wanted.side, "most": MOST_TRADES}
    asked = wanted.parameters() | asked
    rows = _read(priced(CELL, wanted.market, wanted.reading, beside=TRADE_COLUMNS), asked)
    return [_trade(wanted.market, row) for row in rows], rows[0][-1] if rows else 0


def _trade(market: Market, row: tuple[Any, ...]) -> CellTrade:
    _, exchange_id, trader, label, price, quantity, executed_at, start, end, day, side, energy, turnover, result, _ = (
        row
    )
    period = DeliveryPeriod(start, end)
    left = market.gate_closure(day, period) - executed_at
    facts = exchange_id, trader, label, price, quantity, executed_at, period, day, side
    return CellTrade(*facts, energy, turnover, result, left)


def _read(statement: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    with planned_by_values(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")  # a year's groups are hashed, not sorted on disk
        cursor.execute(statement, asked)
        return list(cursor.fetchall())
