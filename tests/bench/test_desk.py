"""The benchmarks' viewers say why a page is not open, instead of waiting; the percentile is the nearest rank."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from bench.desk import BenchError, Login, Viewers, percentile, wait_until
from tests.processes import until

PEOPLE = [Login(f"trader-{number}", number, "") for number in range(3)]
Pages = Callable[[ServerConnection], Awaitable[None]]


@contextmanager
def _server(page: Pages) -> Iterator[str]:
    """A websocket server in a thread of its own; its address as a page's."""
    loop, ready, over, ports = asyncio.new_event_loop(), threading.Event(), asyncio.Event(), list[int]()

    async def run() -> None:
        async with serve(page, "127.0.0.1", 0, compression=None) as server:
            ports.append(next(iter(server.sockets)).getsockname()[1])
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def _answer(page: ServerConnection) -> None:
    await page.recv()
    await page.send(page.request.path if page.request else "")
    await page.wait_closed()


async def _refuse_the_second(page: ServerConnection) -> None:
    if page.request and "trader-1" in page.request.path:
        await page.close(4404, "not yours")
    else:
        await _answer(page)


def test_all_pages_are_open_in_the_block_and_closed_after_it() -> None:
    """Closed with a goodbye, and nothing of theirs goes on."""
    seen: list[tuple[int, str]] = []
    codes: list[int | None] = []

    async def note_the_end(page: ServerConnection) -> None:
        await _answer(page)
        codes.append(page.close_code)

    with _server(note_the_end) as address:
        with Viewers(address, PEOPLE, lambda number, text: seen.append((number, text))) as viewers:
            assert sorted(seen) == [(number, f"/ws{login.board}") for number, login in enumerate(PEOPLE)]
        assert viewers._loop.is_closed()
        assert not viewers._thread.is_alive()
    assert codes == [1000] * len(PEOPLE)


def test_a_refused_page_is_named_with_its_reason() -> None:
    with _server(_refuse_the_second) as address, pytest.raises(BenchError, match=r"trader-1: .*4404.*not yours"):
        Viewers(address, PEOPLE).__enter__()


def test_a_page_that_is_cut_ends_the_block_with_its_reason() -> None:
    told = threading.Event()

    async def cut_the_second_when_told(page: ServerConnection) -> None:
        await page.send("first")
        if page.request and "trader-1" in page.request.path:
            await until(told.is_set)
        if told.is_set():
            page.transport.abort()
        await page.wait_closed()

    with (
        _server(cut_the_second_when_told) as address,
        pytest.raises(BenchError, match="1 of 3 pages are not open: trader-1: "),
        Viewers(address, PEOPLE) as viewers,
    ):
        told.set()
        wait_until(lambda: viewers._lost, 10, "the cut")


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(BenchError, match="pages are not open: trader-0: "):
        Viewers("http://127.0.0.1:1", PEOPLE).__enter__()


@pytest.mark.parametrize(
    ("count", "percent", "wanted"),
    [(1, 50, 1), (1, 99, 1), (4, 50, 2), (5, 50, 3), (100, 95, 95), (100, 99, 99), (101, 99, 100), (60, 99, 60)],
)
def test_percentile_is_the_nearest_rank(count: int, percent: float, wanted: float) -> None:
    assert percentile([float(value) for value in range(count, 0, -1)], percent) == wanted
