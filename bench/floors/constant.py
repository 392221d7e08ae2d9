"""The floor of bench/cases/storm.py: the least that the same server can answer, SIZE bytes that never change."""

from __future__ import annotations

import os
from typing import Any

_BODY = b"x" * int(os.environ.get("SIZE", "1"))
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/html"), (b"content-length", str(len(_BODY)).encode())],
}


async def application(scope: Any, receive: Any, send: Any) -> None:
    await send(_START)
    await send({"type": "http.response.body", "body": _BODY})
