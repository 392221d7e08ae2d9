"""The register of tables: every table is named once, and says what hangs on it."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection

from market.tables import registered_tables

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_every_table_is_named_by_exactly_one_app() -> None:
    named = Counter(table.name for table in registered_tables())
    there = set(connection.introspection.table_names())
    unnamed = [f"{name}: no register names it; add it to TABLES of its app's tables.py." for name in there - set(named)]
    gone = [f"{name}: a register names it, and it does not exist." for name in set(named) - there]
    twice = [f"{name}: two registers name it." for name, count in named.items() if count > 1]
    assert sorted(unnamed + gone + twice) == []


def test_every_table_says_what_makes_a_page_stale_or_why_nothing_does() -> None:
    silent = [t.name for t in registered_tables() if bool(t.frame or t.figures) == bool(t.shows_nothing)]
    assert silent == [], f"{silent}: say what makes a board's page stale (frame, figures), or why nothing does."


def test_only_kept_tables_have_columns_that_may_change() -> None:
    assert [t.name for t in registered_tables() if t.may_change and not t.kept] == []
    columns = {t.name: set(t.may_change) for t in registered_tables() if t.may_change}
    with connection.cursor() as cursor:
        for name, may_change in columns.items():
            there = {column.name for column in connection.introspection.get_table_description(cursor, name)}
            assert may_change <= there
