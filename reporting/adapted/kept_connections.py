"""A worker's threads keep their connections to PostgreSQL from task to task, as the threads of other processes do.

Celery closes them before and after each task, whatever CONN_MAX_AGE says: Django does not see of every connection that
it is broken. A tick each five seconds then is a new session each time, whose process at PostgreSQL reads its catalogue
and plans every statement anew. With `CELERY_DB_REUSE_MAX` set it leaves them open, and looks after none; so this does.
"""

from __future__ import annotations

from typing import Any

from django.db import connections


def look_after_connections(**_kwargs: Any) -> None:
    """This thread's: new ones for those on which anything has gone wrong, whatever they look like; the rest are asked
    when they are used first."""
    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred and not connection.in_atomic_block:
            connection.close()
        connection.close_if_unusable_or_obsolete()
