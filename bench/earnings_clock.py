"""The clock of earnings of a trader's year, 165 trades a day, by product and by quarter hour, beside a plain sum.

A market of its own, so that what else was measured here is in none of it: hours, halves and quarter hours in equal
parts, with a price of every one of them.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection

from bench.table import Row, alternate, timed
from dashboard.figures.earnings.clock import Wanted, load_clock
from dashboard.figures.history import DayRange
from dashboard.figures.readings import Reading
from market.models import Market
from trades.models import Trade, Trader

YEAR = DayRange(date(2025, 1, 1), date(2025, 12, 31))
A_DAY = 165

_TRADES = """INSERT INTO trades_trade (market_id, source, source_position, exchange_id, trader_id, direction, price,
        quantity, delivery_day, delivery_hour, delivery_start, delivery_end, execution_time, received_at, flags)
    SELECT %(market)s, 'earnings', n, 'earnings-' || day::date || '-' || n, %(trader)s,
        CASE WHEN random() < 0.8 THEN 'sell' ELSE 'buy' END, round((40 + 60 * (random() - 0.4))::numeric, 2),
        (1 + floor(random() * 50)) / 10, day::date, to_char(starts AT TIME ZONE 'Europe/Berlin', 'HH24:MI'), starts,
        starts + length, starts - interval '5 minutes' - random() * interval '20 hours', starts, '{}'
    FROM generate_series(%(first)s::date::timestamp, %(last)s::date::timestamp, interval '1 day') AS day,
        generate_series(1, %(a_day)s) AS n,
        LATERAL (SELECT (ARRAY[interval '1 hour', '30 minutes', '15 minutes'])[1 + n %% 3] AS length) AS product,
        LATERAL (SELECT (day + interval '3 hours') AT TIME ZONE 'Europe/Berlin'
            + floor(random() * 20 * 3600 / extract(epoch FROM length)) * length AS starts) AS period"""
_PRICES = """INSERT INTO prices_referenceprice (market_id, delivery_day, delivery_hour, delivery_start, delivery_end,
        value, last_update, arrived_at, revision)
    SELECT %(market)s, (starts AT TIME ZONE 'Europe/Berlin')::date, '', starts, starts + length,
        (random() * 80)::numeric(10, 4), starts, starts, 140
    FROM unnest(ARRAY[interval '1 hour', '30 minutes', '15 minutes']) AS length,
        generate_series(%(first)s::date::timestamp AT TIME ZONE 'Europe/Berlin',
            (%(last)s::date + 1)::timestamp AT TIME ZONE 'Europe/Berlin' - length, length) AS starts"""


def clock_rows() -> list[Row]:
    """By product, hour and quarter hour; part of `BENCH=history`."""
    market, _ = Market.objects.get_or_create(code="EARN", defaults={"name": "Earnings", "is_active": False})
    trader, _ = Trader.objects.get_or_create(trader_id="earnings_1")
    if not Trade.objects.filter(market=market).exists():
        _fill(market, trader)
    return [_measure(market, trader, reading) for reading in (Reading.PRODUCT, Reading.HOUR, Reading.QUARTER)]


def _fill(market: Market, trader: Trader) -> None:
    asked: dict[str, Any] = {
        "market": market.pk,
        "trader": trader.pk,
        "first": YEAR.first,
        "last": YEAR.last,
        "a_day": A_DAY,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TRADES, asked)
        cursor.execute(_PRICES, asked)
        cursor.execute("VACUUM ANALYZE trades_trade")
        cursor.execute("VACUUM ANALYZE prices_referenceprice")


def _measure(market: Market, trader: Trader, reading: Reading) -> Row:
    def floor() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*), sum(quantity), sum(quantity * price) FROM trades_trade"
                " WHERE market_id = %s AND trader_id = %s AND delivery_day BETWEEN %s AND %s",
                [market.pk, trader.pk, YEAR.first, YEAR.last],
            )
            cursor.fetchall()

    def ours() -> None:
        load_clock(Wanted(market, trader, YEAR, reading))

    ours()
    measured = alternate(lambda: timed(ours), lambda: timed(floor), 9)
    what = f"the clock of earnings, a year of one trader (60,225 trades), by {reading.value}; floor: their plain sum"
    return Row(what, "ms", measured[0] * 1000, measured[1] * 1000)
