"""Reads of alerts."""

from __future__ import annotations

from django.db import connection

from dashboard.alerts.models import Alert
from market.tables import unless_missing


def newest_alert() -> int:
    """The number of the newest alert of anybody; 0 without any, or without the table. One query, by index."""

    def read() -> int:
        with connection.cursor() as cursor:  # written out: every web process asks every second
            cursor.execute("SELECT coalesce(max(id), 0) FROM dashboard_alert")
            return int(cursor.fetchone()[0])

    return unless_missing(read, 0)


def has_unseen(user_pk: int) -> bool:
    """Whether a user's page has something on its line; nothing where an update has not brought the table yet."""
    rows = Alert.objects.filter(user_id=user_pk, muted=False, seen_at=None)
    return unless_missing(rows.exists, False)
