"""15, 100 and 500 open pages on one web process, while 20 trades a second come in for 15 traders."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.desk import Login, Viewers, a_frame, listener, log_in, percentile, web
from bench.table import Row
from local.simulators.exchange import ScriptedExchange

TRADERS, RATE, SECONDS = 15, 20, 10
PAGES_OF_A_LOGIN = 20
_SHOWN = re.compile(r'data-total=\\"trade_count\\"[^>]* data-value=\\"(\d+)\\"')


def run(folder: Path) -> list[Row]:
    return [_measure(folder, pages) for pages in (15, 100, 500)]


def _measure(folder: Path, pages: int) -> Row:
    prefix = f"pages{time.time_ns()}"
    traders = [f"{prefix}-{number}" for number in range(TRADERS)]
    logins = [log_in(traders[number % TRADERS]) for number in range(max(TRADERS, pages // PAGES_OF_A_LOGIN))]
    seen: dict[int, list[tuple[int, float]]] = defaultdict(list)

    def take(page: int, text: str) -> None:
        found = _SHOWN.search(text)
        if found:
            seen[page].append((int(found[1]), time.time()))

    with ExitStack() as stack:
        exchange = stack.enter_context(ScriptedExchange())
        address, pid = stack.enter_context(web())
        stack.enter_context(listener(exchange.url, folder))
        exchange.wait_for_connections(1, 30)
        watchers = [logins[number % len(logins)] for number in range(pages)]
        with Viewers(address, watchers, take):
            sent = _push(exchange, traders)
            time.sleep(1.5)
            memory = psutil.Process(pid).memory_info().rss / 1e6
        time.sleep(1.0)  # the web process takes leave of its pages: ended meanwhile, it complains of each
    late, missed = _latencies(watchers, seen, sent)
    note = f"p50 {percentile(late, 50):.0f}, p95 {percentile(late, 95):.0f}; {missed} missed; web {memory:.0f} MB"
    return Row(f"{pages} open pages, 20 changes a second, send -> socket p99", "ms", percentile(late, 99), None, note)


def _push(exchange: ScriptedExchange, traders: list[str]) -> dict[str, list[float]]:
    """Trader -> when each of its trades was sent."""
    sent: dict[str, list[float]] = {trader: [] for trader in traders}
    began = time.monotonic()
    for number in range(RATE * SECONDS):
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        trader = traders[number % len(traders)]
        sent[trader].append(time.time())
        exchange.send(a_frame(trader))
    return sent


def _latencies(
    watchers: list[Login], seen: dict[int, list[tuple[int, float]]], sent: dict[str, list[float]]
) -> tuple[list[float], int]:
    """Milliseconds from each send to the first message that counts it, on every page that shows it; how many never."""
    late, missed = [], 0
    for page, login in enumerate(watchers):
        for number, at in enumerate(sent[login.trader_id], start=1):
            shown = next((when for count, when in seen[page] if count >= number), None)
            if shown is None:
                missed += 1
            else:
                late.append((shown - at) * 1000)
    return late, missed
