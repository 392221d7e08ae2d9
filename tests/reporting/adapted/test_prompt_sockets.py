"""Messages of websockets are on their way when they are sent, whole and in order, whatever a client does."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.processes import PATIENCE, ROOT
from tests.reporting.adapted.socket_server import texts


@dataclass(frozen=True)
class Served:
    """A process with daphne, and where it listens."""

    process: subprocess.Popen[str]
    port: int

    def socket(self, path: str) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}{path}", compression=None, max_size=None, ping_interval=None)

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("on\n")
        self.process.stdin.flush()


@pytest.fixture
def served() -> Iterator[Served]:
    argv = [sys.executable, "-m", "tests.reporting.adapted.socket_server"]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Served(process, int(process.stdout.readline()))
        process.kill()


async def _all_of(socket: ClientConnection) -> tuple[list[str], int, int | None]:
    """The texts, how many messages of bytes came between, and the code of the end."""
    found: list[str] = []
    between = 0
    while len(found) + between < len(texts()) + 18:
        message = await socket.recv()
        if isinstance(message, str):
            found.append(message)
        else:
            between += 1
    await socket.send("that was all")
    with pytest.raises(ConnectionClosed):
        await socket.recv()
    return found, between, socket.close_code


async def test_a_message_leaves_before_anything_else_is_done(served: Served) -> None:
    async with asyncio.timeout(PATIENCE), served.socket("/held") as socket:
        await socket.send("begin")
        assert await socket.recv() == "at once"  # the server's loop stands still until it is told to go on
        served.go_on()
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_every_message_arrives_whole_and_in_order_however_late_it_is_read(served: Served) -> None:
    async with asyncio.timeout(PATIENCE), served.socket("/all") as late, served.socket("/all") as other:
        await late.send("begin")
        await other.send("begin")
        assert await _all_of(other) == (texts(), 18, 4321)  # the first has taken no more than its buffers hold
        assert await _all_of(late) == (texts(), 18, 4321)


async def test_a_client_that_goes_takes_nothing_from_the_others(served: Served) -> None:
    async with asyncio.timeout(PATIENCE), served.socket("/all") as other:
        async with served.socket("/all") as gone:
            await gone.send("begin")
            await gone.recv()
            gone.transport.abort()
        await other.send("begin")
        assert await _all_of(other) == (texts(), 18, 4321)
