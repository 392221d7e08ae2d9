"""One statement for many keys at once: they travel as columns (columns.py), and only their rows are read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection

from market.statements.columns import column_of


def rows_for(statement: str, keys: Collection[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows of a statement that takes the keys' parts, one array each, in order. Without keys nothing is asked."""
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, [column_of(column) for column in zip(*keys, strict=True)])
        return list(cursor.fetchall())
