"""Reads of alerts."""

from __future__ import annotations

from django.db.models import Max

from dashboard.alerts.models import Alert
from market.tables import unless_missing


def newest_alert() -> int:
    """The number of the newest alert of anybody; 0 without any, or without the table. One query, by index."""
    return unless_missing(lambda: Alert.objects.aggregate(newest=Max("pk"))["newest"] or 0, 0)


def has_unseen(user_pk: int) -> bool:
    """Whether a user's page has something on its line; nothing where an update has not brought the table yet."""
    rows = Alert.objects.filter(user_id=user_pk, muted=False, seen_at=None)
    return unless_missing(rows.exists, False)
