"""The ledger of provider requests in PostgreSQL: the only way to the provider, for every process and market together.

A request is counted before it is sent, and the provider may count it at any moment until it has ended. So here it
counts from `sent_at` until a whole window (60 s, 3,600 s) and a margin after its end; one that never reported back
has ended when its total deadline had passed. Whatever the provider's own window holds, this ledger holds as well.
Reservations take turns under one advisory lock, and go by the desk's time (market/clock.py): a clock that is moved
changes nothing, and a step of the desk's time moves the ledger along.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from market import clock
from market.locks import AdvisoryLock
from prices.observations import HOUR, MINUTE, Budget, Outcome, PeriodKey

log = structlog.get_logger(__name__)

REQUEST_SECONDS = 5.0
"""A request has ended this long after its reservation, whatever became of it (polling.provider.TOTAL_SECONDS)."""

MARGIN_SECONDS = 1.0
"""For the network's jitter and for the provider's clock running a little slower than ours."""

LONGEST_PAUSE = timedelta(hours=1)
KEEP_DAYS = 30
PRUNE_BATCH = 500

_COUNTED = """
    SELECT sent_at, paused_until, LEAST(finished_at, sent_at + %(life)s * interval '1 second') AS ended_at
    FROM prices_providerrequest
    WHERE sent_at > clock.now - (%(hour)s + %(life)s + %(margin)s) * interval '1 second'
"""

_USE = f"""
    SELECT clock.now,
        count(*) FILTER (WHERE ended_at > clock.now - (%(minute)s + %(margin)s) * interval '1 second'),
        count(*) FILTER (WHERE ended_at > clock.now - (%(hour)s + %(margin)s) * interval '1 second'),
        count(*) FILTER (
            WHERE sent_at >= to_timestamp(floor(extract(epoch FROM clock.now) / %(interval)s) * %(interval)s)
        ),
        max(paused_until),
        count(*) FILTER (WHERE sent_at > clock.now + interval '1 second')
    FROM (SELECT %(now)s::timestamptz AS now) AS clock
    LEFT JOIN LATERAL ({_COUNTED}) AS counted ON true
    GROUP BY clock.now
"""  # noqa: S608 - constants only

_FREE_AT = f"""
    SELECT ended_at + (%(window)s + %(margin)s) * interval '1 second'
    FROM (SELECT %(now)s::timestamptz AS now) AS clock, LATERAL ({_COUNTED}) AS counted
    WHERE ended_at > clock.now - (%(window)s + %(margin)s) * interval '1 second'
    ORDER BY ended_at OFFSET %(skip)s LIMIT 1
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Reservation:
    """Leave to send one request now: its row in the ledger, and when it was counted (UTC, the desk's time)."""

    request_id: int
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class NoRoom:
    """No request may go out before `free_at` (UTC)."""

    free_at: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """How much of the limits is used at `now` (UTC), and until when the provider wants to hear nothing."""

    now: datetime
    minute: int
    hour: int
    in_slot: int
    paused_until: datetime | None
    from_the_future: int
    """Rows that claim to have been sent later than now: the clock was stepped back."""

    @property
    def is_paused(self) -> bool:
        return self.paused_until is not None and self.paused_until > self.now


def reserve(key: PeriodKey) -> Reservation | NoRoom:
    """Count one request for this period, or say when there may be room for it. Commits before it returns.

    Raises django.db.Error when PostgreSQL is away: then nothing may be sent.
    """
    clock.desk.follow(every=0)
    if not clock.desk.is_firm:
        return NoRoom(clock.now() + timedelta(seconds=1))
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        # A statement of its own: the counting statement's snapshot must be taken after the lock was granted.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AdvisoryLock.REQUEST_LEDGER])
        if clock.desk.has_stepped():
            return NoRoom(clock.now())  # the ledger has moved along, and this process not yet
        use = _use(cursor, clock.now())
        if use.from_the_future:
            _mend_clock(cursor, use)
            use = _use(cursor, use.now)
        free_at = _free_at(cursor, use)
        if free_at is not None:
            return NoRoom(free_at)
        cursor.execute(
            "INSERT INTO prices_providerrequest (market_id, delivery_start, delivery_end, sent_at, outcome, detail)"
            " VALUES (%s, %s, %s, %s, %s, '') RETURNING id, sent_at",
            [key.market_id, key.start, key.end, use.now, Outcome.PENDING.value],
        )
        return Reservation(*cursor.fetchone())


