"""News about reference prices, sent once the storing transaction has committed."""

from __future__ import annotations

from django.dispatch import Signal

prices_changed = Signal()
"""kwargs: `changes`, a frozenset of (market primary key, delivery day)."""
