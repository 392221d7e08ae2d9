"""The connection's life, without the network: connect, take frames until it ends, pause, for ever. Pure policy.

`trades.capture.exchange` puts the websocket under it; tests put a script under it.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

QUICK_PAUSE = 0.2
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
STEADY_SECONDS = 30.0
"""A connection that held this long counts as good even if it delivered nothing (a quiet night)."""


class Frames(Protocol):
    """One open connection: iterating yields frames as bytes and ends when it ends, for whichever reason."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    @property
    def end(self) -> str:
        """Why it ended, in a few words."""


class FeedEnded(Exception):
    """The connection could not be opened; the message says why in a few words."""


@dataclass(slots=True)
class Pauses:
    """How long to wait before the next connection: hardly after one that was good, longer and longer otherwise."""

    random: Callable[[], float] = field(default=random.random)
    _failures: int = 0

    def after(self, *, good: bool) -> float:
        """Seconds, jittered, so that two listeners never move in step."""
        if good:
            self._failures = 0
            return QUICK_PAUSE * (0.5 + self.random() / 2)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)
        return pause * (0.5 + self.random() / 2)


class Listener(Protocol):
    """What hears of the connection's life; none of its methods may raise or take long."""

    def connected(self) -> None: ...
    def disconnected(self, reason: str) -> None: ...
    def refused(self, reason: str, pause: float) -> None: ...
    async def take(self, frame: bytes) -> None: ...


async def listen(
    *,
    connect: Callable[[], AbstractAsyncContextManager[Frames]],
    listener: Listener,
    stopping: Callable[[], bool],
    wait: Callable[[float], Awaitable[object]],
    clock: Callable[[], float],
    pauses: Pauses | None = None,
) -> None:
    """Keep one connection open until `stopping()`; never gives up, never hammers.

    `wait(seconds)` returns early when the process is to stop. `clock` is monotonic, in seconds.
    """
    pauses = pauses or Pauses()
    while not stopping():
        good = False
        try:
            good, reason = await _one_connection(connect, listener, clock)
        except FeedEnded as error:
            reason = str(error)
        if stopping():
            return
        pause = pauses.after(good=good)
        listener.refused(reason, pause)
        await wait(pause)


async def _one_connection(
    connect: Callable[[], AbstractAsyncContextManager[Frames]], listener: Listener, clock: Callable[[], float]
) -> tuple[bool, str]:
    async with connect() as frames:
        opened, delivered = clock(), False
        listener.connected()
        try:
            async for frame in frames:
                delivered = True
                await listener.take(frame)
        except BaseException:  # cancelled, or a bug: either way this connection is not heard any more
            listener.disconnected("listener stopped")
            raise
        listener.disconnected(frames.end)
        return delivered or clock() - opened >= STEADY_SECONDS, frames.end
