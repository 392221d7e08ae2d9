"""Open pages that only hear that something may be new (the page of assumptions), and ask for what is theirs to see.

A hint may be lost: the hub's sweep compares what was stored last, too.
"""

from __future__ import annotations

from typing import Protocol

from django.db import ProgrammingError, connection

_NEWEST = """SELECT (SELECT max(id) FROM dashboard_assumption), (SELECT max(id) FROM dashboard_verdictrecord),
    (SELECT max(period_id) FROM dashboard_frozenprice), (SELECT count(*) FROM dashboard_withdrawal),
    (SELECT max(id) FROM prices_referencepricehistory)"""
NEWS = '{"assumptions": "news"}'

Newest = tuple[int | None, ...]


class Listener(Protocol):
    """One browser's open socket."""

    async def send(self, text_data: str) -> None: ...


class Listeners:
    """All such pages of this process."""

    def __init__(self) -> None:
        self.pages: set[Listener] = set()
        self._newest: Newest | None = None

    async def tell(self) -> None:
        """Say that something may be new."""
        for page in list(self.pages):
            try:
                await page.send(text_data=NEWS)
            except Exception:  # a socket that is just going away; its own disconnect takes it off the list
                self.pages.discard(page)

    async def compare(self, newest: Newest) -> None:
        """Say so when something was stored since the last look."""
        before, self._newest = self._newest, newest
        if newest != before and before is not None:
            await self.tell()


def read_newest() -> Newest:
    """The numbers of what was stored last; none where an update has not brought the tables yet. One query, by index."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_NEWEST)
            return tuple(cursor.fetchone())
    except ProgrammingError:
        return ()
