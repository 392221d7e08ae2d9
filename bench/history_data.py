"""Made-up trades by the million, with exact positions and courses: for trying out big tables, never for a real desk.

PostgreSQL makes the rows itself, a delivery day at a time; each day is one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from market.models import Market
from prices.models import ReferencePrice
from trades.models import Trade, Trader

POINTS = 6

_COLUMNS = "market_id, delivery_day, delivery_hour, delivery_start, delivery_end, value, last_update, arrived_at"

_HISTORY = f"""INSERT INTO prices_referencepricehistory ({_COLUMNS})
    SELECT %(market)s, %(day)s, label, starts, ends, round((40 + 40 * (random() - 0.4))::numeric, 2),
        starts - n * interval '10 minutes', starts - n * interval '10 minutes' + interval '10 seconds'
    FROM unnest(%(labels)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS p (label, starts, ends),
        generate_series(0, %(points)s) AS n"""

_LATEST = f"""INSERT INTO prices_referenceprice ({_COLUMNS}, revision)
    SELECT {_COLUMNS}, 1 FROM (SELECT DISTINCT ON (delivery_start) * FROM prices_referencepricehistory
        WHERE market_id = %(market)s AND delivery_day = %(day)s ORDER BY delivery_start, last_update DESC
    ) AS newest"""

SOURCE = "generated"
TRADER_PREFIX = "generated_"
_QUANTITY = "(1 + floor(random() * 50)) / 10"


def is_empty_but_for_generated() -> bool:
    """Whether no real trade is in this database."""
    return not Trade.objects.exclude(source__startswith=SOURCE).exists()


def generated_traders(*, count: int) -> list[Trader]:
    """`count` traders with made-up ids; those that are not there yet are added."""
    names = [f"{TRADER_PREFIX}{number + 1}" for number in range(count)]
    Trader.objects.bulk_create([Trader(trader_id=name) for name in names], ignore_conflicts=True)
    return list(Trader.objects.filter(trader_id__in=names))


def generate_day(*, market: Market, day: date, traders: Sequence[Trader], count: int, seed: float) -> None:
    """`count` trades of one delivery day, evenly over traders and periods, and what they add up to.

    Executed in the 20 hours before each period. A day that has been made before is left as it is.
    """
    source = f"{SOURCE}-{market.code}-{day}"
    if Trade.objects.filter(market=market, delivery_day=day, source=source).exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT setseed(%s)", [seed])
        cursor.execute("SET LOCAL enable_nestloop = off")  # a table that grows so fast has no statistics yet
        insert_trades(cursor, market, day, [trader.pk for trader in traders], count, source)
        _insert_positions(cursor, market, day, source)


def insert_trades(
    cursor: CursorWrapper, market: Market, day: date, traders: list[int], count: int, source: str
) -> None:
    periods = market.day_periods(day)
    labels = [market.label_of(period) for period in periods]
    cursor.execute(
        f"""INSERT INTO trades_trade (market_id, source, source_position, exchange_id, trader_id, direction, price,
               quantity, delivery_day, delivery_hour, delivery_start, delivery_end, execution_time, received_at, flags)
           SELECT %(market)s, %(source)s::text, n, %(source)s::text || '-' || n,
               (%(traders)s::bigint[])[1 + n %% %(many)s],
               CASE WHEN random() < 0.8 THEN 'sell' ELSE 'buy' END, round((40 + 60 * (random() - 0.4))::numeric, 2),
               {_QUANTITY}, %(day)s, label, starts, ends, executed, executed + interval '40 ms', '{{}}'
           FROM (SELECT n, label, starts, ends,
                     starts - interval '5 minutes' - random() * interval '20 hours' AS executed
                 FROM generate_series(0, %(count)s - 1) AS n
                 JOIN unnest(%(labels)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
                   WITH ORDINALITY AS p (label, starts, ends, number)
                   ON p.number = 1 + (n / %(many)s) %% %(periods)s) AS made""",
        {
            "market": market.pk,
            "source": source,
            "traders": traders,
            "many": len(traders),
            "day": day,
            "count": count,
            "labels": labels,
            "starts": [period.start for period in periods],
            "ends": [period.end for period in periods],
            "periods": len(periods),
        },
    )


def _insert_positions(cursor: CursorWrapper, market: Market, day: date, source: str) -> None:
    key = "trader_id, direction, delivery_hour, delivery_start, delivery_end"
    hours = "extract(epoch FROM delivery_end - delivery_start) / 3600"
    of_the_day = "FROM trades_trade WHERE market_id = %s AND delivery_day = %s AND source = %s"
    cursor.execute(
        f"""INSERT INTO trades_position (market_id, delivery_day, {key}, trade_count, quantity, energy, turnover,
               revision)
           SELECT %s, %s, {key}, count(*), sum(quantity), sum(quantity * {hours}), sum(price * quantity * {hours}), 1
           {of_the_day} GROUP BY {key}""",
        [market.pk, day, market.pk, day, source],
    )
    cursor.execute(
        f"""INSERT INTO trades_positionslot (position_id, slot, trade_count, energy, turnover)
           SELECT p.id, t.slot, t.n, t.mwh, t.eur FROM (
               SELECT {key}, floor(extract(epoch FROM execution_time) / 600)::bigint AS slot, count(*) AS n,
                   sum(quantity * {hours}) AS mwh, sum(price * quantity * {hours}) AS eur
               {of_the_day} GROUP BY {key}, slot) AS t
           JOIN trades_position p USING ({key}) WHERE p.market_id = %s AND p.delivery_day = %s""",
        [market.pk, day, source, market.pk, day],
    )


def generate_prices(*, market: Market, day: date, seed: float) -> None:
    """Prices of every period of the day. A day that has any is left as it is."""
    if ReferencePrice.objects.filter(market=market, delivery_day=day).exists():
        return
    periods = market.day_periods(day)
    parameters: dict[str, Any] = {
        "market": market.pk,
        "day": day,
        "labels": [market.label_of(period) for period in periods],
        "starts": [period.start for period in periods],
        "ends": [period.end for period in periods],
        "points": POINTS,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT setseed(%s)", [seed])
        cursor.execute(_HISTORY, parameters)
        cursor.execute(_LATEST, parameters)
