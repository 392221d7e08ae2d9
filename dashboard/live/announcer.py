"""Sending hints: which boards moved, from any process to all web processes.

After a commit the announcer passes hints on from a thread of its own, capped in time: a dead Redis costs the sender
nothing, and a lost hint costs seconds.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from typing import Any

import structlog
from channels.layers import BaseChannelLayer, get_channel_layer

from dashboard.alerts.signals import alerts_changed
from dashboard.assumptions.signals import assumptions_changed
from prices.signals import prices_changed
from trades.signals import feed_changed, positions_changed

log = structlog.get_logger("dashboard.live.announcer")

GROUP = "live"
ANNOUNCE_SECONDS = 0.5

Hint = tuple[str, int, int, str]
"""("board" or "assumptions", trader, market, day), ("prices", 0, market, day), ("feeds", 0, market, ""),
("alerts", user, 0, "") or ACCESS."""

ACCESS: Hint = ("access", 0, 0, "")
"""Somebody's rights changed."""


class Announcer:
    """Passes hints to all web processes. `add` never blocks and never raises; what can't be sent in time is dropped."""

    def __init__(self) -> None:
        self._pending: set[Hint] = set()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._failures = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    def add(self, hints: Iterable[Hint]) -> None:
        with self._lock:
            if self._closing:
                return
            self._pending.update(hints)
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._wake = asyncio.Event()
                self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
                self._thread.start()
                atexit.register(self.close)
            self._loop.call_soon_threadsafe(self._wake.set)  # type: ignore[union-attr]

    def close(self, seconds: float = 2 * ANNOUNCE_SECONDS) -> None:
        """Send what waits and end the thread. At a process's end: a thread that then still logs or holds Redis' socket
        takes the interpreter down with a fatal error, after all work was done."""
        with self._lock:
            thread, loop, wake = self._thread, self._loop, self._wake
            self._closing = True
        if thread is None or loop is None or wake is None:
            return
        with suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(wake.set)
        thread.join(seconds)

    def _run(self) -> None:
        assert self._loop is not None
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._announce_until_closed())
        finally:
            self._loop.close()

    async def _announce_until_closed(self) -> None:
        assert self._wake is not None
        closing = False
        while not closing:
            await self._wake.wait()
            self._wake.clear()
            with self._lock:
                hints, self._pending, closing = self._pending, set(), self._closing
            if hints:
                await self._send(sorted(hints))

    async def _send(self, hints: list[Hint]) -> None:
        try:
            async with asyncio.timeout(ANNOUNCE_SECONDS):  # wait_for would make a task of it, which goes later
                await hints_layer().group_send(GROUP, {"type": "hints", "hints": hints})
            self._failures = 0
        except Exception as error:  # whatever Redis does: pages compare versions, so only seconds are lost
            self._failures += 1
            if self._failures in {1, 10} or self._failures % 1000 == 0:
                log.warning("announcing_failed", error=str(error) or type(error).__name__, failures=self._failures)


announcer = Announcer()


def hints_layer() -> BaseChannelLayer:
    """The channel layer that hints travel on."""
    layer = get_channel_layer()
    assert layer is not None, "CHANNEL_LAYERS has no default"
    return layer


def hints_are_heard() -> bool:
    """Whether Redis has answered whoever listens to hints in this process."""
    return bool(getattr(hints_layer(), "is_heard", True))


def connect_signals() -> None:
    """Turn the apps' news into hints. Called once, when Django has started."""
    positions_changed.connect(_on_positions_changed, dispatch_uid="dashboard.live.hub")
    prices_changed.connect(_on_prices_changed, dispatch_uid="dashboard.live.hub")
    feed_changed.connect(_on_feed_changed, dispatch_uid="dashboard.live.hub")
    alerts_changed.connect(_on_alerts_changed, dispatch_uid="dashboard.live.hub")
    assumptions_changed.connect(_on_assumptions_changed, dispatch_uid="dashboard.live.hub")


def _on_positions_changed(changes: frozenset[tuple[int, int, date]], **_kwargs: Any) -> None:
    announcer.add(("board", trader, market, day.isoformat()) for trader, market, day in changes)


def _on_prices_changed(changes: frozenset[tuple[int, date]], **_kwargs: Any) -> None:
    announcer.add(("prices", 0, market, day.isoformat()) for market, day in changes)


def _on_feed_changed(market_id: int, **_kwargs: Any) -> None:
    announcer.add([("feeds", 0, market_id, "")])


def _on_alerts_changed(user_pk: int, **_kwargs: Any) -> None:
    announcer.add([("alerts", user_pk, 0, "")])


def _on_assumptions_changed(changes: frozenset[tuple[int, int, date]], **_kwargs: Any) -> None:
    announcer.add(("assumptions", trader, market, day.isoformat()) for trader, market, day in changes)
