"""What the chase reads before it begins: each period's price and last requests, and past publications. No writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from prices.observations import ASKS_REMEMBERED, Ask, Facts, Outcome, PeriodKey

_FACTS = """
    SELECT wanted.position, extract(epoch FROM price.last_update)::float8,
        asked.sent_at, asked.answered_at, asked.outcome
    FROM unnest(%(markets)s::bigint[], %(days)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
        WITH ORDINALITY AS wanted(market_id, delivery_day, delivery_start, delivery_end, position)
    LEFT JOIN prices_referenceprice AS price
        USING (market_id, delivery_day, delivery_start, delivery_end)
    LEFT JOIN LATERAL (
        SELECT array_agg(extract(epoch FROM sent_at)::float8 ORDER BY sent_at DESC) AS sent_at,
            array_agg(extract(epoch FROM finished_at)::float8 ORDER BY sent_at DESC) AS answered_at,
            array_agg(outcome ORDER BY sent_at DESC) AS outcome
        FROM (
            SELECT sent_at, finished_at, outcome FROM prices_providerrequest AS request
            WHERE request.market_id = wanted.market_id AND request.delivery_start = wanted.delivery_start
                AND request.delivery_end = wanted.delivery_end
            ORDER BY sent_at DESC LIMIT %(asks)s
        ) AS last_asks
    ) AS asked ON true
"""


def facts_of(*, gates: dict[PeriodKey, datetime], intervals: Mapping[int, float]) -> dict[PeriodKey, Facts]:
    """What is known of each period: its price's age and its last requests.

    `gates` gives the gate closure of each period, `intervals` the seconds between two publications of each market. One
    query of bounded index reads.
    """
    keys = list(gates)
    columns: dict[str, Any] = {
        "markets": [k.market_id for k in keys],
        "days": [k.day for k in keys],
        "starts": [k.start for k in keys],
        "ends": [k.end for k in keys],
        "asks": ASKS_REMEMBERED,
    }
    facts: dict[PeriodKey, Facts] = {}
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, columns)
        for position, last_update, *asked in cursor.fetchall():
            key = keys[position - 1]
            asks, interval = _asks(*asked), intervals[key.market_id]
            facts[key] = Facts(key, gates[key].timestamp(), last_update, asks, interval=interval)
    return facts


def _asks(
    sent_at: list[float] | None, answered_at: list[float | None] | None, outcomes: list[str] | None
) -> tuple[Ask, ...]:
    if not sent_at or not answered_at or not outcomes:
        return ()
    return tuple(Ask(s, Outcome(o), a) for s, a, o in zip(sent_at, answered_at, outcomes, strict=True))
