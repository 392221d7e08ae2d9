"""What alarms watch: how the listeners are doing, and how much waits for a person. No writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from trades.models import FeedConnection, FeedGap, QuarantinedMessage
from trades.queries import ALIVE_EVERY


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
