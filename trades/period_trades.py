"""The trades of one trader and period as they count now, and those that count no longer. No writes.

A trade belongs to the period of its newest correction, else of its confirmation; a cancelled one stays where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from market.periods import DeliveryPeriod


@dataclass(frozen=True, slots=True)
class PeriodKey:
    """One position of either direction: trader and market by primary key, the delivery day, the period."""

    trader_pk: int
    market_pk: int
    day: date
    period: DeliveryPeriod


@dataclass(frozen=True, slots=True)
class PeriodTrade:
    """One trade with its facts as they are now: `price` EUR/MWh, `quantity` MW, times UTC.

    `change` is "corrected", "cancelled" or empty, `reason` why; a cancelled trade counts in nothing.
    """

    pk: int
    exchange_id: str
    direction: str
    price: Decimal
    quantity: Decimal
    execution_time: datetime
    received_at: datetime
    flags: tuple[str, ...]
    change: str
    reason: str

    @property
    def counts(self) -> bool:
        return self.change != "cancelled"


@dataclass(frozen=True, slots=True)
class TradeState:
    """How many trades (the cancelled too) and changes of them a period has, and the newest of both; 0 without any."""

    trades: int
    cancelled: int
    newest: int
    changes: int


_OF_PERIOD = """WITH candidates AS (
        SELECT id FROM trades_trade WHERE market_id = %(market)s AND trader_id = %(trader)s AND delivery_day = %(day)s
            AND delivery_start = %(start)s AND delivery_end = %(end)s
        UNION SELECT trade_id FROM trades_tradechange
            WHERE trader_id = %(trader)s AND delivery_day = %(day)s AND delivery_start = %(start)s
                AND delivery_end = %(end)s),
    changes AS (SELECT * FROM trades_tradechange WHERE trade_id IN (SELECT id FROM candidates)),
    newest AS (SELECT DISTINCT ON (trade_id) trade_id, id, kind, reason FROM changes ORDER BY trade_id, id DESC),
    facts AS (SELECT DISTINCT ON (trade_id) * FROM changes WHERE kind = 'corrected' ORDER BY trade_id, id DESC),
    mine AS (SELECT t.id, t.exchange_id, coalesce(f.direction, t.direction) AS direction,
            coalesce(f.price, t.price) AS price, coalesce(f.quantity, t.quantity) AS quantity, t.execution_time,
            t.received_at, t.flags, coalesce(n.kind, '') AS kind, coalesce(n.reason, '') AS reason, n.id AS change
        FROM candidates JOIN trades_trade AS t USING (id)
        LEFT JOIN newest AS n ON n.trade_id = t.id LEFT JOIN facts AS f ON f.trade_id = t.id
        WHERE t.market_id = %(market)s AND coalesce(f.trader_id, t.trader_id) = %(trader)s
            AND coalesce(f.delivery_day, t.delivery_day) = %(day)s
            AND coalesce(f.delivery_start, t.delivery_start) = %(start)s
            AND coalesce(f.delivery_end, t.delivery_end) = %(end)s)
"""
_STATE = f"""{_OF_PERIOD} SELECT count(*), count(*) FILTER (WHERE kind = 'cancelled'), coalesce(max(id), 0),
    coalesce(max(change), 0) FROM mine"""  # noqa: S608 - our own text
_LIST = f"""{_OF_PERIOD} SELECT id, exchange_id, direction, price, quantity, execution_time, received_at, flags, kind,
    reason FROM mine WHERE id > %(after)s ORDER BY execution_time DESC, id DESC OFFSET %(skip)s LIMIT %(most)s"""  # noqa: S608 - our own text


def trade_state(*, key: PeriodKey) -> TradeState:
    """Whether a list of the period's trades is still right, without reading it. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, _arguments(key))
        return TradeState(*cursor.fetchone())


def trades_of_period(*, key: PeriodKey, after: int = 0, skip: int = 0, most: int | None = None) -> list[PeriodTrade]:
    """The period's trades, newest execution first, those that were cancelled among them. One query.

    `after` leaves out trades up to that primary key, `skip` and `most` take a page of the list.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LIST, {**_arguments(key), "after": after, "skip": skip, "most": most})
        return [PeriodTrade(*(*row[:7], tuple(row[7]), *row[8:])) for row in cursor.fetchall()]


def _arguments(key: PeriodKey) -> dict[str, Any]:
    return {
        "market": key.market_pk,
        "trader": key.trader_pk,
        "day": key.day,
        "start": key.period.start,
        "end": key.period.end,
    }
