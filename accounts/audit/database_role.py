"""What the application's database role may do: everything it needs, and nothing that could change a record.

Tables belong to the role that migrates. The processes connect as another one, which this module gives its rights:
rows of kept tables (market/tables.py) can be read and added, and only the named columns changed; no table can be
truncated, altered or dropped, so no trigger can be switched off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.apps import apps
from django.db import connection, transaction
from psycopg import sql

from market.tables import Table, registered_tables

_FREE = sql.SQL("SELECT, INSERT, UPDATE, DELETE")


def kept_tables() -> list[str]:
    """The names of the tables whose rows are records."""
    return sorted(table.name for table in registered_tables() if table.kept)


def statements(*, role: str, tables: Iterable[str]) -> Iterator[sql.Composed]:
    """The grants for `role` on these tables, from a clean slate."""
    who, registered = sql.Identifier(role), {table.name: table for table in registered_tables()}
    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(who)
    yield sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC, {}").format(who)
    yield sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(who)
    yield sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(who)
    for table in sorted(tables):
        on = sql.SQL(" ON {} TO {}").format(sql.Identifier(table), who)
        known = registered.get(table, Table(table))
        if known.only_read:
            yield sql.SQL("GRANT SELECT") + on
        elif not known.kept:
            yield sql.SQL("GRANT ") + _FREE + on
        else:
            yield sql.SQL("GRANT SELECT, INSERT") + on
            if known.may_change:
                columns = sql.SQL(", ").join(map(sql.Identifier, known.may_change))
                yield sql.SQL("GRANT UPDATE ({})").format(columns) + on


@transaction.atomic
def grant_application(*, role: str, create: bool = False, password: str | None = None) -> None:
    """Give the application's role its rights, and the password if there is one.

    Raises django.db.ProgrammingError when the role doesn't exist.
    """
    with connection.cursor() as cursor:
        tables = {name for name in connection.introspection.table_names(cursor) if name.startswith(_ours())}
        if create and not _exists(role):
            cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if password is not None:
            cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
        for statement in statements(role=role, tables=tables):
            cursor.execute(statement)


def _ours() -> tuple[str, ...]:
    return ("django_", *(f"{config.label}_" for config in apps.get_app_configs()))


def _exists(role: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        return cursor.fetchone() is not None


def what_could_change() -> list[str]:
    """What the role of this very connection could do to records: one sentence each; empty is as it should be."""
    dangers = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            dangers.append("it is a superuser")
        for table in kept_tables():
            cursor.execute(
                """SELECT pg_has_role(current_user, relowner, 'USAGE'), has_table_privilege(oid, 'DELETE'),
                       has_table_privilege(oid, 'UPDATE'), has_table_privilege(oid, 'TRUNCATE')
                   FROM pg_class WHERE oid = to_regclass(%s)""",
                [table],
            )
            rights = cursor.fetchone() or (False,) * 4
            could = [
                word for word, may in zip(("alter", "delete from", "update", "truncate"), rights, strict=True) if may
            ]
            if could:
                dangers.append(f"it may {', '.join(could)} {table}")
    return dangers
