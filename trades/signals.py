"""News about trades, sent once the storing transaction has committed. Receivers must not fail or block the sender."""

from __future__ import annotations

from datetime import date

from django.dispatch import Signal

Change = tuple[int, int, date]
"""(trader primary key, market primary key, delivery day): one board whose figures moved."""

positions_changed = Signal()
"""kwargs: `changes`, a frozenset of (trader primary key, market primary key, delivery day)."""

feed_changed = Signal()
"""kwargs: `market_id`. A listener connected or lost its connection."""


def announce_positions(changes: set[Change]) -> None:
    """Say which boards moved; for transaction.on_commit."""
    positions_changed.send_robust(sender=None, changes=frozenset(changes))


def announce_feed(market_id: int) -> None:
    """Say that the state of a market's feed may be another; for transaction.on_commit."""
    feed_changed.send_robust(sender=None, market_id=market_id)
