"""What alarms watch: how the listeners are doing, and how much waits for a person. No writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Max, Q

from trades.models import FeedConnection, FeedGap, JournalProgress, QuarantinedMessage

ALIVE_EVERY = timedelta(seconds=1.5)
"""How often a connected listener says so; two and a half times without a word means that it is not."""

REFUSED_WITHIN = timedelta(minutes=10)
A_HANDFUL = 5
"""More confirmations than this, kept aside by one rule within REFUSED_WITHIN, are an alarm."""
_OF_CONFIRMATIONS = ("two_envelopes", "refused_by_database")
"""Reasons of frames in a known envelope, beside bad_… and missing_…."""


@dataclass(frozen=True, slots=True)
class ListenerState:
    """A connected listener's own word: does its journal's disk work, how many frames wait, how often was it full?"""

    listener: str
    journal_failed: bool
    waiting: int
    overflows: int


def connected_listeners(*, market_id: int, now: datetime) -> list[ListenerState]:
    """The listeners that are connected at `now`, by name, each with its newest word. One query."""
    alive = FeedConnection.objects.filter(
        market_id=market_id, disconnected_at=None, alive_at__gte=now - ALIVE_EVERY * 2.5
    )
    newest = alive.order_by("listener", "-alive_at").distinct("listener")
    return [ListenerState(*row) for row in newest.values_list("listener", "journal_failed", "waiting", "overflows")]


def capture_lateness(*, market_id: int, since: datetime) -> list[float]:
    """From a frame's receipt to its trade's storing, in seconds, shortest first: of the newest 1,000 trades stored
    after `since`. One query.

    Read along the primary key from its end: it costs the same however many there are.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT late FROM (
                   SELECT extract(epoch FROM stored_at - received_at)::float8 AS late, market_id, stored_at
                   FROM trades_trade ORDER BY id DESC LIMIT 1000) AS newest
               WHERE market_id = %s AND stored_at > %s ORDER BY late""",
            [market_id, since],
        )
        return [float(row[0]) for row in cursor.fetchall()]


def last_stored_at(*, market_id: int) -> datetime | None:
    """When a frame of the market was last taken out of a journal into PostgreSQL; None before the first one."""
    latest: datetime | None = JournalProgress.objects.filter(market_id=market_id).aggregate(at=Max("updated_at"))["at"]
    return latest


def open_gap_count(*, market_id: int) -> int:
    """How many gaps of the feed nobody has closed."""
    return FeedGap.objects.filter(market_id=market_id, closed_at=None).count()


def open_quarantine_counts(*, market_id: int) -> dict[str, int]:
    """Kind -> how many frames kept aside wait for a decision; every kind is there."""
    rows = (
        QuarantinedMessage.objects.filter(market_id=market_id, status=QuarantinedMessage.Status.OPEN)
        .order_by()
        .values_list("kind")
        .annotate(open=Count("pk"))
    )
    return {**dict.fromkeys(QuarantinedMessage.Kind.values, 0), **dict(rows)}


def refusing_rules(*, market_id: int, now: datetime) -> dict[str, int]:
    """Rule -> how many confirmations it has kept aside within ten minutes, where that is more than a handful.

    Frames in a known envelope are trades: when the exchange changes how it writes them, all of them end here.
    """
    recent = QuarantinedMessage.objects.filter(
        Q(reason__startswith="bad_") | Q(reason__startswith="missing_") | Q(reason__in=_OF_CONFIRMATIONS),
        market_id=market_id,
        kind=QuarantinedMessage.Kind.UNUSABLE,
        status=QuarantinedMessage.Status.OPEN,
        received_at__gte=now - REFUSED_WITHIN,
    )
    counts = recent.order_by().values_list("reason").annotate(count=Count("pk")).filter(count__gt=A_HANDFUL)
    return dict(counts)


@dataclass(frozen=True, slots=True)
class ExchangeFeedState:
    """The exchange feed as people ask for it: is it connected, since when, and when did it last say something?

    `silent`: not connected as far as anybody can tell, because nothing on the open line is answered.
    """

    connected: bool
    since: datetime | None
    last_frame_at: datetime | None
    silent: bool = False


# Written out: every web process asks every other second. Of the newest connections since when one is heard, when any
# said something last, when one was lost last, and whether any is open at all.
_STATE = """SELECT min(connected_at) FILTER (WHERE open AND silent_since IS NULL), max(last_frame_at),
        max(coalesce(disconnected_at, silent_since, alive_at)), coalesce(bool_or(open), false)
    FROM (SELECT *, disconnected_at IS NULL AND alive_at >= %s AS open FROM trades_feedconnection
        WHERE market_id = %s ORDER BY alive_at DESC LIMIT 16) AS newest"""
_OPEN_GAPS = """SELECT started_at, ended_at FROM trades_feedgap WHERE market_id = %s AND closed_at IS NULL
    ORDER BY started_at DESC LIMIT %s"""


def feed_state(*, market_id: int, now: datetime) -> ExchangeFeedState:
    """Whether any listener hears the market's exchange now. One query over the newest connections."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [now - ALIVE_EVERY * 2.5, market_id])
        since, last_frame, lost, is_open = cursor.fetchone()
    if since is not None:
        return ExchangeFeedState(True, since, last_frame)
    return ExchangeFeedState(False, lost, last_frame, silent=is_open)


def open_gaps(*, market_id: int, most: int = 20) -> list[tuple[datetime, datetime]]:
    """From when to when (UTC) the feed has gaps that nobody has closed, newest first. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_GAPS, [market_id, most])
        return [(started_at, ended_at) for started_at, ended_at in cursor.fetchall()]
