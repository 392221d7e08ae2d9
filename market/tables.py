"""The register of tables: each app names its own in a module `tables`, and what hangs on them follows from it.

The database role's rights come from `kept` (accounts/audit/database_role.py), the fingerprint of a board's page from
`frame` and `figures` (dashboard/live/fingerprint.py). A table that nobody named fails a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar

from django.apps import apps
from django.db import ProgrammingError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Table:
    """One table. SQL may use the parameters session, trader, market and day, and ROWS.format(alias)."""

    name: str
    kept: bool = False
    """Its rows are records: read and added, never deleted."""
    may_change: tuple[str, ...] = ()
    """Columns of a kept table that change all the same."""
    only_read: bool = False
    """The application never writes it."""
    frame: str = ""
    """SQL whose answer changes with everything of it that a board's page shows, its figures aside."""
    figures: str = ""
    """SQL for a whole number that grows with each change of the figures that a board shows."""
    shows_nothing: str = ""
    """Why no page of a board gets stale with it, where it has neither."""


ROWS = "count(*) || ':' || coalesce(max({0}.xmin::text::bigint), 0)"
"""A row that is inserted or changed carries the newest transaction's number (xmin), one that goes is missing from the
count: together they can't stay the same when any row changes."""


def registered_tables() -> Iterator[Table]:
    """Every table that an app names, app by app."""
    for config in apps.get_app_configs():
        name = f"{config.name}.tables"
        if find_spec(config.name) and find_spec(name):
            yield from import_module(name).TABLES


def unless_missing(read: Callable[[], _T], otherwise: _T) -> _T:
    """What `read` gives, or `otherwise` where an update has not brought a table yet: the new version runs on the old
    schema for a while. Not within a transaction, which the error would end.
    """
    try:
        return read()
    except ProgrammingError:
        return otherwise


TABLES = (
    Table("market_market", frame=f"SELECT {ROWS.format('m')} FROM market_market m"),
    Table("market_marketrule", frame=f"SELECT {ROWS.format('r')} FROM market_marketrule r"),
    Table("market_gateclosure", frame=f"SELECT {ROWS.format('g')} FROM market_gateclosure g"),
    Table("market_referencerule", frame=f"SELECT {ROWS.format('r')} FROM market_referencerule r"),
    Table("market_deskclock", shows_nothing="a moved clock is the status page's"),
    Table("market_clockreport", shows_nothing="a moved clock is the status page's"),
)
"""The market's own."""
