"""Pages that stay open whatever happens to the web process, and an exchange's afternoon for the day that they show."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from local.simulators.areas import known_area
from local.simulators.exchange import ScriptedExchange
from local.simulators.trades import Desk as Traders
from local.simulators.trades import Habits, confirmation
from tests.drills.rig.parts import Part


def cookie_of(user: User) -> str:
    """A logged-in browser's."""
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


class Page:
    """An open page of a board: it comes back as soon as it can."""

    def __init__(self, web: Part, path: str, cookie: str) -> None:
        self._web, self._path, self._cookie = web, path, cookie
        self._over = threading.Event()
        self.opened = self.told = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.1):
            with suppress(OSError, WebSocketException):
                self._watch()

    def _watch(self) -> None:
        origin: Any = self._web.address
        address = self._web.address.replace("http", "ws") + self._path
        with connect(address, origin=origin, additional_headers={"Cookie": self._cookie}, open_timeout=5) as socket:
            socket.send('{"have": ""}')
            self.opened += 1
            while not self._over.is_set():
                with suppress(TimeoutError):
                    socket.recv(0.5)
                    self.told += 1

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)


class Afternoon:
    """Trades of the simulated traders, in a thread of their own, some at the same moment."""

    def __init__(self, exchange: ScriptedExchange, day: date, seed: str, rate: float) -> None:
        self._exchange, self._day, self._rate = exchange, day, rate
        self._dice = random.Random(seed)
        self._traders = Traders(Habits(area=known_area("DE"), quarter_hours=0.4, blocks=0.03), "known-")
        self._over = threading.Event()
        self.sent = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(self._dice.expovariate(self._rate)):
            for _ in range(self._dice.choice((1, 1, 1, 2, 4))):
                trade = self._traders.trade(datetime.now(UTC))
                if trade.delivery_day == self._day.isoformat():
                    self._exchange.send(confirmation(trade, "trade_confirmation"))
                    self.sent += 1

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)
