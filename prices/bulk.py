"""Many accepted values of one delivery day in one transaction: what `prices.store` makes of them one by one.

For what is known already and whole: no request was made for it, so the ledger has nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction

from market.models import Market
from market.periods import DeliveryPeriod
from market.statements.columns import column_of
from prices.models import ReferencePrice
from prices.signals import prices_changed, prices_storing


class Accepted(NamedTuple):
    """A published value (the market's currency per MWh) of a period, and when it came here (UTC)."""

    period: DeliveryPeriod
    label: str
    value: Decimal
    last_update: datetime
    arrived_at: datetime


# Of one publication the first value stays; what is not newer than the known price is left out.
_STORE = """WITH newer AS MATERIALIZED (
        SELECT DISTINCT ON (starts, ends, last_update) given.*
        FROM unnest(%(labels)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(values)s::numeric[],
            %(updates)s::timestamptz[], %(arrivals)s::timestamptz[]) WITH ORDINALITY
            AS given (label, starts, ends, value, last_update, arrived_at, place)
        LEFT JOIN prices_referenceprice AS known ON (known.market_id, known.delivery_day, known.delivery_start,
            known.delivery_end) = (%(market)s, %(day)s, starts, ends)
        WHERE known.id IS NULL OR given.last_update > known.last_update
        ORDER BY starts, ends, last_update, place),
    path AS (
        INSERT INTO prices_referencepricehistory (market_id, delivery_day, delivery_hour, delivery_start,
            delivery_end, value, last_update, arrived_at)
        SELECT %(market)s, %(day)s, label, starts, ends, value, last_update, arrived_at FROM newer
        ORDER BY arrived_at, place ON CONFLICT (market_id, delivery_start, delivery_end, last_update) DO NOTHING
        RETURNING id),
    latest AS (
        INSERT INTO prices_referenceprice AS known (market_id, delivery_day, delivery_hour, delivery_start,
            delivery_end, value, last_update, arrived_at, revision)
        SELECT DISTINCT ON (starts, ends) %(market)s::bigint, %(day)s::date, label, starts, ends, value, last_update,
            arrived_at, count(*) OVER (PARTITION BY starts, ends)
        FROM newer ORDER BY starts, ends, last_update DESC
        ON CONFLICT (market_id, delivery_day, delivery_start, delivery_end) DO UPDATE
            SET value = EXCLUDED.value, last_update = EXCLUDED.last_update, arrived_at = EXCLUDED.arrived_at,
                delivery_hour = EXCLUDED.delivery_hour, revision = known.revision + EXCLUDED.revision
            WHERE EXCLUDED.last_update > known.last_update)
    SELECT count(*) FROM path"""


_COLUMNS = ("labels", "starts", "ends", "values", "updates", "arrivals")


@transaction.atomic
def store_day(*, market: Market, day: date, prices: Iterable[Accepted]) -> int:
    """Store a delivery day's values, each period's in the order of their publication; how many were newer than known.

    Sends `prices_storing` within the transaction and `prices_changed` once committed. Raises django.db.Error.
    """
    given: dict[str, Any] = {"market": market.pk, "day": day, **_columns(prices)}
    with connection.cursor() as cursor:
        cursor.execute(_STORE, given)
        stored = int(cursor.fetchone()[0])
    changes = frozenset({(market.pk, day)})
    prices_storing.send_robust(sender=ReferencePrice, changes=changes, price=None)
    transaction.on_commit(lambda: prices_changed.send_robust(sender=ReferencePrice, changes=changes))
    return stored


def _columns(prices: Iterable[Accepted]) -> dict[str, Any]:
    rows = [(p.label, p.period.start, p.period.end, *p[2:]) for p in prices]
    columns = zip(*rows, strict=True) if rows else [()] * len(_COLUMNS)
    return {name: column_of(column) for name, column in zip(_COLUMNS, columns, strict=True)}
