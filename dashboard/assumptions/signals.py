"""News about assumptions, sent once the storing transaction has committed."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.dispatch import Signal

Change = tuple[int, int, date]
"""(trader primary key, market primary key, delivery day)."""

assumptions_changed = Signal()
"""kwargs: `changes`, a frozenset of (trader primary key, market primary key, delivery day)."""


def announce(changes: set[Change]) -> None:
    """Say whose assumptions of which day are others, when this transaction has committed; of nothing, nothing."""
    if changes:
        transaction.on_commit(lambda: assumptions_changed.send_robust(sender=None, changes=frozenset(changes)))
