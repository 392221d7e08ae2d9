"""The connection's life against a scripted network: never gives up, never hammers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from trades.capture.connection_loop import LONGEST_PAUSE, FeedEnded, Pauses, listen


class Script:
    """Connections by script: a number of frames and seconds each, or None for a refusal."""

    def __init__(self, *steps: tuple[int, float] | None) -> None:
        self.steps = list(steps)
        self.now = 0.0
        self.pauses: list[float] = []
        self.heard: list[str] = []
        self.end = "cut"

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Script]:
        step = self.steps.pop(0)
        if step is None:
            raise FeedEnded("refused")
        self._step = step
        yield self

    async def __aiter__(self) -> AsyncIterator[bytes]:
        frames, seconds = self._step
        for _ in range(frames):
            yield b"frame"
        self.now += seconds

    def connected(self) -> None:
        self.heard.append("connected")

    def disconnected(self, reason: str) -> None:
        self.heard.append(f"disconnected: {reason}")

    def refused(self, reason: str, pause: float) -> None:
        self.heard.append(f"pause after {reason}")

    async def take(self, frame: bytes) -> None:
        self.heard.append("frame")

    async def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def run(self) -> Script:
        await listen(
            connect=self.connect,
            listener=self,
            stopping=lambda: not self.steps,
            wait=self.wait,
            clock=lambda: self.now,
            pauses=Pauses(random=lambda: 1.0),
        )
        return self


async def test_after_a_connection_that_delivered_the_next_comes_at_once() -> None:
    script = await Script((3, 1.0), (1, 1.0), (0, 0.0)).run()
    assert script.pauses == [0.2, 0.2]
    assert script.heard[:6] == ["connected", "frame", "frame", "frame", "disconnected: cut", "pause after cut"]


async def test_a_quiet_but_steady_connection_counts_as_good() -> None:
    script = await Script((0, 3600.0), (0, 0.0)).run()
    assert script.pauses == [0.2]


@pytest.mark.parametrize("step", [None, (0, 0.0)])
async def test_refusals_and_empty_connections_back_off_to_five_seconds(step: tuple[int, float] | None) -> None:
    script = await Script(*[step] * 200).run()
    assert script.pauses[:6] == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0]
    assert set(script.pauses[5:]) == {LONGEST_PAUSE}
    assert len(script.pauses) == 199


async def test_one_good_connection_ends_the_backing_off() -> None:
    script = await Script(None, None, None, (1, 0.0), None, None).run()
    assert script.pauses == [0.25, 0.5, 1.0, 0.2, 0.25]


def test_pauses_are_jittered_within_their_bounds() -> None:
    pauses = Pauses()
    values = [pauses.after(good=False) for _ in range(500)]
    assert len(set(values)) > 400
    assert all(0.125 <= value <= LONGEST_PAUSE for value in values)
    assert all(0.1 <= pauses.after(good=True) <= 0.2 for _ in range(100))
