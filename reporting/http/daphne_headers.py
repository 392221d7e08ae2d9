"""Answers that no middleware of Django's sees: its own before them (a body too large), and daphne's without it.

Daphne answers a broken request and a refused websocket by itself and has no setting for headers: the two methods that
write these answers are given ours.
"""

from __future__ import annotations

from typing import Any

from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings

from reporting.http.headers import NO_STORE, security_headers


def _pairs() -> list[tuple[str, str]]:
    return [*security_headers(secure=settings.SECURE_COOKIES).items(), ("Cache-Control", NO_STORE)]


class WithHeaders:
    """ASGI middleware: an HTTP answer that comes without our headers gets them."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        async def sending(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message.get("headers", ())}
                if b"content-security-policy" not in there:
                    ours = [(name.lower().encode(), value.encode()) for name, value in _pairs()]
                    kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in dict(ours)]
                    message = {**message, "headers": [*kept, *ours]}
            await send(message)

        await self.application(scope, receive, sending)


def harden_daphne() -> None:
    """Called once by the web process, before daphne answers anything."""
    write_error, write_refusal = WebRequest.basic_error, WebSocketProtocol.sendHttpErrorResponse

    def basic_error(self: Any, *arguments: Any) -> None:
        for name, value in _pairs():
            self.responseHeaders.setRawHeaders(name.encode(), [value.encode()])
        write_error(self, *arguments)

    def send_http_error_response(self: Any, code: int, reason: str, response_headers: Any = None) -> None:
        write_refusal(self, code, reason, [*(response_headers or ()), *_pairs(), ("Content-Length", "0")])

    WebRequest.basic_error = basic_error
    WebSocketProtocol.sendHttpErrorResponse = send_http_error_response
