"""The statements of the earnings' clock: trades by hour of delivery and time left. Our own text, no input.

One pass over the trades of the range: those that nobody has decided about as they are, the few others as they count.
"""

from __future__ import annotations

from trades.queries import DECIDED_TRADES

_FACTS = """e.id, exchange_id, trader_id, direction, price, quantity, e.delivery_day, delivery_hour, delivery_start,
        delivery_end, execution_time"""
_WANTED = """market_id = %(market)s AND e.delivery_day BETWEEN %(first)s AND %(last)s
        AND (%(trader)s::bigint IS NULL OR trader_id = %(trader)s)
        AND (%(product)s::interval IS NULL OR least(delivery_end - delivery_start, interval '2 hours') = %(product)s)
        AND (%(bots)s::boolean IS NULL OR trader_id IN (SELECT id FROM trades_trader WHERE is_bot = %(bots)s))"""

COUNTED = f"""
    WITH leads AS (
        SELECT * FROM unnest(%(lengths)s::interval[], %(from)s::date[], %(until)s::date[], %(own)s::interval[],
            %(hour_lead)s::interval[]) AS l (length, valid_from, until, own, with_hour)
    ), counted AS (
        SELECT {_FACTS} FROM trades_trade AS e
        WHERE {_WANTED} AND NOT EXISTS (SELECT 1 FROM trades_tradechange AS c WHERE c.trade_id = e.id)
        UNION ALL
        SELECT {_FACTS} FROM ({DECIDED_TRADES}) AS e
        WHERE {_WANTED}
    ), timed AS (
        SELECT counted.*, width_bucket(greatest(delivery_start - own,
            date_trunc('hour', delivery_start, 'UTC') - with_hour) - execution_time, %(limits)s::interval[]) AS step
        FROM counted JOIN leads ON least(delivery_end - delivery_start, interval '2 hours') = leads.length
            AND delivery_day >= valid_from AND delivery_day < until
    )"""  # noqa: S608 - our own text
"""`greatest` passes over a NULL: the gates that there are."""

_DURATION = "extract(epoch FROM delivery_end - delivery_start) / 3600"

CLOCK = f"""{COUNTED}, products AS (
        SELECT delivery_day, delivery_start, delivery_end, step, direction, count(*) AS trades,
            sum(quantity) * {_DURATION} AS energy, sum(quantity * price) * {_DURATION} AS turnover
        FROM timed GROUP BY 1, 2, 3, 4, 5
    ), HELD, cells AS (
        SELECT extract(hour FROM delivery_start AT TIME ZONE %(zone)s)::int AS hour, step, direction, source,
            value IS NOT NULL AS is_priced, sum(touching) AS touching, sum(trades) AS trades, sum(energy) AS energy,
            sum(turnover) AS turnover, sum(energy * value) AS worth
        FROM PRICES GROUP BY 1, 2, 3, 4, 5
    )
    SELECT hour, step, direction, (CASE GROUPING(hour) WHEN 0 THEN sum(touching) ELSE sum(trades) END)::bigint,
        sum(energy), sum(turnover), sum(CASE direction WHEN 'sell' THEN turnover - worth ELSE worth - turnover END),
        coalesce(sum(energy) FILTER (WHERE is_priced), 0), coalesce(sum(energy) FILTER (WHERE NOT is_priced), 0),
        coalesce(sum(energy) FILTER (WHERE is_priced AND source = 'hour'), 0)
    FROM cells GROUP BY GROUPING SETS ((1, 2, 3), (1, 3), (2, 3), (3))"""  # noqa: S608 - our own text
"""Cells, the margins of hours and of steps, and all, with SUMS' figures: three sums a row, the rest of them a cell."""

_OF_TRADE = "id, exchange_id, trader_id, delivery_hour, price, quantity, execution_time,"
TRADE_COLUMNS = f"{_OF_TRADE} product_start, product_end,"

CELL = f"""{COUNTED}, products AS (
        SELECT {_OF_TRADE} delivery_start AS product_start, delivery_end AS product_end, delivery_day, delivery_start,
            delivery_end, direction, 1 AS trades, quantity * {_DURATION} AS energy,
            quantity * price * {_DURATION} AS turnover
        FROM timed WHERE %(step)s::int IS NULL OR step = %(step)s
    ), HELD
    SELECT {TRADE_COLUMNS} delivery_day, direction, sum(energy), sum(turnover),
        sum(CASE direction WHEN 'sell' THEN turnover - energy * value ELSE energy * value - turnover END),
        count(*) OVER ()
    FROM (SELECT *, extract(hour FROM delivery_start AT TIME ZONE %(zone)s)::int AS hour FROM PRICES) AS by_hour
    WHERE (%(hour)s::int IS NULL OR hour = %(hour)s) AND (%(side)s = '' OR direction = %(side)s)
    GROUP BY {TRADE_COLUMNS} delivery_day, direction
    ORDER BY execution_time DESC, id DESC LIMIT %(most)s"""  # noqa: S608 - our own text
"""The trades of a cell or margin, newest first, each with its part of the hour, and how many there are."""
