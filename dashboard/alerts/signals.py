"""News about alerts, sent once the storing transaction has committed."""

from __future__ import annotations

from django.dispatch import Signal

alerts_changed = Signal()
"""kwargs: `user_pk`, whose they are."""


def announce(user_pk: int) -> None:
    """Say that a user's alerts are others; for transaction.on_commit."""
    alerts_changed.send_robust(sender=None, user_pk=user_pk)
