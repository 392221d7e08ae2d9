"""Rows that the product never lets go, taken away for a test: with PostgreSQL's triggers off, as only an owner can."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.db.models import Model


def emptied(*models: type[Model]) -> None:
    """No rows of these models any more."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for model in models:
            rows: Any = model._default_manager.all()
            rows._raw_delete(rows.db)
        cursor.execute("SET LOCAL session_replication_role = origin")
