"""Has anything changed? Two small questions to PostgreSQL, asked on the event loop, for many requests at once.

`snapshot` names the set of transactions whose work can be seen. While it stays the same, nothing at all has been
committed, so whatever was read is still true. When it has changed, `fingerprint` tells whether anything that one page
shows, or its user's right to it, is among the changes. Both are exact: no clock, no message that could be lost. Only a
listener's word every five seconds that it is still connected is left out: pages hear of that over their sockets.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import psycopg
from django.db import connections

from market.tables import registered_tables

PATIENCE = 1.0
"""Seconds for an answer; a question without one is no answer."""
CROWD, GATHERING = 4, 0.002
"""After a question that so many had waited for, the next one waits so many seconds for more of them: in a storm of
requests the questions cost as much as a fourth of all answers, and who waits has others answered meanwhile."""

_SNAPSHOT = "SELECT pg_current_snapshot()::text"


@cache
def _statement() -> str:
    """What the apps say of their tables, as one question: what makes a page stale, and the figures' version."""
    tables = list(registered_tables())
    frame = ",\n    ".join(f"({table.frame})" for table in tables if table.frame)
    version = " || '.' ||\n  ".join(f"({table.figures})" for table in tables if table.figures)
    return f"SELECT ROW(\n    {frame})::text,\n  {version}"


class Unknown(Exception):
    """PostgreSQL can't be asked now."""


@dataclass(frozen=True, slots=True)
class PageOf:
    """What a board's page depends on: the digest of the session's key, trader and market by primary key, the day."""

    session: str
    trader_pk: int | None
    market_pk: int
    day: date

    def parameters(self) -> dict[str, Any]:
        return {"session": self.session, "trader": self.trader_pk, "market": self.market_pk, "day": self.day}


class Fingerprint(NamedTuple):
    """Two texts: `frame` changes with everything but the figures, `version` is the figures' (figures/board.py)."""

    frame: str
    version: str


class FingerprintReader:
    """One connection of its own on the event loop. Every answer is from after its question."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._waiting: list[asyncio.Future[str]] = []
        self._asking: asyncio.Task[None] | None = None

    async def snapshot(self) -> str:
        """The present snapshot's name; all who ask while a question is under way share the next one. Raises Unknown."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()  # each has its own: who goes away takes nobody's with it
        self._waiting.append(answer)
        if self._asking is None or self._asking.done():
            self._asking = loop.create_task(self._ask_while_wanted())
        return await answer

    async def fingerprint(self, page: PageOf) -> Fingerprint:
        """What changes with everything that the page shows. Raises Unknown."""
        frame, version = await self._ask(_statement(), page.parameters())
        return Fingerprint(str(frame), str(version))

    async def _ask_while_wanted(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            try:
                snapshot = str((await self._ask(_SNAPSHOT))[0])
            except Exception as error:
                for answer in _still_there(waiting):
                    answer.set_exception(error)
            else:
                for answer in _still_there(waiting):
                    answer.set_result(snapshot)
            if len(waiting) >= CROWD:
                await asyncio.sleep(GATHERING)

    async def _ask(self, question: str, parameters: dict[str, Any] | None = None) -> tuple[Any, ...]:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._fetch(question, parameters)
        except (psycopg.Error, OSError, TimeoutError) as error:
            await self._forget_connection()
            raise Unknown(str(error)) from None

    async def _fetch(self, question: str, parameters: dict[str, Any] | None) -> tuple[Any, ...]:
        if self._connection is None or self._connection.closed:
            self._connection = await connect()
        cursor = await self._connection.execute(question, parameters, prepare=True)
        row: tuple[Any, ...] | None = await cursor.fetchone()
        assert row is not None
        return row

    async def _forget_connection(self) -> None:
        broken, self._connection = self._connection, None
        if broken is not None:
            await broken.close()


def _still_there(waiting: list[asyncio.Future[str]]) -> list[asyncio.Future[str]]:
    """Those that have not gone away meanwhile."""
    return [answer for answer in waiting if not answer.done()]


async def connect() -> psycopg.AsyncConnection[Any]:
    """A connection to the database of Django's settings, outside of its pool."""
    wanted = connections["default"].get_connection_params()
    kept = {name: value for name, value in wanted.items() if name not in {"cursor_factory", "context"}}  # Django's own
    kept |= {"autocommit": True, "connect_timeout": 2, "application_name": "reporting web freshness"}
    return await psycopg.AsyncConnection.connect(**kept)
