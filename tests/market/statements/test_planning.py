"""Statements that are planned for the values that they ask for."""

from __future__ import annotations

import pytest
from django.db import connection

from market.statements.planning import planned_by_values

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
OFTEN = 12
"""Times. The fourth is prepared, after five more PostgreSQL may plan it once for all values."""


def ask(word: str) -> None:
    with connection.cursor() as cursor:
        for number in range(OFTEN):
            cursor.execute(f"SELECT '{word}', id FROM market_market WHERE id = %s", [number])


def prepared(word: str) -> int:
    """So many statements with the word are prepared on this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE position(%s IN statement) > 0", [word])
        return int(cursor.fetchone()[0])


def test_within_nothing_is_prepared_and_after_it_all_is_as_before() -> None:
    with planned_by_values():
        ask("within")
        with planned_by_values():
            ask("deeper")
        ask("still within")
    ask("after it")
    assert [prepared(word) for word in ("within'", "deeper'", "still within'", "after it'")] == [0, 0, 0, 1]


def test_what_was_prepared_before_is_planned_by_its_values_within() -> None:
    ask("both")
    with planned_by_values():
        ask("both")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE position('both''' IN statement) > 0"
        )
        assert cursor.fetchall() == [(OFTEN - 3,)]


def test_an_error_within_leaves_it_as_before() -> None:
    connection.ensure_connection()
    before = connection.connection.prepare_threshold
    with pytest.raises(ZeroDivisionError), planned_by_values():
        raise ZeroDivisionError
    assert connection.connection.prepare_threshold == before == 3
