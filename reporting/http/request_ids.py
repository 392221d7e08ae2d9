"""One id a request and a socket: in every line that is logged for it, and in the answer's X-Request-ID.

The same place counts requests and takes their time. An answer that is remembered, and given without all that, gets
its id from `marked`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import MutableMapping
from typing import Any

from structlog.contextvars import bound_contextvars

from reporting import metrics

_ASKED_BY_MACHINES = {"/healthz", "/readyz", "/metrics"}
HEADER = b"x-request-id"
_USABLE = re.compile(rb"[A-Za-z0-9._=:-]{8,80}")
"""What a proxy before us may have chosen; anything else isn't repeated into logs and answers."""


def id_of(headers: list[tuple[bytes, bytes]]) -> str:
    """The id that came with the request, or a new one."""
    for name, value in headers:
        if name == HEADER and _USABLE.fullmatch(value):
            return value.decode()
    return os.urandom(16).hex()


def marked(scope: MutableMapping[str, Any], status: int, seconds: float) -> tuple[bytes, bytes]:
    """The id of a request as its answer's header; it is counted, with its time from request to answer."""
    _count(status, seconds)
    return HEADER, id_of(scope["headers"]).encode()


def _count(status: int, seconds: float) -> None:
    metrics.ANSWERED[status // 100].inc()
    metrics.REQUEST_SECONDS.observe(seconds)


class WithRequestId:
    """ASGI middleware, around everything that may log."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            with bound_contextvars(connection=id_of(scope["headers"])):
                await self.application(scope, receive, send)
            return
        request_id, began = id_of(scope["headers"]), time.monotonic()

        async def sending(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (HEADER, request_id.encode())]}
                if scope.get("path") not in _ASKED_BY_MACHINES:
                    _count(message["status"], time.monotonic() - began)
            await send(message)

        with bound_contextvars(request_id=request_id):
            await self.application(scope, receive, sending)
