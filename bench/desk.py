"""The product's own processes, logins and viewers, as the benchmarks start them on their servers."""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
DAY = datetime.now(ZoneInfo("Europe/Berlin")).date() + timedelta(days=1)
"""What is traded: tomorrow, the day whose periods are all still open. A past day's board is rendered quicker."""
PASSWORD = "a long enough password"
_numbers = itertools.count(1)


class BenchError(Exception):
    """A figure that can't be measured; the message is one sentence for people."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*argv: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process for the length of a block; SIGTERM at its end."""
    with ended(subprocess.Popen([sys.executable, *argv], cwd=ROOT, env={**os.environ, **environment})) as started:
        yield started


@contextmanager
def ended(started: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """SIGTERM at the block's end; SIGKILL for one that does not follow within 20 s."""
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
        wait_until(lambda: answers(f"{address}/healthz"), 30, "an answer of the web process")
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
    except (OSError, HTTPException):  # until it listens, a connection to its port may be one to itself
        return False


def wait_until(holds: Callable[[], object], seconds: float, what: str) -> None:
    """Until it holds; BenchError with `what` was waited for after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise BenchError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.02)


# --- people -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Login:
    """A trader's login with the cookies of an open session."""

    trader_id: str
    user_pk: int
    cookie: str
    day: date = DAY

    @property
    def board(self) -> str:
        return f"/boards/{self.trader_id}/{self.day}/"

    @property
    def socket(self) -> str:
        return f"/ws{self.board}"


def log_in(trader_id: str) -> Login:
    """A new login of this trader, and a session for it, made as Django makes them."""
    from django.test import Client

    from dashboard.access.logins import create_trader_login

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


def publish(value: Decimal) -> None:
    """A new reference price of one period, with the news of it."""
    from django.db.models import F

    from market.labels import parse_period
    from market.queries import market_by_code
    from prices.models import ReferencePrice
    from prices.signals import prices_changed

    market, now = market_by_code("DE"), datetime.now(UTC)
    parsed = parse_period(DAY, "12-13", market.calendar)
    facts = {"value": value, "last_update": now, "arrived_at": now, "delivery_hour": parsed.label}
    identity = {"delivery_day": DAY, "delivery_start": parsed.period.start, "delivery_end": parsed.period.end}
    row, created = ReferencePrice.objects.get_or_create(market=market, **identity, defaults=facts)
    if not created:
        ReferencePrice.objects.filter(pk=row.pk).update(**facts, revision=F("revision") + 1)
    prices_changed.send_robust(sender=None, changes=frozenset({(market.pk, DAY)}))


class Viewers:
    """Open pages without a browser: sockets that take everything; `take` sees each message with its page's number.

    A page is open with its first message. One that is refused or cut ends the block with an error that says why.
    """

    def __init__(self, address: str, logins: list[Login], take: Callable[[int, str], None] = lambda *_: None) -> None:
        self._address, self._logins, self._take = address, logins, take
        self._loop, self._over = asyncio.new_event_loop(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="viewers", daemon=True)
        self._open: set[int] = set()
        self._lost: dict[int, str] = {}
        """Page -> why it is not open any more, or never was."""

    def __enter__(self) -> Viewers:
        self._thread.start()
        with suppress(BenchError):
            wait_until(lambda: self._lost or len(self._open) == len(self._logins), 60, "pages opened")
        if self._lost or len(self._open) < len(self._logins):
            self._close()
            raise BenchError(self._what_is_wrong())
        return self

    def __exit__(self, kind: object, *_details: object) -> None:
        lost = dict(self._lost)  # before all of them are closed
        self._close()
        if lost and kind is None:
            raise BenchError(self._what_is_wrong())

    def _what_is_wrong(self) -> str:
        waiting = {n: "no message" for n in range(len(self._logins)) if n not in self._open}
        wrong = waiting | self._lost
        some = "; ".join(f"{self._logins[n].trader_id}: {why}" for n, why in sorted(wrong.items())[:5])
        return f"{len(wrong)} of {len(self._logins)} pages are not open: {some}"

    def _close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._view_all())

    async def _view_all(self) -> None:
        views = [asyncio.create_task(self._view(*pair)) for pair in enumerate(self._logins)]
        await self._over.wait()
        for view in views:
            view.cancel()
        await asyncio.gather(*views, return_exceptions=True)

    async def _view(self, number: int, login: Login) -> None:
        await asyncio.sleep(number * 0.01)  # a desk does not arrive in one instant
        try:
            await self._watch(number, login)
            self._lost[number] = "closed"
        except Exception as error:  # whatever it is, it is why this page is lost
            self._lost[number] = str(error) or type(error).__name__

    async def _watch(self, number: int, login: Login) -> None:
        from websockets.asyncio.client import connect

        headers: Any = {"Cookie": login.cookie}
        address = self._address.replace("http", "ws") + login.socket
        opening = connect(
            address,
            origin=self._address,  # type: ignore[arg-type]
            additional_headers=headers,
            compression=None,
            open_timeout=30,
            close_timeout=2,
        )
        async with opening as page:
            await page.send('{"have": ""}')
            try:
                async for message in page:
                    self._take(number, str(message))
                    self._open.add(number)
            except asyncio.CancelledError:
                await page.close()  # as a browser says goodbye, not as a client with an error
                raise


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that so many percent of them do not exceed (the nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
