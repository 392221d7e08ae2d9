"""A history of ranges up to a year, over two years of positions of 15 traders, beside a query that reads the same rows.

The sums of its closed days are kept, as workers do it; beside that what a year costs without them, and what a day costs
to keep. Two years at 100 trades a minute are 105 million trades behind 525,600 positions; the trades are never read, so
none are made.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from django.db import connection

from bench.earnings_clock import clock_rows
from bench.table import Row, alternate, timed
from dashboard.figures.history import DayRange, load_history
from dashboard.figures.kept.keeping import days_to_keep, keep_day, keep_month, months_to_keep
from market.models import Market
from market.queries import market_by_code
from trades.models import Trader

YEAR = DayRange(date(2025, 1, 1), date(2025, 12, 31))
UNTIL_TODAY = DayRange(date(2024, 12, 15), date(2025, 12, 14))
"""As pages ask for a year: of its last two days nothing is kept yet, and no month of its ends is whole."""
NOW = datetime(2026, 1, 5, tzinfo=UTC)
MONTH = DayRange(date(2025, 6, 1), date(2025, 6, 30))

WHOLE = (("30 days", MONTH), ("a year", YEAR))

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
    both = (("a trader", trader), ("the desk (15 traders)", None))
    rows = [_measure(f"history of {who}, a year, nothing kept", market, one, YEAR) for who, one in both]
    rows.append(_keep(market, UNTIL_TODAY.first, UNTIL_TODAY.last - timedelta(days=2)))
    rows += [_measure(f"history of {who}, a year up to today", market, one, UNTIL_TODAY) for who, one in both]
    _keep(market, YEAR.first, YEAR.last)
    for who, one in both:
        rows += [_measure(f"history of {who}, {what}", market, one, days) for what, days in WHOLE]
    return rows + clock_rows()


def _keep(market: Market, first: date, last: date) -> Row:
    """What the worker does for these days."""
    days = [day for day in days_to_keep(market, NOW) if first <= day <= last]
    took = [timed(partial(keep_day, market, day)) for day in days]
    for month in months_to_keep(market):
        keep_month(market, month)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE dashboard_keptsum")
        cursor.execute("SELECT pg_total_relation_size('dashboard_keptsum') / count(*) FROM dashboard_kepthistory")
        note = f"{cursor.fetchone()[0] / 1000:.0f} kB"
    return Row("history: a closed day of the desk (15 traders) kept", "ms", median(took) * 1000, None, note)


def _fill(market: Market) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TRADERS)
        for statement in (_POSITIONS, _PRICES):
            cursor.execute(statement, {"market": market.pk})
        cursor.execute("TRUNCATE dashboard_keptsum, dashboard_kepthistory")  # an earlier run's
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
