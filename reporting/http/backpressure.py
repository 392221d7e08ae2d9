"""Whether a client takes what it is sent. Daphne buffers without an end and ASGI has no word for it.

Twisted tells its HTTP channel when more than 64 KB wait in the connection's buffer, and again when they are gone. The
scope of a request carries a question for that; a server that has no such channel is never behind.
"""

from __future__ import annotations

from typing import Any

from daphne.server import Server

EXTENSION = "desk.is_behind"


def _is_behind(channel: Any) -> bool:
    return bool(getattr(channel, "_waitingForTransport", False))


def tell_backpressure() -> None:
    """Called once by the web process, before daphne answers anything."""
    create = Server.create_application

    def create_application(self: Any, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] == "http":
            channel = protocol.channel
            scope.setdefault("extensions", {})[EXTENSION] = lambda: bool(
                getattr(channel, "_waitingForTransport", False)
            )
        return create(self, protocol, scope)

    Server.create_application = create_application
