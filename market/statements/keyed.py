"""One statement for many keys at once: they travel as columns (columns.py), and only their rows are read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection

from market.statements.columns import column_of


def value_of_each(statement: str, keys: Collection[tuple[Any, ...]]) -> dict[Any, Any]:
    """Key -> value, by a statement that takes the keys' parts, one array each, and has a row of them and a value.

    Without keys nothing is asked.
    """
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(statement, [column_of(column) for column in zip(*keys, strict=True)])
        return {tuple(key): value for *key, value in cursor.fetchall()}
