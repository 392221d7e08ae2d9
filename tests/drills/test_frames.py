"""Frames of every kind between good ones; out of order; with clocks that are wrong."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.drills.rig.desk import Desk, facts, using
from tests.drills.rig.feed import trade
from tests.drills.rig.results import Row
from tests.processes import wait_until
from tests.trades.frames import FACTS, confirmation, germany, numbered
from trades.capture.journal import read_frames, segments
from trades.capture.markets import Markets
from trades.capture.pipeline import Capture
from trades.frames import FrameSource
from trades.ledger.effective import position_differences
from trades.ledger.store import store_frames
from trades.models import QuarantinedMessage, Trade
from trades.queries import frame_counts

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]

_MEBIBYTE = 1024 * 1024


def _padded(size: int) -> bytes:
    return json.dumps({"padding": "x" * size}).encode()


BAD: dict[str, str | bytes] = {
    "empty": "",
    "empty binary": b"",
    "null": "null",
    "NaN": "NaN",
    "NaN price": confirmation("nan", price=float("nan")).decode(),
    "Infinity": "Infinity",
    "infinite quantity": confirmation("inf", quantity=float("inf")).decode(),
    "number too large for a float": confirmation("1e999").replace(b"20.5", b"1e999").decode(),
    "number of 100,000 digits": confirmation("digits").replace(b"20.5", b"9" * 100_000).decode(),
    "15 MiB": _padded(15 * _MEBIBYTE),
    "binary": bytes(range(256)) * 10,
    "invalid UTF-8": b'{"trade_confirmation": {"id": "\xff\xfe"}}',
    "half a surrogate": '{"trade_confirmation": {"id": "\\ud800"}}',
    "100,000 brackets": "[" * 100_000,
    "100,000 braces": '{"a":' * 100_000,
    "NUL characters": "\0" * 100,
    "NUL in the id": confirmation("a\0b").decode(),
    "NUL in the trader": confirmation("nul", trader_id="t\0").decode(),
    "half a message": confirmation("half")[:60].decode(),
    "two messages": (confirmation("two") * 2).decode(),
    "only unknown keys": '{"price": 1, "unknown": {"deep": [1, 2]}}',
    "a list": "[1, 2, 3]",
    "a text": '"trade_confirmation"',
    "HTML": "<html><body>503</body></html>",
    "a very long id": confirmation("x" * 5000).decode(),
    "a very long trader": confirmation("trader", trader_id="t" * 100_000).decode(),
}
GOOD: dict[str, str | bytes] = {
    "as text": confirmation("text").decode(),
    "as binary": confirmation("binary"),
    "unknown keys": confirmation("unknown keys", venue="X", nested={"a": [None]}).decode(),
    "byte order mark and spaces": " \n" + confirmation("spaces").decode() + "\n ",
}


def test_every_kind_between_good_ones(desk: Desk) -> None:
    """Each bad frame is one row kept aside; each good one is stored; the connection holds."""
    desk.row.done = f"{len(BAD)} kinds of bad frames, {len(GOOD)} odd good ones, fragments, between good ones"
    listener = desk.listener()
    for number, frame in enumerate([*BAD.values(), *GOOD.values()]):
        desk.exchange.send(trade(number), frame)
    _send_in_fragments(desk, confirmation("fragments").decode())
    good = {str(n) for n in range(len(BAD) + len(GOOD))} | {"text", "binary", "unknown keys", "spaces", "fragments"}
    desk.wait_stored(good)
    desk.wait_received(len(good) + len(BAD))
    assert listener.said("exchange_disconnected") == 0
    with using(desk.url):
        kept = sorted(bytes(m.raw) for m in QuarantinedMessage.objects.all())
        assert kept == sorted(f.encode() if isinstance(f, str) else f for f in BAD.values())
    assert desk.stored_ids() == good
    desk.verify()


def _send_in_fragments(desk: Desk, text: str) -> None:
    async def send() -> None:
        for connection in desk.exchange._exchange.connected:
            await connection.send([text[i : i + 7] for i in range(0, len(text), 7)])

    desk.exchange._call(send())


def test_a_frame_above_the_limit(desk: Desk) -> None:
    """17 MiB closes the connection (1009); the listener says so and is back at once."""
    desk.row.done = "a frame of 17 MiB (above the limit of 16)"
    listener = desk.listener()
    desk.exchange.send(trade(0))
    desk.wait_stored({"0"})
    began = time.monotonic()
    desk.exchange.send(_padded(17 * _MEBIBYTE))
    listener.wait_said("exchange_connected", 2)
    desk.row.note(worst=time.monotonic() - began, of="until connected again")
    assert "1009" in listener.events("exchange_disconnected")[0]["reason"]
    desk.exchange.send(trade(1))
    desk.wait_stored({"0", "1"})
    desk.verify()
    assert len(desk.gaps()) == 1


@pytest.mark.parametrize("count", [2000, pytest.param(10_000, marks=pytest.mark.long)])
def test_fuzzed(desk: Desk, dice: random.Random, count: int) -> None:
    """100 good trades between thousands of broken frames are all stored, and every frame is counted."""
    desk.row.done = f"{count} fuzzed frames between 100 good ones"
    listener = desk.listener()
    every = count // 100
    for number in range(100):
        desk.exchange.send(*[_fuzzed(dice) for _ in range(every)], trade(number))
        wait_until(lambda due=number: desk.counts()["received"] >= (due - 20) * (every + 1), "the writer")
    desk.wait_stored({str(n) for n in range(100)})
    desk.wait_received(count + 100)
    assert desk.counts()["received"] == count + 100
    assert listener.said("exchange_disconnected") == listener.said("storing_fails") == 0
    desk.verify()


def _fuzzed(dice: random.Random) -> bytes:
    """A confirmation with damage: bytes changed, cut out, repeated; a field missing or of another kind; or noise."""
    kind = dice.randrange(5)
    if kind == 0:
        return dice.randbytes(dice.randrange(200))
    if kind == 1:
        return confirmation(f"fuzz-{dice.randrange(50)}", **{dice.choice(list(FACTS)): dice.choice(_ODD)})
    frame = bytearray(confirmation(f"fuzz-{dice.randrange(50)}"))
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(frame))
        if kind == 2:
            frame[at] = dice.randrange(256)
        elif kind == 3:
            del frame[at : at + dice.randrange(1, 10)]
        else:
            frame[at:at] = frame[at : at + dice.randrange(1, 30)]
    return bytes(frame)


_ODD: list[Any] = [
    None,
    "",
    "NaN",
    -1,
    0,
    1e308,
    10**30,
    True,
    [],
    {},
    [[]],
    "\0",
    "2026-13-45",
    "24-25",
    "é" * 300,
    "-",
    0.1,
]


def test_shuffled(desk: Desk, dice: random.Random) -> None:
    """2,000 trades in any order are the same tables as in order."""
    desk.row.done = "2,000 trades shuffled, against the same in order"
    frames = [trade(n) for n in range(2000)]
    with using(desk.url):
        store_frames(market=Markets()("DE"), source=FrameSource("in-order", "l0"), frames=numbered(*frames))
        in_order = facts()
    other = desk.servers.create_database()
    try:
        dice.shuffle(frames)
        with using(desk.servers.url(other)):
            for start in range(0, 2000, 130):
                batch = numbered(*frames[start : start + 130], first=start + 1)
                store_frames(market=Markets()("DE"), source=FrameSource("shuffled", "l0"), frames=batch)
            assert facts() == in_order
            assert position_differences() == []
            desk.row.sent, desk.row.stored = 2000, Trade.objects.count()
    finally:
        desk.servers.drop_database(other)


def test_the_same_frames_from_eight_sides(desk: Desk, dice: random.Random) -> None:
    """Eight listeners' journals with the same trades, each in its own order, at once: one row each."""
    desk.row.done = "200 trades from 8 threads at once, each in its own order"
    failures: list[BaseException] = []

    def work(number: int, frames: list[bytes]) -> None:
        try:
            with using(desk.url):
                for start in range(0, 200, 20):
                    batch = numbered(*frames[start : start + 20], first=start + 1)
                    store_frames(market=Markets()("DE"), source=FrameSource(f"j{number}", "l0"), frames=batch)
        except BaseException as error:
            failures.append(error)

    frames = [trade(n) for n in range(200)]
    orders = [dice.sample(frames, 200) for _ in range(8)]
    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(orders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with using(desk.url):
        assert position_differences() == []
        assert desk.counts() == {"received": 1600, "stored": 200, "duplicates": 1400, "conflicts": 0, "quarantined": 0}
        desk.row.sent, desk.row.stored, desk.row.lost = 1600, Trade.objects.count(), 200 - Trade.objects.count()


@contextmanager
def _capture(folder: Path, offset: timedelta) -> Iterator[Capture]:
    """The capture threads in this process, on the test's database, with a clock that is wrong by `offset`."""
    capture = Capture(
        directory=folder,
        market_code="DE",
        listener="l1",
        market_of=Markets(),
        clock=lambda: datetime.now(UTC) + offset,
    )
    capture.start()
    try:
        yield capture
    finally:
        assert capture.stop(time.monotonic() + 20)


async def _take(capture: Capture, frames: list[bytes]) -> None:
    for frame in frames:
        await capture.take(frame)


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_is_wrong_and_steps(tmp_path: Path, row: Row) -> None:
    """Two hours ahead, then right, then two behind, across restarts; executions two hours off too: all are stored."""
    row.done = "the listener's clock 2 h ahead, right, 2 h behind; executions 2 h off"
    germany()
    now = datetime.now(UTC)
    for part, offset in enumerate((2, 0, -2)):
        frames = [
            confirmation(f"{part}-{n}", execution_time=(now + timedelta(hours=(n % 3 - 1) * 2)).isoformat())
            for n in range(100)
        ]
        with _capture(tmp_path, timedelta(hours=offset)) as capture:
            asyncio.run(_take(capture, frames))
    counts = frame_counts(market_id=germany().pk)
    assert counts == {"received": 300, "stored": 300, "duplicates": 0, "conflicts": 0, "quarantined": 0}
    assert position_differences() == []
    assert sum(len(list(read_frames(path))) for path in segments(tmp_path)) == 300
    assert Trade.objects.filter(flags__contains=["odd_execution_time"]).exists()
    row.sent, row.stored = 300, Trade.objects.count()
