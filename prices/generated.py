"""Made-up reference prices of a past day: each period's final one, and a path of six before it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection, transaction

from market.labels import label_of
from market.models import Market
from market.periods import day_periods
from prices.models import ReferencePrice

POINTS = 6


def generate_prices(*, market: Market, day: date, seed: float) -> None:
    """Prices of every period of the day. A day that has any is left as it is."""
    if ReferencePrice.objects.filter(market=market, delivery_day=day).exists():
        return
    periods = day_periods(day, market.zone)
    parameters: dict[str, Any] = {
        "market": market.pk,
        "day": day,
        "labels": [label_of(period, market.zone) for period in periods],
        "starts": [period.start for period in periods],
        "ends": [period.end for period in periods],
        "points": POINTS,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT setseed(%s)", [seed])
        cursor.execute(_HISTORY, parameters)
        cursor.execute(_LATEST, parameters)


_COLUMNS = "market_id, delivery_day, delivery_hour, delivery_start, delivery_end, value, last_update, arrived_at"
_HISTORY = f"""INSERT INTO prices_referencepricehistory ({_COLUMNS})
    SELECT %(market)s, %(day)s, label, starts, ends, round((40 + 40 * (random() - 0.4))::numeric, 2),
        starts - n * interval '10 minutes', starts - n * interval '10 minutes' + interval '10 seconds'
    FROM unnest(%(labels)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS p (label, starts, ends),
        generate_series(0, %(points)s) AS n"""  # noqa: S608 - constants of this file
_LATEST = f"""INSERT INTO prices_referenceprice ({_COLUMNS}, revision)
    SELECT {_COLUMNS}, 1 FROM (SELECT DISTINCT ON (delivery_start) * FROM prices_referencepricehistory
        WHERE market_id = %(market)s AND delivery_day = %(day)s ORDER BY delivery_start, last_update DESC
    ) AS newest"""  # noqa: S608 - constants of this file
