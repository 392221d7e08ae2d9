"""Emptying the tables after a test that commits: only those that have rows, in one statement each, without signals.

Django's own way truncates all of them and makes all permissions anew, a quarter of a second each time. Here content
types and permissions stay as the migrations made them; everything else goes, rows of migrations included, as before.
"""

from __future__ import annotations

from functools import cache

from django.db import connection
from django.test import TransactionTestCase

_STAY = {"django_migrations", "django_content_type", "auth_permission"}


@cache
def _tables() -> tuple[str, ...]:
    return tuple(sorted(set(connection.introspection.django_table_names(only_existing=True)) - _STAY))


def flush() -> None:
    """No rows in any table but those that describe the product itself."""
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in _tables()))
        filled = [table for (table,) in cursor.fetchall()]
        if not filled:
            return
        # Triggers would keep records from going, and foreign keys would ask for an order: all of it goes.
        deletes = "".join(f"DELETE FROM {table};" for table in filled)
        cursor.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {deletes} COMMIT")


def install() -> None:
    """From now on tests that commit are cleared up in this way."""

    def clear_up(_case: TransactionTestCase) -> None:
        flush()

    TransactionTestCase._fixture_teardown = clear_up  # type: ignore[method-assign]
