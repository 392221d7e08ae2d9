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


def feed_state(*, market_id: int, now: datetime) -> ExchangeFeedState:
    """Whether any listener hears the market's exchange now. One query over the newest connections."""
    newest = list(FeedConnection.objects.filter(market_id=market_id).order_by("-alive_at")[:16])
    alive = [c for c in newest if c.disconnected_at is None and now - c.alive_at <= ALIVE_EVERY * 2.5]
    last_frame = max((c.last_frame_at for c in newest if c.last_frame_at), default=None)
    heard = [c for c in alive if c.silent_since is None]
    if heard:
        return ExchangeFeedState(True, min(c.connected_at for c in heard), last_frame)
    lost = max((c.disconnected_at or c.silent_since or c.alive_at for c in newest), default=None)
    return ExchangeFeedState(False, lost, last_frame, silent=bool(alive))


def open_gaps(*, market_id: int, most: int = 20) -> list[FeedGap]:
    """The gaps of the feed that nobody has closed, newest first."""
    return list(FeedGap.objects.filter(market_id=market_id, closed_at=None)[:most])
