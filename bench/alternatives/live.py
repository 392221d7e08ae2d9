"""From the exchange's send to the trade count in a page, and what 15 such pages cost their server.

Every contender gets the same: a Chromium, a page alone for the latencies, then 14 more for the server's CPU. Trades
come at random moments, 100 a minute, so that a timer of one second is met everywhere in its second. The bare pipeline
and our desk take turns at the same time; the alternatives follow one after another.
"""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.alternatives.contenders import Contender, Running, contenders
from bench.cases.cost import family_memory, family_seconds
from bench.cases.screen import Side, chromium
from bench.desk import DAY, Login, a_frame, listener, log_in, percentile, wait_until
from bench.table import Row
from local.simulators.exchange import ScriptedExchange

SAMPLES, PAUSE = 40, (0.2, 1.0)
PAGES, SECONDS = 15, 30.0
SETTLE = 2.0
"""Seconds from the last page's opening to the first sample."""


@dataclass(frozen=True)
class Measured:
    """`late`: milliseconds of each trade; `cpu`: the server's seconds a minute with 15 pages; `memory`: MB then."""

    name: str
    late: list[float]
    cpu: float
    memory: float


def run(folder: Path) -> list[Row]:
    login = log_in(f"alternatives-{time.time_ns()}")
    with ExitStack() as stack:
        exchange, bare = stack.enter_context(ScriptedExchange()), stack.enter_context(ScriptedExchange())
        stack.enter_context(listener(exchange.url, folder))
        exchange.wait_for_connections(1, 30)
        _fill(exchange, login)
        everyone = contenders(folder, login, exchange, bare)
        groups = [everyone[:2], *([one] for one in everyone[2:])]
        return rows([one for group in groups for one in _measure(group)])


def rows(found: list[Measured]) -> list[Row]:
    """A row for each, beside the first, which is the floor."""
    floor = found[0]
    return [
        *(
            Row(
                f"send -> DOM, one page, {one.name}: median",
                "ms",
                percentile(one.late, 50),
                percentile(floor.late, 50),
                f"p95 {percentile(one.late, 95):.1f}, p99 {percentile(one.late, 99):.1f}; of {len(one.late)}",
            )
            for one in found
        ),
        *(
            Row(f"{PAGES} pages, {one.name}: its server, a minute", "CPU s", one.cpu, floor.cpu, f"{one.memory:.0f} MB")
            for one in found
        ),
    ]


def _fill(exchange: ScriptedExchange, login: Login) -> None:
    """A reference price and a trade for every hour, so that every table has its 24 rows."""
    from trades.models import Position

    _publish()
    exchange.send(*(a_frame(login.trader_id, hour) for hour in range(24)))
    positions = Position.objects.filter(trader__trader_id=login.trader_id)
    wait_until(lambda: positions.count() >= 23, 10, "a position in every hour")  # one is missing once a year


def _publish() -> None:
    from market.queries import market_by_code
    from prices.models import ReferencePrice

    market, now = market_by_code("DE"), datetime.now(UTC)
    known = {"delivery_day": DAY, "value": Decimal("18.5"), "last_update": now, "arrived_at": now}
    ReferencePrice.objects.bulk_create(
        [
            ReferencePrice(
                market=market,
                delivery_hour=market.label_of(period),
                delivery_start=period.start,
                delivery_end=period.end,
                **known,
            )
            for period in market.day_periods(DAY)
        ],
        ignore_conflicts=True,
    )


# --- those that are measured at the same time -----------------------------------------------------------------------
def _measure(group: list[Contender]) -> list[Measured]:
    began = time.monotonic()
    with ExitStack() as stack:
        servers = [stack.enter_context(one.start()) for one in group]
        browser = stack.enter_context(chromium())
        contexts = [server.context(browser) for server in servers]
        pages = [_visit(server, context, 1)[0] for server, context in zip(servers, contexts, strict=True)]
        sides = [Side(one.exchange, one.trader_id, page) for one, page in zip(group, pages, strict=True)]
        late = _latencies(sides)
        for server, context in zip(servers, contexts, strict=True):
            _visit(server, context, PAGES - 1)
        cpu = _cpu([server.pid for server in servers], sides)
        memory = [family_memory(server.pid) for server in servers]
    names = [one.name for one in group]
    print(f"  {', '.join(names)}: {time.monotonic() - began:.0f} s", flush=True)
    return [Measured(*each) for each in zip(names, late, cpu, memory, strict=True)]


def _visit(server: Running, context: Any, count: int) -> list[Any]:
    """So many pages, opened at once, that show the table."""
    pages = [context.new_page() for _ in range(count)]
    for page in pages:
        page.goto(server.address, wait_until="commit")
    return [server.counting(page) for page in pages]


def _latencies(sides: list[Side]) -> list[list[float]]:
    """Milliseconds from each send to the page that counts it, for each side."""
    time.sleep(SETTLE)
    before: list[int] = [side.count() for side in sides]
    sent: list[list[float]] = [[] for _ in sides]
    for _ in range(SAMPLES):
        for side, when in zip(sides, sent, strict=True):
            when.append(side.send())
            _pause(len(sides))
    return [side.latencies(count, when) for side, count, when in zip(sides, before, sent, strict=True)]


def _cpu(pids: list[int], sides: list[Side]) -> list[float]:
    """Seconds a minute of each server's process and its children, while trades come."""
    time.sleep(SETTLE)
    began, before = time.monotonic(), [family_seconds(pid) for pid in pids]
    while time.monotonic() < began + SECONDS:
        for side in sides:
            side.send()
            _pause(len(sides))
    minutes = (time.monotonic() - began) / 60
    return [(family_seconds(pid) - spent) / minutes for pid, spent in zip(pids, before, strict=True)]


def _pause(shared_by: int) -> None:
    """So long that each of those that take turns gets a trade every 0.6 s."""
    time.sleep(random.uniform(*PAUSE) / shared_by)