def finish(*, request_id: int, outcome: Outcome, detail: str = "", pause: float | None = None) -> None:
    """Record what became of a request. `pause`: for this many seconds nobody may ask for anything (429)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE prices_providerrequest SET finished_at = %(now)s, outcome = %(outcome)s, detail = %(detail)s,"
            " paused_until = %(now)s + %(pause)s * interval '1 second' WHERE id = %(request)s",
            {
                "now": clock.now(),
                "outcome": outcome.value,
                "detail": detail[:300],
                "pause": pause,
                "request": request_id,
            },
        )


def use_at(*, now: datetime | None = None, interval: float = HOUR) -> Use:
    """The use of both windows at `now` (UTC; the desk's time without it), and since the last publication time."""
    with connection.cursor() as cursor:
        return _use(cursor, now or clock.now(), interval)


def state(*, interval: float) -> Budget:
    """What is left, in the policy's terms."""
    with connection.cursor() as cursor:
        use = _use(cursor, clock.now(), interval)
        free_at = _free_at(cursor, use)
    return Budget(
        minute_limit=settings.MARKET_DATA_REQUESTS_PER_MINUTE,
        minute_free=max(0, settings.MARKET_DATA_REQUESTS_PER_MINUTE - use.minute),
        hour_limit=settings.MARKET_DATA_REQUESTS_PER_HOUR,
        hour_free=max(0, settings.MARKET_DATA_REQUESTS_PER_HOUR - use.hour),
        spent_in_slot=use.in_slot,
        free_at=(free_at or use.now).timestamp(),
        paused_until=_pause_end(use).timestamp() if use.is_paused else -math.inf,
    )


def prune(*, keep_days: int = KEEP_DAYS, batch: int = PRUNE_BATCH) -> int:
    """Delete the oldest rows beyond `keep_days`, at most `batch` of them; how many went."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM prices_providerrequest WHERE id IN (SELECT id FROM prices_providerrequest"
            " WHERE sent_at < %s ORDER BY sent_at LIMIT %s)",
            [clock.now() - timedelta(days=keep_days), batch],
        )
        return int(cursor.rowcount)


def move_along(*, seconds: float, now: datetime, **_signal: Any) -> None:
    """The desk's time steps by `seconds` (below 0: back) from `now` on: what counts still, counts as long as before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AdvisoryLock.REQUEST_LEDGER])
        cursor.execute(
            """UPDATE prices_providerrequest SET sent_at = sent_at + step, finished_at = finished_at + step,
                   paused_until = paused_until + step
               FROM (SELECT %(seconds)s * interval '1 second' AS step) AS the
               WHERE sent_at > %(since)s""",
            {"seconds": seconds, "since": now - 2 * LONGEST_PAUSE},
        )


def _use(cursor: Any, now: datetime, interval: float = HOUR) -> Use:
    cursor.execute(_USE, {**_constants(), "now": now, "interval": interval})
    return Use(*cursor.fetchone())


def _constants() -> dict[str, float]:
    return {"life": REQUEST_SECONDS, "margin": MARGIN_SECONDS, "minute": MINUTE, "hour": HOUR}


def _pause_end(use: Use) -> datetime:
    """When a pause that the provider asked for ends; now without one."""
    return min(use.paused_until, use.now + LONGEST_PAUSE) if use.paused_until and use.is_paused else use.now


def _free_at(cursor: Any, use: Use) -> datetime | None:
    """When the next request may go out; None: now."""
    moments = [_pause_end(use)] if use.is_paused else []
    for window, used, limit in (
        (MINUTE, use.minute, settings.MARKET_DATA_REQUESTS_PER_MINUTE),
        (HOUR, use.hour, settings.MARKET_DATA_REQUESTS_PER_HOUR),
    ):
        if used >= limit:
            cursor.execute(_FREE_AT, {**_constants(), "now": use.now, "window": window, "skip": used - limit})
            row = cursor.fetchone()
            moments.append(row[0] if row else use.now)
    return max(moments, default=None)


def _mend_clock(cursor: Any, use: Use) -> None:
    """Requests that the desk's time places in the future were made by now (a desk that was started with another clock):
    count them as of now.

    That is later than they really were, so the limits hold; and it ends within a window, not within the step.
    """
    cursor.execute(
        "UPDATE prices_providerrequest SET sent_at = %(now)s,"
        " finished_at = CASE WHEN finished_at IS NOT NULL THEN LEAST(finished_at, %(now)s) END,"
        " paused_until = CASE WHEN paused_until IS NOT NULL THEN LEAST(paused_until, %(now)s + interval '1 hour') END"
        " WHERE sent_at > %(now)s",
        {"now": use.now},
    )
    log.warning("ledger_clock_stepped_back", rows=use.from_the_future)
