"""The product's own processes, logins and viewers, as the benchmarks start them on their servers."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
DAY = date(2026, 11, 24)
PASSWORD = "a long enough password"
_numbers = itertools.count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*argv: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process for the length of a block; SIGTERM at its end."""
    started = subprocess.Popen([sys.executable, *argv], cwd=ROOT, env={**os.environ, **environment})
    try:
        yield started
    finally:
        started.terminate()
        with suppress(subprocess.TimeoutExpired):
            started.wait(20)
        started.kill()


@contextmanager
def web(application: str = "reporting.asgi:application", **environment: str) -> Iterator[tuple[str, int]]:
    """A web process that answers; its address and pid."""
    port = free_port()
    with process("-m", "daphne", "-v", "0", "-p", str(port), application, PROCESS_ROLE="web", **environment) as daphne:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{address}/healthz"), 30)
        yield address, daphne.pid


@contextmanager
def listener(exchange_url: str, folder: Path, **environment: str) -> Iterator[int]:
    """A listener; its pid."""
    journal = str(folder / f"journal-{time.time_ns()}")
    names = {"EXCHANGE_WS_URL": exchange_url, "TRADE_JOURNAL_DIR": journal, **environment}
    with process("manage.py", "listen_trades", **names) as started:
        yield started.pid


def answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until(holds: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("waited in vain")
        time.sleep(0.02)


# --- people -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Login:
    """A trader's login with the cookies of an open session."""

    trader_id: str
    user_pk: int
    cookie: str

    @property
    def board(self) -> str:
        return f"/boards/{self.trader_id}/{DAY}/"

    @property
    def socket(self) -> str:
        return f"/ws{self.board}"


def log_in(trader_id: str) -> Login:
    """A new login of this trader, and a session for it, made as Django makes them."""
    from django.test import Client

    from dashboard.logins import create_trader_login

    user = create_trader_login(trader_id=trader_id, username=f"{trader_id}-{time.time_ns()}", password=PASSWORD)
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    client.get("/")  # brings the second cookie
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return Login(trader_id, user.pk, cookie)


def a_frame(trader_id: str, hour: int = 12) -> str:
    """A confirmation unlike all others."""
    import json

    facts = {
        "id": f"{time.time_ns()}-{next(_numbers)}",
        "price": 20.5,
        "quantity": 1.5,
        "direction": "sell",
        "delivery_day": DAY.isoformat(),
        "delivery_hour": f"{hour:02d}-{hour + 1:02d}",
        "trader_id": trader_id,
        "execution_time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    return json.dumps({"trade_confirmation": facts})


class Viewers:
    """Open pages without a browser: sockets that take everything; `take` sees each message with its page's number."""

    def __init__(self, address: str, logins: list[Login], take: Callable[[int, str], None] = lambda *_: None) -> None:
        self._address, self._logins, self._take = address, logins, take
        self._loop = asyncio.new_event_loop()
        self.open = 0

    def __enter__(self) -> Viewers:
        threading.Thread(target=self._run, name="viewers", daemon=True).start()
        wait_until(lambda: self.open == len(self._logins), 60)
        return self

    def __exit__(self, *_details: object) -> None:
        self._loop.call_soon_threadsafe(self._everything.cancel)

    def _run(self) -> None:
        self._everything = self._loop.create_task(self._view_all())
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._everything)

    async def _view_all(self) -> None:
        await asyncio.gather(*(self._view(*pair) for pair in enumerate(self._logins)))

    async def _view(self, number: int, login: Login) -> None:
        from websockets.asyncio.client import connect

        headers: Any = {"Cookie": login.cookie}
        address = self._address.replace("http", "ws") + login.socket
        await asyncio.sleep(number * 0.01)  # a desk does not arrive in one instant
        async with connect(address, origin=self._address, additional_headers=headers, compression=None) as page:  # type: ignore[arg-type]
            await page.send('{"have": ""}')
            first = True
            async for message in page:
                if first:
                    self.open, first = self.open + 1, False
                self._take(number, str(message))


def percentile(values: list[float], percent: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]
