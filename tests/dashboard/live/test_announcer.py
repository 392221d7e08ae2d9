"""The announcer's end: what waits is sent, and no thread is left that could take the interpreter down."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from dashboard.live import announcer as announcer_module
from dashboard.live.announcer import Announcer


class Layer:
    """Keeps what it is told; `hangs` never answers, like a frozen Redis."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.told: list[Any] = []
        self._hangs = hangs

    async def group_send(self, _group: str, message: dict[str, Any]) -> None:
        if self._hangs:
            await asyncio.Event().wait()
        self.told += message["hints"]


def announcers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "announcer"]


@pytest.mark.parametrize("hangs", [False, True])
def test_closing_sends_what_waits_and_ends_the_thread(monkeypatch: pytest.MonkeyPatch, hangs: bool) -> None:
    layer, before = Layer(hangs=hangs), announcers()
    monkeypatch.setattr(announcer_module, "hints_layer", lambda: layer)
    announcer = Announcer()
    announcer.add([("board", 1, 1, "2026-11-23")])
    announcer.close(30)
    assert layer.told == ([] if hangs else [("board", 1, 1, "2026-11-23")])
    assert announcers() == before
    announcer.add([("board", 2, 1, "2026-11-23")])
    announcer.close()
    assert announcers() == before, "after its end nothing starts it again"


def test_closing_what_never_announced_is_nothing() -> None:
    Announcer().close()
