"""A history of ranges up to a year, over two years of positions of 15 traders, beside a query that reads the same rows.

Two years at 100 trades a minute are 105 million trades behind 525,600 positions; the trades are never read, so none
are made.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from django.db import connection

from bench.table import Row, alternate, timed
from dashboard.figures.history import DayRange, load_history
from market.models import Market
from market.queries import market_by_code
from trades.models import Trader

YEAR = DayRange(date(2025, 1, 1), date(2025, 12, 31))
MONTH = DayRange(date(2025, 6, 1), date(2025, 6, 30))

_TRADERS = """INSERT INTO trades_trader (trader_id, name, is_bot, is_known, first_seen_at)
    SELECT 'history_' || n, '', false, true, now() FROM generate_series(1, 15) AS n ON CONFLICT DO NOTHING"""
_PERIODS = """SELECT %(market)s AS market_id, (start AT TIME ZONE 'Europe/Berlin')::date AS delivery_day,
    to_char(start AT TIME ZONE 'Europe/Berlin', 'HH24') AS delivery_hour, start AS delivery_start,
    start + interval '1 hour' AS delivery_end
    FROM generate_series(timestamptz '2023-12-31 23:00Z', '2025-12-31 22:00Z', interval '1 hour') AS start"""
_POSITIONS = f"""INSERT INTO trades_position (market_id, trader_id, direction, delivery_day, delivery_hour,
    delivery_start, delivery_end, trade_count, quantity, energy, turnover, revision)
    SELECT market_id, t.id, d, delivery_day, delivery_hour, delivery_start, delivery_end, 200, 480.5 + t.id,
    480.5 + t.id, (480.5 + t.id) * (random() * 80)::numeric(10, 4), 200
    FROM ({_PERIODS}) AS p, trades_trader AS t, unnest(ARRAY['sell', 'buy']) AS d
    WHERE t.trader_id LIKE 'history_%%' ON CONFLICT DO NOTHING"""
_PRICES = f"""INSERT INTO prices_referenceprice (market_id, delivery_day, delivery_hour, delivery_start, delivery_end,
    value, last_update, arrived_at, revision)
    SELECT *, (random() * 80)::numeric(10, 4), delivery_start, delivery_start, 140 FROM ({_PERIODS}) AS p
    ON CONFLICT DO NOTHING"""


def run(_folder: Path) -> list[Row]:
    market = market_by_code("DE")
    _fill(market)
    trader = Trader.objects.get(trader_id="history_1")
    cases = (
        ("history of a trader, 30 days", trader, MONTH),
        ("history of a trader, a year", trader, YEAR),
        ("history of the desk (15 traders), 30 days", None, MONTH),
        ("history of the desk (15 traders), a year", None, YEAR),
    )
    return [_measure(what, market, trader, days) for what, trader, days in cases]


def _fill(market: Market) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TRADERS)
        for statement in (_POSITIONS, _PRICES):
            cursor.execute(statement, {"market": market.pk})
        cursor.execute("VACUUM ANALYZE trades_position")
        cursor.execute("VACUUM ANALYZE prices_referenceprice")


def _measure(what: str, market: Market, trader: Trader | None, days: DayRange) -> Row:
    asked = {"market": market.pk, "trader": trader.pk if trader else None, "first": days.first, "last": days.last}

    def floor() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*), sum(energy), sum(turnover) FROM trades_position WHERE market_id = %(market)s"
                " AND delivery_day BETWEEN %(first)s AND %(last)s"
                " AND (%(trader)s::bigint IS NULL OR trader_id = %(trader)s)",
                asked,
            )
            cursor.fetchall()

    def ours() -> None:
        load_history(market=market, trader=trader, days=days)

    measured = alternate(lambda: timed(ours), lambda: timed(floor), 9)
    return Row(f"{what}; floor: their plain sum", "ms", measured[0] * 1000, measured[1] * 1000)
