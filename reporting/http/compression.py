"""Large pages travel compressed; small ones are there sooner as they are.

A full board is 200 KB of HTML, alike row by row, and a tenth of that compressed. What an attacker could learn from a
compressed length (BREACH) is blurred by Django's random bytes in each answer, besides a CSRF token that is masked anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.utils.text import compress_string

SMALLEST = 100_000
"""Bytes of HTML from which on compressing (some milliseconds) is worth its while."""
RANDOM_BYTES = 100

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class LargeCompressed:
    """The ASGI application, its large pages with gzip for those who take it."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        for name, value in scope["headers"]:
            if name == b"accept-encoding" and b"gzip" in value:
                send = _Page(send).send
                break
        await self._application(scope, receive, send)


class _Page:
    """Keeps a page back until all of it is there; everything else goes on as it comes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_large_page(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._send_compressed(self._start, b"".join(self._body))

    async def _send_compressed(self, start: Message, body: bytes) -> None:
        packed = compress_string(body, max_random_bytes=RANDOM_BYTES)
        headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        headers += [(b"Content-Encoding", b"gzip"), (b"Content-Length", str(len(packed)).encode())]
        await self._send({**start, "headers": [*headers, (b"Vary", b"Accept-Encoding")]})
        await self._send({"type": "http.response.body", "body": packed})


def _is_large_page(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start.get("headers", ())}
    is_page = headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers
    return is_page and int(headers.get(b"content-length", b"0")) >= SMALLEST
