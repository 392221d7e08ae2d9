"""What an answer of the provider changes: the price, its history and the ledger, in one transaction.

An older price never overwrites a newer one, and the first value of a publication stays. News goes out after the
commit, so whoever hears it can read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_never

import structlog
from django.db import ProgrammingError, connection, transaction

from market.periods import DeliveryPeriod
from prices import request_ledger
from prices.models import ReferencePrice
from prices.observations import Answer, CheckReason, Outcome, PeriodKey, Published, Refusal, Undefined
from prices.signals import StoredPrice, prices_changed, prices_storing

log = structlog.get_logger(__name__)

JUMP_FACTOR = 10
SMALLEST_JUMP = Decimal(500)
"""EUR/MWh: smaller steps are not worth a line in the log, however large the factor."""

# The subquery in RETURNING sees the row as it was before this statement.
_UPSERT = """
    INSERT INTO prices_referenceprice AS known (market_id, delivery_day, delivery_hour, delivery_start, delivery_end,
        value, last_update, arrived_at, revision)
    VALUES (%(market_id)s, %(day)s, %(label)s, %(start)s, %(end)s, %(value)s, %(last_update)s, %(arrived_at)s, 1)
    ON CONFLICT (market_id, delivery_day, delivery_start, delivery_end) DO UPDATE
        SET value = EXCLUDED.value, last_update = EXCLUDED.last_update, arrived_at = EXCLUDED.arrived_at,
            delivery_hour = EXCLUDED.delivery_hour, revision = known.revision + 1
        WHERE EXCLUDED.last_update > known.last_update
    RETURNING (SELECT before.value FROM prices_referenceprice AS before WHERE before.id = known.id),
        (SELECT before.last_update FROM prices_referenceprice AS before WHERE before.id = known.id)
"""
_HISTORY = """
    INSERT INTO prices_referencepricehistory (market_id, delivery_day, delivery_hour, delivery_start, delivery_end,
        value, last_update, arrived_at)
    VALUES (%(market_id)s, %(day)s, %(label)s, %(start)s, %(end)s, %(value)s, %(last_update)s, %(arrived_at)s)
    ON CONFLICT (market_id, delivery_start, delivery_end, last_update) DO NOTHING
"""
_CORRECTION = """
    INSERT INTO prices_pricecorrection (market_id, delivery_day, delivery_hour, delivery_start, delivery_end,
        value, last_update, arrived_at, old_value, old_last_update, why)
    VALUES (%(market_id)s, %(day)s, %(label)s, %(start)s, %(end)s, %(value)s, %(last_update)s, %(arrived_at)s,
        %(old_value)s, %(old_last_update)s, %(why)s)
"""
_RESTATED = """
    UPDATE prices_referenceprice SET restated_from = %(old_value)s, restated_at = %(arrived_at)s
    WHERE (market_id, delivery_day, delivery_start, delivery_end) = (%(market_id)s, %(day)s, %(start)s, %(end)s)
