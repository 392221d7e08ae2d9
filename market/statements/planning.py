"""What PostgreSQL plans a statement by: the values of this execution or any, and how much it takes tables to hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def planned_by_values() -> Iterator[None]:
    """Statements within are planned for the values that they ask for, every time; they must be sent within, too.

    Others that a connection repeats are prepared (reporting/settings.py), and after five executions PostgreSQL may
    plan a prepared one once for whatever values. Where the values decide what is read, that plan may read everything:
    the newest row of an average trader is soon found among all rows, that of a trader who rests lies behind a million;
    and "one trader or all of them" is planned as all of them. To plan anew costs a fraction of a millisecond.
    """
    connection.ensure_connection()
    session = connection.connection
    threshold, session.prepare_threshold = session.prepare_threshold, None
    try:
        yield
    finally:
        session.prepare_threshold = threshold


def count_tables() -> None:
    """Have PostgreSQL look at all tables, after very much has come at once: until it does by itself, within minutes,
    its plans are those of a desk without it."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
