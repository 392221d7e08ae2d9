"""The statements that add a history up: what was held, by which rows, against whose prices. Our own text, no input."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.figures.readings import Reading
from market.models import Market

SUMS = """sum(energy), sum(turnover),
        sum(CASE direction WHEN 'sell' THEN turnover - energy * value ELSE energy * value - turnover END),
        coalesce(sum(energy) FILTER (WHERE value IS NOT NULL), 0),
        coalesce(sum(energy) FILTER (WHERE value IS NULL), 0),
        coalesce(sum(energy) FILTER (WHERE value IS NOT NULL AND source = 'hour'), 0)"""
"""MWh, EUR, result in EUR (NULL without any reference price), MWh with a reference price, without one, and with
their hour's as a stand-in."""

_OWN_PRICES = """(SELECT held.*, 'own' AS source, price.value FROM held LEFT JOIN prices_referenceprice AS price
        ON price.market_id = %(market)s AND price.delivery_day BETWEEN %(first)s AND %(last)s
        AND price.delivery_day = held.delivery_day
        AND price.delivery_start = held.delivery_start AND price.delivery_end = held.delivery_end) AS priced"""
_RULED_PRICES = """(SELECT held.*, rule.source, coalesce(price.value, mean.value) AS value FROM held
        LEFT JOIN LATERAL (SELECT source FROM market_referencerule AS r
            WHERE r.market_id = %(market)s AND r.valid_from <= held.delivery_day
                AND r.minutes = CASE WHEN held.delivery_end - held.delivery_start > interval '1 hour' THEN 0
                    ELSE extract(epoch FROM held.delivery_end - held.delivery_start) / 60 END
            ORDER BY r.valid_from DESC LIMIT 1) AS rule ON true
        LEFT JOIN prices_referenceprice AS price
        ON price.market_id = %(market)s AND price.delivery_day BETWEEN %(first)s AND %(last)s
        AND price.delivery_day = held.delivery_day AND rule.source IS DISTINCT FROM 'none'
        AND price.delivery_start = CASE rule.source WHEN 'hour' THEN date_trunc('hour', held.delivery_start, 'UTC')
            ELSE held.delivery_start END
        AND price.delivery_end = CASE rule.source
            WHEN 'hour' THEN date_trunc('hour', held.delivery_start, 'UTC') + interval '1 hour'
            ELSE held.delivery_end END
        AND (rule.source IS DISTINCT FROM 'hour' OR held.delivery_end <= price.delivery_end)
        LEFT JOIN LATERAL (SELECT round(sum(p.value) * 1.0000000000 / count(*), 10) AS value
            FROM prices_referenceprice AS p
            WHERE p.market_id = %(market)s AND p.delivery_day = held.delivery_day
                AND p.delivery_start >= held.delivery_start AND p.delivery_end <= held.delivery_end
                AND p.delivery_end - p.delivery_start = interval '1 hour'
            HAVING count(*) * interval '1 hour' = held.delivery_end - held.delivery_start) AS mean
        ON rule.source = 'hour' AND held.delivery_end - held.delivery_start > interval '1 hour') AS priced"""
"""Each position's reference: its own price, or by the market's rule of its day its hour's (a block's: the mean of its
hours', rounded as prices are stored: references.mean), or none."""

_PRODUCTS = "held AS (SELECT *, trades AS touching FROM products)"
_ROWS = """held AS (
        SELECT delivery_day, row AS delivery_start, row + %(length)s AS delivery_end, WHO direction,
            CASE WHEN row = first THEN trades ELSE 0 END AS trades,
            CASE WHEN row IN (first, date_trunc('hour', row, 'UTC')) THEN trades ELSE 0 END AS touching,
            part_energy AS energy, part_turnover AS turnover
        FROM (SELECT *, energy * 1.0000000000 / parts AS part_energy, turnover * 1.0000000000 / parts AS part_turnover
            FROM (SELECT *, date_bin(%(length)s, delivery_start, 'epoch') AS first, greatest(1,
                extract(epoch FROM delivery_end - delivery_start)::int / extract(epoch FROM %(length)s)::int) AS parts
                FROM products OFFSET 0) AS parted OFFSET 0) AS p,
            generate_series(first, delivery_end - interval '1 second', %(length)s) AS row
    )"""
