"""What listeners write down of their connections, and the gaps that follow from it: one transaction a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from market.locks import AdvisoryLock
from market.models import Market
from trades.feed.gaps import ConnectionSpan, uncovered_times
from trades.models import FeedConnection, FeedGap
from trades.signals import announce_feed, feed_changed

CERTAIN_AFTER = timedelta(seconds=12.5)
"""A connection that has not said a word for this long is dead; a board says so earlier (trades.queries.feed_state)."""

GAPS_LOOKED_BACK = timedelta(days=7)
_ALIVE = """UPDATE trades_feedconnection SET alive_at = %(at)s, last_frame_at = %(last_frame_at)s,
    journal_failed = %(journal_failed)s, waiting = %(waiting)s, overflows = %(overflows)s WHERE id = %(pk)s"""


@dataclass(frozen=True, slots=True)
class ListenerHealth:
    """How a listener is doing at a moment: what people and alarms want to know of it."""

    at: datetime
    last_frame_at: datetime | None = None
    journal_failed: bool = False
    waiting: int = 0
    overflows: int = 0

    def columns(self) -> dict[str, Any]:
        """As FeedConnection keeps it."""
        return {
            "last_frame_at": self.last_frame_at,
            "journal_failed": self.journal_failed,
            "waiting": self.waiting,
            "overflows": self.overflows,
        }


def open_connection(*, market: Market, listener: str, at: datetime) -> int:
    """Record that a listener is connected since `at`; returns the record's primary key.

    Its own earlier records that are still open belong to a process that died: nobody else can have its name. They end
    with the last moment at which that process said that it was alive, so the time since then is a gap.
    """
    FeedConnection.objects.filter(market=market, listener=listener, disconnected_at=None).update(
        disconnected_at=F("alive_at"), reason="the process ended without a word"
    )
    row = FeedConnection.objects.create(market=market, listener=listener, connected_at=at, alive_at=at)
    record_gaps(market_id=market.pk, now=at)
    feed_changed.send_robust(sender=None, market_id=market.pk)
    return int(row.pk)


def keep_connection_alive(*, connection_pk: int, health: ListenerHealth) -> None:
    """Record that the connection is up, and how its listener is doing. A listener says so all day long."""
    with connection.cursor() as cursor:
        cursor.execute(_ALIVE, {"pk": connection_pk, "at": health.at, **health.columns()})


def record_silence(*, market: Market, connection_pk: int, since: datetime | None) -> None:
    """Record since when an open connection has not been heard from, by as much as a ping's answer; None: it is again.

    For people's eyes alone. Gaps follow only what becomes of the connection.
    """
    FeedConnection.objects.filter(pk=connection_pk).update(silent_since=since)
    feed_changed.send_robust(sender=None, market_id=market.pk)


def close_connection(*, market: Market, connection_pk: int, at: datetime, health: ListenerHealth, reason: str) -> None:
    """Record that the connection ended at `at`, and why."""
    FeedConnection.objects.filter(pk=connection_pk).update(
        alive_at=at, disconnected_at=at, reason=reason[:200], **health.columns()
    )
    feed_changed.send_robust(sender=None, market_id=market.pk)


def move_along(*, seconds: float, now: datetime, **_signal: Any) -> None:
    """The desk's time steps by `seconds` (below 0: back) from `now` on.

    A connection that is open was heard until now, by the new time as well. After a step back nothing may lie ahead:
    what was written down as heard there would hide a gap until that time has come again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE trades_feedconnection SET alive_at = alive_at + step, silent_since = silent_since + step,
                   connected_at = LEAST(connected_at, alive_at + step)
               FROM (SELECT %(seconds)s * interval '1 second' AS step) AS the
               WHERE disconnected_at IS NULL AND alive_at > %(since)s""",
            {"seconds": seconds, "since": now - CERTAIN_AFTER},
        )
        cursor.execute(
            """UPDATE trades_feedconnection SET connected_at = LEAST(connected_at, %(until)s),
                   alive_at = LEAST(alive_at, %(until)s), disconnected_at = LEAST(disconnected_at, %(until)s)
               WHERE disconnected_at > %(until)s""",
            {"until": now + timedelta(seconds=seconds)},
        )


@transaction.atomic
def record_gaps(*, market_id: int, now: datetime) -> int:
    """Write down the holes between the connections that are certain by now; returns how many were new.

    Another listener may be at it: then this call leaves it to that one. A listener's sign of life comes with this look,
    so it must not wait for anybody; the next one is a moment away.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [AdvisoryLock.FEED_GAPS, market_id])
        if not cursor.fetchone()[0]:
            return 0
    # Gaps that end later are of a time when a clock was ahead: they must hide nothing.
    known_gaps = FeedGap.objects.filter(market_id=market_id, ended_at__lte=now)
    newest = known_gaps.order_by("-ended_at").first()
    since = max(newest.ended_at, now - GAPS_LOOKED_BACK) if newest else now - GAPS_LOOKED_BACK
    connections = [
        ConnectionSpan(c.connected_at, c.alive_at, c.disconnected_at is not None)
        for c in FeedConnection.objects.filter(market_id=market_id, alive_at__gte=since)
    ]
    uncovered = uncovered_times(connections, now=now, certain_after=CERTAIN_AFTER)
    rows = [FeedGap(market_id=market_id, started_at=hole.start, ended_at=hole.end) for hole in uncovered]
    known = set(FeedGap.objects.filter(market_id=market_id, started_at__gte=since).values_list("started_at", flat=True))
    new = [row for row in rows if row.started_at not in known]
    FeedGap.objects.bulk_create(new)
    if new:
        transaction.on_commit(lambda: announce_feed(market_id), robust=True)
    return len(new)
