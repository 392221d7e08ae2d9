"""Stand-ins for the exchange: a websocket that sends the same frames to every connection, and a scripted one for tests.

As a real exchange does, it replays nothing: what is sent while nobody is connected is gone.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from websockets.asyncio.server import Server, ServerConnection, broadcast
from websockets.asyncio.server import serve as serve_websocket

_Result = TypeVar("_Result")
_quiet = logging.getLogger("local.simulators.exchange.protocol")
_quiet.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an exchange's log: "connected", "disconnected" or "sent", when, and what was sent to how many."""

    kind: str
    at: float
    frame: str | bytes = ""
    receivers: int = 0


@dataclass(slots=True)
class Exchange:
    """A running exchange: who is connected, what was sent."""

    log: list[Event] = field(default_factory=list)
    keep_log: bool = True
    server: Server | None = None
    connected: set[ServerConnection] = field(default_factory=set)

    @property
    def port(self) -> int:
        """The port it listens on, also when the system has chosen it."""
        assert self.server is not None
        return int(next(iter(self.server.sockets)).getsockname()[1])

    def send(self, frame: str | bytes) -> int:
        """The frame to every connection, at once; returns to how many. Text goes out as text, bytes as binary."""
        receivers = list(self.connected)
        broadcast(receivers, frame)
        self._note("sent", frame, len(receivers))
        return len(receivers)

    def drop(self) -> None:
        """Cut every connection, with no goodbye."""
        for connection in list(self.connected):
            connection.transport.abort()

    async def hold(self, connection: ServerConnection) -> None:
        """A connection's life: nothing that a client says matters."""
        self.connected.add(connection)
        self._note("connected")
        try:
            async for _ignored in connection:
                pass
        except Exception as gone:  # however it went, it is gone; the log has it
            _quiet.debug("a connection ended: %s", gone)
        finally:
            self.connected.discard(connection)
            self._note("disconnected")

    def _note(self, kind: str, frame: str | bytes = "", receivers: int = 0) -> None:
        if self.keep_log:
            self.log.append(Event(kind, time.monotonic(), frame, receivers))


@asynccontextmanager
async def serve(host: str = "127.0.0.1", port: int = 0, exchange: Exchange | None = None) -> AsyncIterator[Exchange]:
    """An exchange that listens for the length of the block; port 0 takes a free one. OSError when it is taken."""
    exchange = exchange or Exchange()
    async with serve_websocket(exchange.hold, host, port, max_size=2**20, compression=None, logger=_quiet) as server:
        exchange.server = server
        yield exchange


class ScriptedExchange:
    """An exchange in a thread of its own, for tests: it sends what it is told to, from sync or async code.

    with ScriptedExchange() as exchange:
        ...connect to exchange.url...
        exchange.wait_for_connections(1)
        exchange.send('{"trade_confirmation": …}')
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._exchange = Exchange()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scripted exchange", daemon=True)
        self._listening: AbstractAsyncContextManager[Exchange] | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        """What EXCHANGE_WS_URL must be; the same after stop() and start()."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many are connected now."""
        return len(self._exchange.connected)

    @property
    def log(self) -> list[Event]:
        """Everything that happened, in order."""
        return list(self._exchange.log)

    def send(self, *frames: str | bytes) -> int:
        """These frames to every connection; returns how many connections there were."""
        return self._call(self._send(frames))

    def drop(self) -> None:
        """Cut every connection, with no goodbye; new ones are welcome."""
        self._call(self._drop())

    def start(self) -> None:
        """Listen (again)."""
        self._call(self._start())

    def stop(self) -> None:
        """Cut every connection and refuse new ones, until start()."""
        self._call(self._stop())

    def wait_for_connections(self, count: int, seconds: float = 10) -> None:
        """Until exactly so many are connected."""
        self.wait_until(lambda: self.connections == count, seconds)

    def wait_until(self, holds: Callable[[], bool], seconds: float = 10) -> None:
        """Until a condition holds; TimeoutError after the deadline."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds} s; {self.connections} connections")
            time.sleep(0.005)

    async def _send(self, frames: tuple[str | bytes, ...]) -> int:
        return min(self._exchange.send(frame) for frame in frames)

    async def _drop(self) -> None:
        self._exchange.drop()

    async def _start(self) -> None:
        self._listening = serve("127.0.0.1", self.port, exchange=self._exchange)
        await self._listening.__aenter__()
        self.port = self._exchange.port

    async def _stop(self) -> None:
        self._exchange.drop()
        listening, self._listening = self._listening, None
        if listening:
            await listening.__aexit__(None, None, None)

    def _call(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)
