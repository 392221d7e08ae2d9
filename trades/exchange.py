"""The exchange's websocket. The only module that knows the websockets library."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from trades.listening import FeedEnded

LARGEST_MESSAGE = 16 * 1024 * 1024
PING_SECONDS = 4.0
"""Between two pings, and for each answer. A dead connection is noticed after twice this and CLOSE_SECONDS at most."""
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 2.0


class _Heard(ClientConnection):
    """A connection that knows when its last byte came: data or the answer to a ping, whatever proves that it lives."""

    heard_at: float

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.heard_at = time.monotonic()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        super().data_received(data)


class ExchangeFrames:
    """The frames of one open connection, as bytes: text that isn't UTF-8 must not close the socket."""

    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket
        self.end = "open"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                message = await self._websocket.recv(decode=False)
                yield message if isinstance(message, bytes) else message.encode()
        except ConnectionClosed as closed:
            frame = closed.rcvd or closed.sent
            self.end = f"closed: {frame.code} {frame.reason}".strip() if frame else "connection lost"


class Exchange:
    """Opens connections to one address, and closes the open one when asked to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._open: ClientConnection | None = None
        self._newest: ClientConnection | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[ExchangeFrames]:
        """One connection. FeedEnded when it can't be opened; the library's own retries and proxies are not used."""
        try:
            websocket = await connect(
                self.url,
                max_size=LARGEST_MESSAGE,
                max_queue=1024,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
                proxy=None,
                compression=None,
                create_connection=_Heard,
            )
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError, ValueError) as error:
            raise FeedEnded(_short(error)) from None
        self._open = self._newest = websocket
        try:
            yield ExchangeFrames(websocket)
        finally:
            self._open = None
            await websocket.close()

    def silence(self) -> float:
        """Seconds since the newest connection's last byte: for so long nothing has proven that it lives."""
        return time.monotonic() - self._newest.heard_at if isinstance(self._newest, _Heard) else 0.0

    async def close(self) -> None:
        """Close the open connection; frames that have arrived are still handed out before it ends."""
        if self._open is not None:
            await self._open.close()


def _short(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError | TimeoutError):
        return "no answer in time"
    return (str(error) or type(error).__name__).splitlines()[0][:200]
