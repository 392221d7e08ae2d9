"""News about trades, sent once the storing transaction has committed. Receivers must not fail or block the sender."""

from __future__ import annotations

from django.dispatch import Signal

positions_changed = Signal()
"""kwargs: `changes`, a frozenset of (trader primary key, market primary key, delivery day)."""

feed_changed = Signal()
"""kwargs: `market_id`. A listener connected or lost its connection."""
