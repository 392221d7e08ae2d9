"""Large pages travel compressed, to those who take it; everything else as it is."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from reporting.http.compression import SMALLEST, LargeCompressed, Message

HTML = b"text/html; charset=utf-8"
PAGE = b"<tr><td>20.00</td></tr>" * 8000


def answer(
    body: bytes, kind: bytes = HTML, accepts: bytes = b"gzip, br", **headers: str
) -> tuple[dict[bytes, bytes], bytes]:
    """What a client gets of an application that sends the body in pieces, as Django does."""
    sent: list[Message] = []

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        given = [(b"Content-Type", kind), (b"Content-Length", str(len(body)).encode())]
        given += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": given})
        for at in range(0, len(body), 65536):
            more = at + 65536 < len(body)
            await send({"type": "http.response.body", "body": body[at : at + 65536], "more_body": more})

    async def take(message: Message) -> None:
        sent.append(message)

    scope = {"headers": [(b"accept-encoding", accepts)]}
    asyncio.run(LargeCompressed(application)(scope, None, take))
    return {name.lower(): value for name, value in sent[0]["headers"]}, b"".join(m.get("body", b"") for m in sent[1:])


def test_a_large_page_is_compressed_and_says_so() -> None:
    headers, body = answer(PAGE)
    assert headers[b"content-encoding"] == b"gzip"
    assert headers[b"vary"] == b"Accept-Encoding"
    assert int(headers[b"content-length"]) == len(body) < len(PAGE) / 20
    assert gzip.decompress(body) == PAGE


def test_the_length_of_the_same_page_is_another_one_each_time() -> None:
    assert len({len(answer(PAGE)[1]) for _ in range(20)}) > 3


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (PAGE[: SMALLEST - 1], {}),
        (PAGE, {"accepts": b"br"}),
        (PAGE, {"kind": b"text/csv; charset=utf-8"}),
        (PAGE, {"Content_Encoding": "br"}),
    ],
    ids=["small", "not taken", "no page", "compressed already"],
)
def test_everything_else_is_as_it_is(body: bytes, asked: dict[str, Any]) -> None:
    headers, got = answer(body, **asked)
    assert got == body
    assert headers.get(b"content-encoding") != b"gzip"