"""What is read against the prices: the products, or the rows that they touch (readings.read), each with its equal part.
`trades` are with a product's first row, `touching` with its first of every hour. Ten more decimals than the energies
and turnovers have, so that PostgreSQL's quotients of parts of an hour are exact. `OFFSET 0`: they are worked out once a
product, not once a row."""

_TOGETHER = """WITH products AS (
        SELECT delivery_day, delivery_start, delivery_end, direction,
            sum(trade_count) AS trades, sum(energy) AS energy, sum(turnover) AS turnover
        FROM trades_position
        WHERE market_id = %(market)s AND delivery_day BETWEEN %(first)s AND %(last)s AND trade_count > 0
            AND (%(days)s::date[] IS NULL OR delivery_day = ANY(%(days)s::date[]))
            AND (%(trader)s::bigint IS NULL OR trader_id = %(trader)s)
        GROUP BY 1, 2, 3, 4
    ), HELD"""
"""Positions of all traders are added up per period first: they share its reference price."""

BY_PERIOD = f"""
    {_TOGETHER}
    SELECT delivery_day, hour, direction,
        (CASE GROUPING(hour) WHEN 0 THEN sum(touching) ELSE sum(trades) END)::bigint, {SUMS}
    FROM (SELECT *, extract(hour FROM delivery_start AT TIME ZONE %(zone)s)::int AS hour FROM PRICES) AS by_hour
    GROUP BY GROUPING SETS ((1, 3), (2, 3), (3))"""  # noqa: S608 - our own text, no input

TOTAL = f"""
    {_TOGETHER}
    SELECT direction, sum(trades)::bigint, {SUMS} FROM PRICES GROUP BY 1"""  # noqa: S608 - our own text, no input
"""Of a year two thirds of the time that it takes with its days and hours."""

BY_TRADER = f"""
    WITH products AS (
        SELECT delivery_day, delivery_start, delivery_end, trader_id, direction, trade_count AS trades, energy, turnover
        FROM trades_position
        WHERE market_id = %(market)s AND delivery_day BETWEEN %(first)s AND %(last)s AND trade_count > 0
            AND (%(days)s::date[] IS NULL OR delivery_day = ANY(%(days)s::date[]))
    ), HELD
    SELECT trader_id, direction, sum(trades)::bigint, {SUMS} FROM PRICES GROUP BY 1, 2"""  # noqa: S608 - our own text, no input


CORRECTED = """SELECT delivery_day, delivery_start, delivery_end, max(arrived_at) FROM prices_pricecorrection
    WHERE market_id = %(market)s AND delivery_day BETWEEN %(first)s AND %(last)s GROUP BY 1, 2, 3"""
"""Final prices that were changed afterwards, and when they last were: few."""

HELD = """SELECT DISTINCT delivery_day, delivery_start, delivery_end FROM trades_position
    WHERE market_id = %(market)s AND delivery_day = ANY(%(days)s) AND trade_count > 0
        AND (%(trader)s::bigint IS NULL OR trader_id = %(trader)s)"""
"""What was traded on some days."""


@dataclass(frozen=True, slots=True)
class Statements:
    """What adds a history up: by day, hour and in all; by trader; in all alone."""

    by_period: str
    by_trader: str
    total: str


def statements(market: Market, reading: Reading) -> Statements:
    """The sums, as the reading groups what was held and the market's rules find its prices."""
    return Statements(
        by_period=priced(BY_PERIOD, market, reading),
        by_trader=priced(BY_TRADER, market, reading, beside="trader_id,"),
        total=priced(TOTAL, market, reading),
    )


def priced(statement: str, market: Market, reading: Reading, *, beside: str = "") -> str:
    """A statement that reads `products` as HELD and against PRICES; `beside`: what else goes on, with commas."""
    prices = _RULED_PRICES if market.dated.sources else _OWN_PRICES
    held = _ROWS if reading.minutes else _PRODUCTS
    return statement.replace("HELD", held.replace("WHO", beside)).replace("PRICES", prices)
