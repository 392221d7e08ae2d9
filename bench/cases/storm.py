"""The refresh storm: 15 users and 16 bare connections reload boards as fast as they can, while news arrives.

A user is logged in, has the board open (its socket follows the news) and reloads it on a connection of its own; a bare
connection has a user's session, but no open page: it only asks, again and again. News: 100 trades a minute, and a price
every five seconds. Rounds of 5 s take turns with the floor, four of each: 20 s of storm.

The floor is the same server with a constant answer of the same size. Every answer is looked at: it must be the asked
trader's board, and no older than what was committed before the request was sent.
"""

from __future__ import annotations

import asyncio
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from bench.desk import Login, Viewers, a_frame, listener, log_in, percentile, publish, web
from bench.table import Row
from local.simulators.exchange import ScriptedExchange

USERS, BARE = 15, 16
SECONDS, ROUNDS = 5.0, 4
_LENGTH = re.compile(rb"(?i)content-length: (\d+)")
_COUNT = re.compile(rb'data-total="trade_count"[^>]* data-value="(\d*)"')
_SHOWN = re.compile(r'data-total=\\"trade_count\\"[^>]* data-value=\\"(\d+)\\"')


@dataclass
class Storm:
    """What the connections saw. Times in seconds."""

    times: list[float] = field(default_factory=list)
    errors: int = 0
    wrong: int = 0
    size: int = 0
    during: list[tuple[float, float]] = field(default_factory=list)
    """Begin and end, by time.time()."""


@dataclass
class News:
    """Trades that arrive meanwhile: when each was sent, and when a viewer's page had it."""

    sent: dict[tuple[str, int], float] = field(default_factory=dict)
    shown: dict[tuple[str, int], float] = field(default_factory=dict)

    def latencies(self, during: list[tuple[float, float]]) -> list[float]:
        """Milliseconds to the page, of trades sent in these spans; infinite for one that never came."""
        sent = {key: at for key, at in self.sent.items() if any(first <= at <= last for first, last in during)}
        return [(self.shown.get(key, math.inf) - at) * 1000 for key, at in sent.items()]


def run(folder: Path) -> list[Row]:
    prefix = f"storm{time.time_ns()}"
    logins = [log_in(f"{prefix}-{number}") for number in range(USERS)]
    news = News()
    with ExitStack() as stack:
        exchange = stack.enter_context(ScriptedExchange())
        address, _ = stack.enter_context(web())
        stack.enter_context(listener(exchange.url, folder))
        exchange.wait_for_connections(1, 30)
        stack.enter_context(Viewers(address, logins, lambda number, text: _note(news, logins[number], text)))
        stack.enter_context(_news(exchange, logins, news))
        size = storm(address, logins, 2.0).size
        floor_address, _ = stack.enter_context(web("bench.floors.constant:application", SIZE=str(size)))
        asked = _provider_requests()
        pairs = [(storm(address, logins, SECONDS), storm(floor_address, logins, SECONDS)) for _ in range(ROUNDS)]
        asked = _provider_requests() - asked
    return _rows(pairs, news, asked, size)


def _rows(pairs: list[tuple[Storm, Storm]], news: News, asked: int, size: int) -> list[Row]:
    ours, floor = together([o for o, _ in pairs]), together([f for _, f in pairs])
    rate, bare = (len(storms.times) / SECONDS / len(pairs) for storms in (ours, floor))
    p99, bare_p99 = (percentile(storms.times, 99) * 1000 for storms in (ours, floor))
    seen = news.latencies(ours.during)
    bad = f"{ours.errors} errors, {ours.wrong} wrong or stale, {asked} provider requests"
    late = f"p50 {percentile(seen, 50):.0f}; of {len(seen)} trades"
    return [
        Row("refresh storm, board answers of one process", "a second", rate, bare, f"{size} bytes each"),
        Row("refresh storm, p99 of an answer", "ms", p99, bare_p99, f"of {len(ours.times):,}, {len(floor.times):,}"),
        Row("refresh storm, what must not be", "", float(ours.errors + ours.wrong + asked), None, bad),
        Row("refresh storm, send -> socket meanwhile, p99", "ms", percentile(seen, 99), None, late),
    ]


def together(storms: list[Storm]) -> Storm:
    """All rounds as one."""
    return Storm(
        times=[seconds for one in storms for seconds in one.times],
        errors=sum(one.errors for one in storms),
        wrong=sum(one.wrong for one in storms),
        size=storms[-1].size,
        during=[span for one in storms for span in one.during],
    )


# --- the storm ----------------------------------------------------------------------------------------------------
def storm(address: str, logins: list[Login], seconds: float) -> Storm:
    """Each login reloads its board, and so do the bare connections, for so long."""
    bare = [logins[number % len(logins)] for number in range(BARE)]
    return reload(address, logins + bare, seconds)


def reload(address: str, logins: list[Login], seconds: float) -> Storm:
    """Each of them on a connection of its own, for so long."""
    result = Storm()

    async def everybody() -> None:
        end = time.monotonic() + seconds
        await asyncio.gather(*(_reload(address, login, end, result) for login in logins))

    began = time.time()
    asyncio.run(everybody())
    result.during.append((began, time.time()))
    return result


async def _reload(address: str, login: Login, end: float, result: Storm) -> None:
    """One connection: the next request as soon as the answer is there."""
    host = address.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    request = f"GET {login.board} HTTP/1.1\r\nHost: {host}\r\nCookie: {login.cookie}\r\n\r\n".encode()
    while time.monotonic() < end:
        known = _stored.get(login.trader_id, 0)
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        result.times.append(time.perf_counter() - began)
        result.errors += not head.startswith(b"HTTP/1.1 200")
        result.wrong += _is_wrong(body, login, known)
        result.size = len(body)
    writer.close()


_stored: dict[str, int] = {}
"""Trader -> how many of its trades PostgreSQL is known to have."""


def _is_wrong(body: bytes, login: Login, known: int) -> bool:
    count = _COUNT.search(body)
    if count is None:
        return not body.startswith(b"x")  # the floor's
    return login.board.encode() not in body or int(count[1] or 0) < known


# --- what arrives meanwhile ---------------------------------------------------------------------------------------
@contextmanager
def _news(exchange: ScriptedExchange, logins: list[Login], news: News) -> Iterator[None]:
    """100 trades a minute, and a publication every five seconds (for every ten minutes of the real one)."""
    over = threading.Event()
    thread = threading.Thread(target=_send_news, args=(exchange, logins, news, over), daemon=True)
    thread.start()
    yield
    over.set()
    thread.join(10)


def _send_news(exchange: ScriptedExchange, logins: list[Login], news: News, over: threading.Event) -> None:
    from django.db import connection

    number = 0
    while not over.wait(0.6):
        trader = logins[number % len(logins)].trader_id
        count = number // len(logins) + 1
        news.sent[trader, count] = time.time()
        exchange.send(a_frame(trader))
        if number % 8 == 0:
            publish(Decimal(number) / 10)
        number += 1
        _note_stored([login.trader_id for login in logins])
    connection.close()


def _note_stored(traders: list[str]) -> None:
    from django.db.models import Sum

    from trades.models import Position

    rows = Position.objects.filter(trader__trader_id__in=traders).order_by().values_list("trader__trader_id")
    _stored.update(rows.annotate(count=Sum("trade_count")))


def _note(news: News, login: Login, text: str) -> None:
    found = _SHOWN.search(text)
    if found:
        news.shown.setdefault((login.trader_id, int(found[1])), time.time())


def _provider_requests() -> int:
    from prices.models import ProviderRequest

    return ProviderRequest.objects.count()
