"""How the reference prices of a day came about, in steps coarse enough for a small chart. No writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection


@dataclass(frozen=True, slots=True)
class PriceCourse:
    """The last value that had arrived by the end of each slot in which one arrived; slots ascending, EUR/MWh."""

    slots: tuple[int, ...]
    values: tuple[Decimal, ...]


def price_courses(*, market_id: int, day: date, slot_seconds: int) -> dict[tuple[datetime, datetime], PriceCourse]:
    """Per (delivery_start, delivery_end) the course of the day's prices; slots are counted from 1970. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT delivery_start, delivery_end, array_agg(slot ORDER BY slot), array_agg(value ORDER BY slot)
               FROM (SELECT DISTINCT ON (delivery_start, delivery_end, slot) delivery_start, delivery_end, slot, value
                   FROM (SELECT *, ceil(extract(epoch FROM arrived_at) / %s)::bigint - 1 AS slot
                       FROM prices_referencepricehistory WHERE market_id = %s AND delivery_day = %s) AS h
                   ORDER BY delivery_start, delivery_end, slot, last_update DESC) AS newest
               GROUP BY 1, 2""",
            [slot_seconds, market_id, day],
        )
        return {(start, end): PriceCourse(tuple(slots), tuple(values)) for start, end, slots, values in cursor}
