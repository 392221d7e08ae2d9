"""A TCP proxy in a thread, for tests: it passes bytes on until it is told to fail in one of the ways networks fail.

with Proxy("127.0.0.1", exchange.port) as proxy:
    ...connect to proxy.port...
    proxy.switch(Mode.BLACKHOLE)
"""

from __future__ import annotations

import asyncio
import ctypes
import enum
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

_Result = TypeVar("_Result")
_CHUNK = 65536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


class Mode(enum.Enum):
    """What becomes of bytes and of new connections. It holds at once, for open connections too."""

    PASS = "pass"  # noqa: S105 - no password
    BLACKHOLE = "blackhole"
    """Everything is accepted, nothing is passed on: half-open. A connection that lost bytes stays dead for good."""
    FREEZE = "freeze"
    """Nothing is passed on until the mode changes, and then all of it: no byte is lost, no connection ends."""
    REFUSE = "refuse"
    """Open connections go on, new ones are refused."""
    DELAY = "delay"
    """Every chunk is passed on `delay` seconds late."""
    DRIP = "drip"
    """One byte at a time."""
    GONE = "gone"
    """As if the machine had no power any more (Linux): nothing is acknowledged, refused or closed. What was open then
    stays so for good; with the next mode another machine has the address."""


_ATTACH_FILTER, _DETACH_FILTER = 26, 27
"""SO_ATTACH_FILTER and SO_DETACH_FILTER of Linux, for which Python's socket has no names."""
_DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A filter of one instruction: keep nothing of any packet. TCP drops it before it would acknowledge it."""


def _deafen(end: Any) -> None:
    """From now on nothing that arrives at this socket is acknowledged or answered, nor is a new connection."""
    instructions = ctypes.create_string_buffer(_DROP_ALL)
    end.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(instructions)))


@dataclass(eq=False, slots=True)
class _Link:
    """One client's connection and, unless it began in the dark, the one to the target."""

    client: asyncio.StreamWriter
    target: asyncio.StreamWriter | None = None
    dead: bool = False
    ended: bool = False
    """The client has been told that nothing more comes: what the target says after that is dropped."""

    def leave(self) -> None:
        """The client hears nothing any more, not even that; the target hears that it is over."""
        self.dead = True
        _deafen(self.client.get_extra_info("socket"))
        if self.target is not None:
            self.target.transport.abort()

    def abort(self) -> None:
        """Reset both sides."""
        for writer in (self.client, self.target):
            if writer is not None:
                _reset(writer)


class Proxy:
    """Passes what comes to `port` on to the target, as the present mode says. All methods are for other threads.

    Without a port the target is a Unix socket, and `host` its path.
    """

    def __init__(self, host: str, port: int = 0, *, delay: float = 0.2) -> None:
        self.port = 0
        self.delay = delay
        self.mode = Mode.PASS
        self._target = (host, port)
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_details: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        """The proxy's place as a websocket address."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._links)

    def switch(self, mode: Mode) -> None:
        """Fail in this way from now on, or pass again."""
        self._call(self._switch(mode))

    def reset(self) -> None:
        """Reset (RST) every open connection, on both sides; new ones are welcome."""
        self._call(self._reset())

    def half_close(self) -> None:
        """Tell every client that nothing more comes, and go on taking what it sends."""
        self._call(self._half_close())

    # --- in the proxy's own thread -------------------------------------------------------------------------------
    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = int(self._server.sockets[0].getsockname()[1])

    def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _switch(self, mode: Mode) -> None:
        before, self.mode = self.mode, mode
        if mode is Mode.GONE:
            self._go()
        elif before is Mode.GONE:
            self._come_back()
        (self._flowing.clear if mode is Mode.FREEZE else self._flowing.set)()
        if mode is Mode.REFUSE:
            self._refuse()
        else:
            await self._listen()

    def _go(self) -> None:
        for end in self._server.sockets if self._server else ():
            _deafen(end)
        for link in self._links:
            link.leave()

    def _come_back(self) -> None:
        for end in self._server.sockets if self._server else ():
            end.setsockopt(socket.SOL_SOCKET, _DETACH_FILTER, 0)

    async def _reset(self) -> None:
        for link in list(self._links):
            link.abort()

    async def _half_close(self) -> None:
        for link in list(self._links):
            link.ended = True
            link.client.write_eof()

    async def _end(self) -> None:
        self._refuse()
        await self._reset()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer, dead=self.mode is Mode.BLACKHOLE)
        self._links.add(link)
        try:
            if self.mode is Mode.GONE:  # it had come just before
                link.leave()
            if link.dead:
                await self._pump(link, reader, writer)
            else:
                await self._join(link, reader)
        except OSError:
            link.abort()
        except asyncio.CancelledError:
            link.abort()  # the proxy ends; a cancelled task of asyncio's server would be reported as an error
        finally:
            self._links.discard(link)
            writer.close()

    async def _join(self, link: _Link, from_client: asyncio.StreamReader) -> None:
        host, port = self._target
        opened = asyncio.open_connection(host, port) if port else asyncio.open_unix_connection(host)
        from_target, link.target = await opened
        try:
            await asyncio.gather(self._pump(link, from_client, link.target), self._pump(link, from_target, link.client))
        finally:
            link.target.close()

    async def _pump(self, link: _Link, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            link.dead = link.dead or self.mode is Mode.BLACKHOLE
            await self._flowing.wait()
            if not link.dead and not (link.ended and sink is link.client):
                await self._pass_on(data, sink)
        await self._flowing.wait()
        if not link.dead and not link.ended and self.mode is not Mode.BLACKHOLE and sink.can_write_eof():
            with suppress(OSError):
                sink.write_eof()

    async def _pass_on(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        if self.mode is Mode.DELAY:
            await asyncio.sleep(self.delay)
        step = 1 if self.mode is Mode.DRIP else len(data)
        for start in range(0, len(data), step):
            sink.write(data[start : start + step])
            await sink.drain()
            if step == 1:
                await asyncio.sleep(0)  # a segment of its own

    def _call(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
