"""Open pages that only hear that something may be new (the page of assumptions), and ask for what is theirs to see.

A hint may be lost: the hub's sweep compares what was stored last, too.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from django.db import connection

from dashboard.live import metrics
from market.tables import unless_missing

_NEWEST = """SELECT (SELECT max(id) FROM dashboard_assumption), (SELECT max(id) FROM dashboard_verdictrecord),
    (SELECT max(period_id) FROM dashboard_frozenprice), (SELECT count(*) FROM dashboard_withdrawal),
    (SELECT max(id) FROM prices_referencepricehistory)"""
IN_A_ROW = 16
"""Pages that are told before anything else of the process gets its turn."""
NEWS = '{"assumptions": "news"}'

Newest = tuple[int | None, ...]


class Page(Protocol):
    """One browser's open socket."""

    async def send(self, text_data: str) -> None: ...


async def tell(pages: set[Page], text: str) -> None:
    """Send a text to open pages. Where nothing waits in a connection it leaves at once, one page after another."""
    for number, page in enumerate(list(pages), start=1):
        try:
            await page.send(text_data=text)
            metrics.MESSAGES_PUSHED.inc()
            if number % IN_A_ROW == 0:
                await asyncio.sleep(0)
        except Exception:  # a socket that is just going away; its own disconnect takes it off the list
            pages.discard(page)


class Listeners:
    """All such pages of this process."""

    def __init__(self) -> None:
        self.pages: set[Page] = set()
        self._newest: Newest | None = None

    async def tell(self) -> None:
        """Say that something may be new."""
        await tell(self.pages, NEWS)

    async def compare(self, newest: Newest) -> None:
        """Say so when something was stored since the last look."""
        before, self._newest = self._newest, newest
        if newest != before and before is not None:
            await self.tell()


def read_newest() -> Newest:
    """The numbers of what was stored last; none where an update has not brought the tables yet. One query, by index."""

    def read() -> Newest:
        with connection.cursor() as cursor:
            cursor.execute(_NEWEST)
            return tuple(cursor.fetchone())

    return unless_missing(read, ())
