"""How long nothing is certain of a connection that has ended: what a gap begins with."""

from __future__ import annotations

import pytest

from trades.capture import exchange
from trades.capture.exchange import UNDER_WAY_SECONDS, Exchange


class Line:
    """A connection whose end takes a second and a half."""

    def __init__(self, clock: list[float]) -> None:
        self._clock = clock

    async def close(self) -> None:
        self._clock[0] += 1.5


async def test_a_gap_begins_with_goodbye_or_before_the_last_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange that has read goodbye sends no more; one that ended by itself may have, and it is on its way."""
    clock = [100.0]
    monkeypatch.setattr(exchange.time, "monotonic", lambda: clock[0])
    feed = Exchange("ws://exchange.example")
    feed._open = feed._newest = Line(clock)  # type: ignore[assignment]
    assert feed.unheard() == UNDER_WAY_SECONDS
    await feed.close()
    assert feed.unheard() == 1.5