"""
_KNOWN = """
    SELECT value, last_update FROM prices_referenceprice
    WHERE (market_id, delivery_day, delivery_start, delivery_end) = (%(market_id)s, %(day)s, %(start)s, %(end)s)
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An answer to one request: for which period (and its label), and when it came (UTC)."""

    request_id: int
    key: PeriodKey
    label: str
    answer: Answer
    arrived_at: datetime
    gate_closes_at: datetime | None = None
    """From a publication that covers it on, the price should not change any more."""
    why: CheckReason = CheckReason.CHASE
    """Why it was asked for, if it was final."""


def store_answer(arrival: Arrival) -> Outcome:
    """Store what the answer says and close its row in the ledger. One transaction; raises django.db.Error."""
    answer = arrival.answer
    with transaction.atomic():
        if isinstance(answer, Published):
            return _store_price(arrival, answer)
        if isinstance(answer, Undefined):
            request_ledger.finish(request_id=arrival.request_id, outcome=Outcome.UNDEFINED, detail=answer.reason)
            return Outcome.UNDEFINED
        if isinstance(answer, Refusal):
            return _refused(arrival, answer.outcome, answer.reason, answer.retry_after)
        assert_never(answer)


def _store_price(arrival: Arrival, price: Published) -> Outcome:
    row = _row(arrival, price)
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, row)
        changed = cursor.fetchone()
        if changed is None:
            cursor.execute(_KNOWN, row)
            return _not_newer(arrival, price, *cursor.fetchone())
        cursor.execute(_HISTORY, row)
    request_ledger.finish(request_id=arrival.request_id, outcome=Outcome.NEWER)
    _log_price(row, changed[0])
    _note_correction(arrival, price, row, *changed)
    changes = frozenset({(arrival.key.market_id, arrival.key.day)})
    stored = StoredPrice(
        arrival.key.market_id, DeliveryPeriod(arrival.key.start, arrival.key.end), is_first=changed[0] is None
    )
    prices_storing.send_robust(sender=ReferencePrice, changes=changes, price=stored)
    transaction.on_commit(lambda: prices_changed.send_robust(sender=ReferencePrice, changes=changes))
    return Outcome.NEWER


def _row(arrival: Arrival, price: Published) -> dict[str, Any]:
    return {
        **arrival.key._asdict(),
        "label": arrival.label,
        "value": price.value,
        "last_update": price.last_update,
        "arrived_at": arrival.arrived_at,
    }


def _not_newer(arrival: Arrival, price: Published, value: Decimal, last_update: datetime) -> Outcome:
    """The known price stays; the same answer again is no news, a contradicting or an older one is a bad answer."""
    if price.last_update < last_update:
        return _refused(arrival, Outcome.BAD_ANSWER, f"last updated {price.last_update:%H:%M:%S}, older than known")
    if price.value != value:
        return _refused(arrival, Outcome.BAD_ANSWER, "another value for a publication that is known")
    request_ledger.finish(request_id=arrival.request_id, outcome=Outcome.UNCHANGED)
    return Outcome.UNCHANGED


def _refused(arrival: Arrival, outcome: Outcome, reason: str, pause: float | None = None) -> Outcome:
    request_ledger.finish(request_id=arrival.request_id, outcome=outcome, detail=reason, pause=pause)
    log.warning(
        "provider_refused",
        outcome=outcome.value,
        reason=reason,
        market_id=arrival.key.market_id,
        delivery_day=arrival.key.day,
        delivery_hour=arrival.label,
    )
    return outcome


def _note_correction(
    arrival: Arrival, price: Published, row: dict[str, Any], before: Decimal | None, last_update: datetime | None
) -> None:
    """A price that was final has changed: results of a closed period are other ones now."""
    gate = arrival.gate_closes_at
    if before is None or last_update is None or gate is None or last_update < gate or price.value == before:
        return
    correction = {**row, "old_value": before, "old_last_update": last_update, "why": arrival.why.value}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CORRECTION, correction)
            cursor.execute(_RESTATED, correction)
    except ProgrammingError:  # an update has not brought the table yet: the price counts all the same
        log.warning("correction_without_table", market_id=arrival.key.market_id)
    log.warning(
        "final_price_corrected",
        market_id=arrival.key.market_id,
        delivery_day=arrival.key.day,
        delivery_hour=arrival.label,
        before=before.normalize(),
        value=price.value.normalize(),
    )


def _log_price(row: dict[str, Any], before: Decimal | None) -> None:
    """One line a stored price; a wild one is legitimate (scarcity, a sunny noon) and stands out."""
    shown = {
        "market_id": row["market_id"],
        "delivery_day": row["day"],
        "delivery_hour": row["label"],
        "value": row["value"].normalize(),
        "last_update": row["last_update"],
    }
    log.info("price_stored", **shown)
    if before is not None and abs(row["value"] - before) > max(SMALLEST_JUMP, JUMP_FACTOR * abs(before)):
        log.warning("price_jumped", before=before.normalize(), **shown)
