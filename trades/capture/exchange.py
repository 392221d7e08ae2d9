"""The exchange's websocket. The only module that knows the websockets library."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from trades.capture.connection_loop import FeedEnded

log = structlog.get_logger("trades.capture.exchange")

LARGEST_MESSAGE = 16 * 1024 * 1024
PING_SECONDS = 2.0
"""Between two pings. A line that lives is heard from at least this often: see SILENT_SECONDS."""
ANSWER_SECONDS = 6.0
"""For a ping's answer. Generous, because the exchange replays nothing and every reconnect may lose trades. A dead
connection is given up after PING_SECONDS, this and CLOSE_SECONDS at most."""
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 2.0
SILENT_SECONDS = 3.0
"""After so long without a byte, not even a ping's answer, the line counts as silent: people are told, it is kept."""
LONGEST_SILENCE = 900.0
"""After so long without a frame a connection is renewed: pings prove the line, not that the exchange still sends."""
RENEW_AGAIN_SECONDS = 60.0
UNDER_WAY_SECONDS = 0.5
"""What the exchange had sent and the network not delivered when a connection ended is lost with it."""


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
        self._successor: ClientConnection | None = None
        self.frame_at = time.monotonic()
        self.end = "open"

    def continue_on(self, websocket: ClientConnection) -> None:
        """When the present connection ends, what it still holds is handed out, and then the other's frames."""
        self._successor = websocket

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                message = await self._websocket.recv(decode=False)
            except ConnectionClosed as closed:
                if self._successor is None:
                    frame = closed.rcvd or closed.sent
                    self.end = f"closed: {frame.code} {frame.reason}".strip() if frame else "connection lost"
                    return
                self._websocket, self._successor = self._successor, None
                continue
            self.frame_at = time.monotonic()
            yield message if isinstance(message, bytes) else message.encode()


class Exchange:
    """Opens connections to one address, and closes the open one when asked to."""

    def __init__(self, url: str, longest_silence: float = LONGEST_SILENCE) -> None:
        self.url = url
        self._longest_silence = longest_silence
        self._open: ClientConnection | None = None
        self._newest: ClientConnection | None = None
        self._goodbye_at: float | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[ExchangeFrames]:
        """One connection. FeedEnded when it can't be opened; the library's own retries and proxies are not used."""
        self._open = self._newest = await self._connect()
        self._goodbye_at = None
        frames = ExchangeFrames(self._open)
        renewing = asyncio.create_task(self._renew_when_silent(frames))
        try:
            yield frames
        finally:
            renewing.cancel()
            await self.close()
            self._open = None

    async def _connect(self) -> ClientConnection:
        try:
            return await connect(
                self.url,
                max_size=LARGEST_MESSAGE,
                max_queue=1024,
                ping_interval=PING_SECONDS,
                ping_timeout=ANSWER_SECONDS,
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
                proxy=None,
                compression=None,
                create_connection=_Heard,
            )
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError, ValueError) as error:
            raise FeedEnded(_short(error)) from None

    async def _renew_when_silent(self, frames: ExchangeFrames) -> None:
        """Open a second connection before the first is closed, so that nothing is missed between the two."""
        since = frames.frame_at
        while True:
            silent = time.monotonic() - max(since, frames.frame_at)
            if silent < self._longest_silence:
                await asyncio.sleep(self._longest_silence - silent)
                continue
            log.warning("exchange_silent", seconds=round(silent), consequence="a second connection is opened")
            try:
                fresh = await self._connect()
            except FeedEnded as error:
                log.warning("exchange_not_renewed", reason=str(error))
                await asyncio.sleep(min(RENEW_AGAIN_SECONDS, self._longest_silence))
                continue
            since = time.monotonic()
            frames.continue_on(fresh)
            silent_one, self._open, self._newest = self._open, fresh, fresh
            if silent_one is not None:
                await silent_one.close()

    def silence(self) -> float:
        """Seconds since the newest connection's last byte: for so long nothing has proven that it lives."""
        return time.monotonic() - self._newest.heard_at if isinstance(self._newest, _Heard) else 0.0

    def unheard(self) -> float:
        """Seconds for which something that the exchange sent may not have come, when a connection has just ended.

        Since goodbye was said to it, or since the last byte and what was under way then.
        """
        if self._goodbye_at is not None:
            return time.monotonic() - self._goodbye_at
        return self.silence() + UNDER_WAY_SECONDS

    async def close(self) -> None:
        """Close the open connection; frames that have arrived are still handed out before it ends."""
        if self._open is not None:
            self._goodbye_at = time.monotonic()
            await self._open.close()


def _short(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError | TimeoutError):
        return "no answer in time"
    return (str(error) or type(error).__name__).splitlines()[0][:200]
