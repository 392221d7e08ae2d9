"""The page of assumptions: a year of one trader with 5,000 of them, alone and beside a million of four others.

Asked of a web process as a browser asks, with the trader's own trades of the year behind it. Each assumption is
about one hour of a random day, frozen at a stored price and judged by the stored final.
"""

from __future__ import annotations

import statistics
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from django.db import connection, transaction

from bench.desk import Login, log_in, web
from bench.history_data import generate_day, generate_prices, generated_traders
from bench.table import Row, timed

DAYS, LAST = 365, date(2026, 10, 31)
FIRST = LAST - timedelta(days=DAYS - 1)
OWN, STORED, OTHERS = 5_000, 1_000_000, 4
TRADES_A_DAY = 120 * (OTHERS + 1)
WARM_UP, ROUNDS = 15, 30
"""Requests: what a connection repeats PostgreSQL may plan anew, and worse, from its ninth time on."""
WHAT = "assumptions, a year of one trader with 5,000"

_PICKED = """CREATE TEMPORARY TABLE picked AS
    SELECT nextval(pg_get_serial_sequence('dashboard_assumption', 'id')) AS id, p.market_id, p.delivery_day,
        p.delivery_hour, p.delivery_start, p.delivery_end, p.value AS final, p.last_update AS final_at,
        p.delivery_start - interval '5 minutes' AS gate, f.value, f.last_update,
        f.last_update + interval '4 minutes' AS created, f.value - b.value AS change,
        (%(traders)s::bigint[])[1 + w.n %% %(many)s] AS trader_id, (ARRAY['up', 'down'])[1 + w.n %% 2] AS claim,
        (ARRAY['wind update', 'trend', 'gut feeling', 'outage', 'solar'])[1 + w.n %% 5] AS tag, w.n
    FROM (SELECT n, 1 + floor(random() * %(prices)s)::int AS price, 1 + floor(random() * 4)::int AS age
        FROM generate_series(1, %(count)s) AS n) AS w
    JOIN (SELECT *, row_number() OVER (ORDER BY delivery_start) AS number FROM prices_referenceprice
        WHERE market_id = %(market)s AND delivery_day BETWEEN %(first)s AND %(last)s) AS p ON p.number = w.price
    JOIN prices_referencepricehistory AS f ON f.market_id = p.market_id AND f.delivery_start = p.delivery_start
        AND f.delivery_end = p.delivery_end AND f.last_update = p.last_update - w.age * interval '10 minutes'
    JOIN prices_referencepricehistory AS b ON b.market_id = p.market_id AND b.delivery_start = p.delivery_start
        AND b.delivery_end = p.delivery_end AND b.last_update = f.last_update - interval '10 minutes'"""
_FILL = (
    """INSERT INTO dashboard_assumption (id, market_id, trader_id, author_id, created_at, delivery_day, reading, claim,
            threshold, broken_at, confidence, quantity, tags, reason, late)
        SELECT id, market_id, trader_id, (SELECT min(id) FROM auth_user), created, delivery_day, 'product', claim,
            NULL, 5, CASE WHEN n % 3 = 0 THEN 70 END, CASE WHEN n % 2 = 0 THEN 10 END, ARRAY[tag],
            'the newest forecast has less wind than the one that the market trades on', false FROM picked""",
    """INSERT INTO dashboard_assumedperiod (assumption_id, delivery_hour, delivery_start, delivery_end,
            reference_start, reference_end, gate_closes_at, net_mwh)
        SELECT id, delivery_hour, delivery_start, delivery_end, delivery_start, delivery_end, gate, 0 FROM picked""",
    """INSERT INTO dashboard_frozenprice (period_id, value, last_update, last_change, frozen_at)
        SELECT p.id, value, last_update, change, created FROM picked
        JOIN dashboard_assumedperiod AS p ON p.assumption_id = picked.id""",
    """INSERT INTO dashboard_verdictrecord (period_id, verdict, final_price, final_updated_at, move, judged_at)
        SELECT p.id, CASE WHEN final = value THEN 'flat' WHEN (final > value) = (claim = 'up') THEN 'right'
            ELSE 'wrong' END, final, final_at, final - value, final_at
        FROM picked JOIN dashboard_assumedperiod AS p ON p.assumption_id = picked.id""",
    "DROP TABLE picked",
    "VACUUM ANALYZE",
)


def run(_folder: Path) -> list[Row]:
    from market.queries import market_by_code

    market, traders = market_by_code("DE"), generated_traders(count=OTHERS + 1)
    for number in range(DAYS):
        day, seed = FIRST + timedelta(days=number), number / DAYS
        generate_day(market=market, day=day, traders=traders, count=TRADES_A_DAY, seed=seed)
        generate_prices(market=market, day=day, seed=seed)
    traders.sort(key=lambda trader: trader.trader_id)
    login = log_in(traders[0].trader_id)
    _empty()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with web() as (address, _):
        _fill(market.pk, [traders[0].pk], OWN)
        alone = _milliseconds(address, login)
        _fill(market.pk, [trader.pk for trader in traders[1:]], STORED - OWN)
        among = _milliseconds(address, login)
    trades = f"{TRADES_A_DAY * DAYS // (OTHERS + 1):,} own trades; median of {ROUNDS}"
    return [
        Row(WHAT, "ms", alone, None, trades),
        Row(f"{WHAT} of a million stored; floor: 5,000 stored", "ms", among, alone, trades),
    ]


def _empty() -> None:
    """Without what an earlier run left. Nobody may do that on a desk: triggers and the database's role forbid it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("TRUNCATE dashboard_assumption CASCADE")
        for table in (
            "assumption",
            "assumedperiod",
            "frozenprice",
            "verdictrecord",
        ):  # vacuumed below, not while measured
            cursor.execute(f"ALTER TABLE dashboard_{table} SET (autovacuum_enabled = off)")


def _fill(market_pk: int, traders: list[int], count: int) -> None:
    """So many assumptions more, all of them judged."""
    asked: dict[str, Any] = {"market": market_pk, "first": FIRST, "last": LAST, "count": count}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM prices_referenceprice WHERE market_id = %(market)s"
            " AND delivery_day BETWEEN %(first)s AND %(last)s",
            asked,
        )
        (prices,) = cursor.fetchone() or (0,)
        cursor.execute("SET enable_nestloop = off")  # few periods are expected where there are thousands: for ever
        cursor.execute(_PICKED, {**asked, "prices": prices, "traders": traders, "many": len(traders)})
        cursor.execute("RESET enable_nestloop")
        for statement in _FILL:
            cursor.execute(statement)


def _milliseconds(address: str, login: Login) -> float:
    """Of the year's whole page."""
    request = Request(f"{address}/assumptions/?from={FIRST}&to={LAST}", headers={"Cookie": login.cookie})

    def ask() -> None:
        with urlopen(request) as answer:
            answer.read()

    for _ in range(WARM_UP):
        ask()
    return statistics.median(timed(ask) for _ in range(ROUNDS)) * 1000
