"""A websocket's message is on its way when `send` returns, and is framed once for all pages that it goes to.

Autobahn frames each message anew for each page, and colours words for a log that nobody reads. Twisted then writes it
when the event loop comes round to the socket, which it watches for that moment alone: three calls of the kernel more.
Fifteen pages of a board waited twice as long for each other. What a connection does not take at once goes Twisted's
way.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from autobahn.websocket.protocol import PreparedMessage
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.tcp import Connection


def send_at_once() -> None:
    """Called once by the web process, before daphne answers anything."""
    send = WebSocketProtocol.serverSend

    def server_send(self: Any, content: str | bytes, binary: bool = False) -> None:
        frame = _framed(content) if isinstance(content, str) else b""
        if frame and _takes(self, frame) and _is_clear(self.transport):
            _write(self.transport, frame)
        else:
            send(self, content, binary)

    WebSocketProtocol.serverSend = server_send


def _takes(protocol: Any, frame: bytes) -> bool:
    """Whether a frame may be written as it is: the connection is open, it is neither too long nor to be compressed or
    chopped up."""
    is_open, most = protocol.state == protocol.STATE_OPEN, protocol.maxMessagePayloadSize
    is_whole = protocol._perMessageCompress is None and not protocol.autoFragmentSize and not protocol.send_queue
    return is_open and is_whole and not 0 < most < len(frame)


def _is_clear(transport: Any) -> bool:
    """Whether the connection's own socket is there to be written to, and nothing else waits for it."""
    return (
        isinstance(transport, Connection)
        and bool(transport.connected)
        and not (transport.disconnecting or transport._writeDisconnected or transport._writeDisconnecting)
        and not (transport._tempDataBuffer or len(transport.dataBuffer) > transport.offset)
    )


def _write(transport: Any, frame: bytes) -> None:
    sent = transport.writeSomeData(frame)
    if not isinstance(sent, int):
        transport.write(frame)  # the connection is gone: Twisted finds the same, and ends it
    elif sent < len(frame):
        transport.write(frame[sent:])


@lru_cache(maxsize=8)
def _framed(text: str) -> bytes:
    """The same text goes to many pages, one after another."""
    frame: bytes = PreparedMessage(text.encode(), False, False, True).payloadHybi
    return frame
