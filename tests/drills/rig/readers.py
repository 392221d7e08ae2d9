"""Somebody who reads boards while a drill does harm: pages by the dozen, and an open one that follows."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from websockets.asyncio.client import connect

from tests.processes import wait_until
from tests.web.browsers import Browser, shown

_SHOWN = re.compile(r'data-total=\\"trade_count\\"[^>]* data-value=\\"(\d+)\\"')


@dataclass
class Balancer:
    """Which web processes get requests: one is taken out before it is told to end."""

    addresses: list[str] = field(default_factory=list)

    def pick(self) -> str:
        return self.addresses[0]


@dataclass
class Reader:
    """Somebody who asks for the board ten times a second, and an open page that follows over its socket."""

    balancer: Balancer
    browser: Browser
    day: date
    trader: str = "trader_1"
    answers: list[int] = field(default_factory=list)
    page: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Reader:
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._ask, self._follow)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join(20)

    def _ask(self) -> None:
        while not self.over.wait(0.1):
            self.browser.address = self.balancer.pick()
            try:
                self.answers.append(self.browser.board(self.trader, self.day).status_code)
            except OSError:
                self.answers.append(0)

    def _follow(self) -> None:
        asyncio.run(self._follow_for_ever())

    async def _follow_for_ever(self) -> None:
        while not self.over.is_set():
            origin = self.balancer.pick()
            address = f"{origin.replace('http', 'ws')}/ws/boards/{self.trader}/{self.day}/"
            headers = {"Cookie": self.browser.cookies}
            with suppress(Exception):
                async with connect(address, origin=origin, additional_headers=headers) as socket:  # type: ignore[arg-type]
                    await socket.send('{"have": ""}')
                    while not self.over.is_set():
                        found = _SHOWN.search(str(await asyncio.wait_for(socket.recv(), 10)))
                        self.page = int(found[1]) if found else self.page
            await asyncio.sleep(0.2)

    def lag(self) -> float:
        """Seconds until the open page shows what a fresh page shows now."""
        wanted, began = int(shown(self.browser_now())), time.monotonic()
        wait_until(lambda: self.page >= wanted, f"the page to show {wanted}", 5)
        return time.monotonic() - began

    def browser_now(self):  # type: ignore[no-untyped-def]
        return self.browser.board(self.trader, self.day)
