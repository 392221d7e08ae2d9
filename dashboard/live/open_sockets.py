"""Open sockets and the right to them: whoever logs out, changes the password or loses a role is cut off at once.

The guard of a web process holds all its open sockets. News of users travels as a hint, like news of boards; a hint may
be lost, so every few seconds all sockets are compared with the database anyway: one query, however many there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

import structlog
from django.db import connection, reset_queries

from dashboard.access.standings import Standing, standings
from dashboard.access.view_recording import note_view
from dashboard.live.hub import hub
from market import clock

log = structlog.get_logger("dashboard.live.open_sockets")

RECHECK_SECONDS = 5.0
MOST_SOCKETS = 30
"""Open websockets of one user in one web process."""
NOT_LOGGED_IN, NOT_YOURS, TOO_MANY = 4401, 4404, 4429


class Socket(Protocol):
    """One open websocket, or stream, of a user."""

    session: str
    """The digest of its session's key, or of its token (access/standings.py)."""
    user_pk: int
    page: str
    """The path of the page that it keeps up to date."""

    @property
    def most(self) -> int:
        """How many of its kind one user may have open in one web process."""
        ...

    def may_stay(self, standing: Standing) -> bool:
        """Whether a user of this standing may see what the socket shows. Asks no database."""
        ...

    async def end(self, code: int) -> None:
        """Close it; nothing is sent after."""
        ...


def _read(digests: Collection[str]) -> dict[str, Standing]:
    try:
        return standings(digests=digests, now=clock.now())
    finally:
        reset_queries()
        connection.close()  # back to the pool: this thread is no request that would do so


class OpenSockets:
    """All open sockets of this process. Everything here runs on the event loop; only the reading leaves it."""

    def __init__(self, read: Callable[[Collection[str]], dict[str, Standing]] = _read) -> None:
        self._read = read
        self._sockets: set[Socket] = set()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="guard")
        self._running: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    @property
    def open_sockets(self) -> int:
        return len(self._sockets)

    def has_room(self, *, user_pk: int, most: int) -> bool:
        """Whether the user may open one more of a kind of which there may be so many."""
        return sum((other.user_pk, other.most) == (user_pk, most) for other in list(self._sockets)) < most

    def admit(self, socket: Socket) -> bool:
        """Look after the socket from now on; False when its user has too many."""
        if not self.has_room(user_pk=socket.user_pk, most=socket.most):
            return False
        self._sockets.add(socket)
        hub.on_access = self.look_soon
        if self._running is None or self._running.done():
            self._news = asyncio.Event()
            self._running = asyncio.get_running_loop().create_task(self._look_for_ever())
        return True

    def look_soon(self) -> None:
        """There is news of somebody's rights."""
        self._news.set()

    def release(self, socket: Socket) -> None:
        self._sockets.discard(socket)

    async def recheck(self) -> None:
        """Compare every socket with the database and end those whose user may not see them any more."""
        checked = list(self._sockets)
        if not checked:
            return
        digests = {socket.session for socket in checked}
        holding = await asyncio.get_running_loop().run_in_executor(self._executor, self._read, digests)
        for socket in checked:
            standing = holding.get(socket.session)
            if standing is None:
                await self._end(socket, NOT_LOGGED_IN)
            elif not socket.may_stay(standing):
                await self._end(socket, NOT_YOURS)
            else:
                note_view(standing.username, socket.page)

    async def _end(self, socket: Socket, code: int) -> None:
        self.release(socket)
        try:
            await socket.end(code)
        except Exception as error:  # it is just going away by itself
            log.debug("socket_gone", error=str(error))

    async def _look_for_ever(self) -> None:
        while True:
            self._news.clear()
            try:
                await self.recheck()
            except Exception as error:  # PostgreSQL is away, and with it all that could be shown: the next look is soon
                log.warning("sockets_not_checked", error=str(error).splitlines()[0] if str(error) else repr(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), RECHECK_SECONDS)


guard = OpenSockets()
