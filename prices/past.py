"""Prices as they stood at a past moment: arrived by then, or published by then whenever they came. Reads only.

Values are EUR/MWh (the market's currency), moments are aware UTC datetimes. `prices.queries.prices_as_of` has those
that had arrived.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from django.db import connection

from market.periods import DeliveryPeriod, period_at
from prices.queries import KnownPrice


class PathPoint(NamedTuple):
    """A value of a path, published and arrived in seconds since 1970."""

    value: Decimal
    published: float
    arrived: float


_FIRST_STORED = 1000
"""Among so many prices the first one that arrived is looked for: they are stored in the order in which they come."""


def prices_published_by(*, market_id: int, day: date, moment: datetime) -> dict[DeliveryPeriod, KnownPrice]:
    """The newest value of each period of a delivery day that was published by `moment` (UTC). One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT ON (delivery_start, delivery_end) delivery_start, delivery_end, value, last_update,
                   arrived_at, count(*) OVER (PARTITION BY delivery_start, delivery_end)
               FROM prices_referencepricehistory
               WHERE market_id = %s AND delivery_day = %s AND last_update <= %s
               ORDER BY delivery_start, delivery_end, last_update DESC""",
            [market_id, day, moment],
        )
        return {DeliveryPeriod(start, end): KnownPrice(*price) for start, end, *price in cursor.fetchall()}


def paths_of_day(*, market_id: int, day: date, until: datetime) -> list[tuple[DeliveryPeriod, list[PathPoint]]]:
    """Each period of a delivery day with its values that had arrived by `until`, by delivery start. One query."""
    with connection.cursor() as cursor:  # seconds of 1970: of 15,000 values, to be read as moments takes a second
        cursor.execute(
            """SELECT extract(epoch FROM delivery_start)::bigint, extract(epoch FROM delivery_end)::bigint, value,
                   extract(epoch FROM last_update)::float8, extract(epoch FROM arrived_at)::float8
               FROM prices_referencepricehistory WHERE market_id = %s AND delivery_day = %s AND arrived_at <= %s
               ORDER BY delivery_start, delivery_end, last_update""",
            [market_id, day, until],
        )
        rows = cursor.fetchall()
    return [
        (period_at(*seconds), [PathPoint(*row[2:]) for row in of_period])
        for seconds, of_period in groupby(rows, key=lambda row: row[:2])
    ]


def publications_of_day(*, market_id: int, day: date, until: datetime) -> list[int]:
    """When the first price of each publication was here, of the periods of a day, oldest first. One query, by index.

    In microseconds since 1970.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT (extract(epoch FROM min(arrived_at)) * 1000000)::bigint AS first FROM prices_referencepricehistory
               WHERE market_id = %s AND delivery_day = %s AND arrived_at <= %s GROUP BY last_update ORDER BY first""",
            [market_id, day, until],
        )
        return [moment for (moment,) in cursor.fetchall()]


def first_arrived(*, market_id: int) -> datetime | None:
    """When the first price of a market came; None before it. One query, by index."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT min(arrived_at) FROM (SELECT arrived_at FROM prices_referencepricehistory
                WHERE (market_id, id) >= (%(market)s, 0) AND (market_id, id) < (%(market)s + 1, 0)
                ORDER BY market_id, id LIMIT %(first)s) AS oldest""",  # a range: see trades/past.py
            {"market": market_id, "first": _FIRST_STORED},
        )
        moment: datetime | None = cursor.fetchone()[0]
        return moment
