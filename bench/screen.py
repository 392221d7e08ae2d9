"""From the exchange's send to the changed cell in a real Chromium, with 14 more viewers, beside a bare pipeline.

The floor is the least that has the same stations: websocket -> one PostgreSQL transaction -> websocket -> DOM, in one
process without Django, Redis, journal or rendering.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.desk import free_port, percentile
from bench.table import Row
from local.exchange import ScriptedExchange
from local.testing import find_chromium

ROOT = Path(__file__).resolve().parent.parent
VIEWERS = 14
CHROMIUM = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]
DAY = date(2026, 11, 24)
TRADER, PASSWORD = f"bench-{time.time_ns()}", "a long enough password"  # a new trader has an empty board
PATTERNS = {"100 a minute": (60, 0.6), "20 a second": (200, 0.05), "a burst of 100": (100, 0.0)}

# Notes for each count that a cell shows the moment at which it first showed at least that.
WATCH = """() => {
  const seen = (window.seen = []);
  const cell = () => document.querySelector('[data-delivery-hour="12-13"] [data-field="trade_count"]');
  const note = () => {
    const shown = Number(cell().dataset.value), now = performance.timeOrigin + performance.now();
    while (seen.length < shown) seen.push(now);
  };
  note();
  new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def run(folder: Path) -> list[Row]:
    with ExitStack() as stack:
        exchange = stack.enter_context(ScriptedExchange())
        ours = stack.enter_context(_desk(folder, exchange))
        floor_exchange = stack.enter_context(ScriptedExchange())
        floor = stack.enter_context(_floor(floor_exchange))
        browser = stack.enter_context(_chromium())
        page, floor_page = ours(browser), floor(browser)
        rows = []
        for name, (count, pause) in PATTERNS.items():
            mine = _measure(page, exchange, count, pause)
            bare = _measure(floor_page, floor_exchange, count, pause)
            note = f"{_tail(mine)}; floor {_tail(bare)}"
            rows.append(
                Row(f"send -> DOM, 15 viewers, {name}", "ms", statistics.median(mine), statistics.median(bare), note)
            )
    return rows


def _measure(page: Any, exchange: ScriptedExchange, count: int, pause: float) -> list[float]:
    """Milliseconds from each send to the cell that counts it."""
    before = page.evaluate("window.seen.length")
    sent = []
    for number in range(count):
        sent.append(time.time() * 1000)
        exchange.send(_frame(f"{time.time_ns()}-{number}"))
        time.sleep(pause)
    _until(page, f"window.seen.length >= {before + count}")
    seen = page.evaluate(f"window.seen.slice({before})")
    return [at - when for at, when in zip(seen, sent, strict=False)]


def _tail(values: list[float]) -> str:
    return f"p95 {percentile(values, 95):.1f}, p99 {percentile(values, 99):.1f}"


def _until(page: Any, condition: str) -> None:
    """Poll: the board's Content-Security-Policy lets no condition be evaluated by the page itself."""
    deadline = time.monotonic() + 30
    while not page.evaluate(condition):
        if time.monotonic() > deadline:
            raise RuntimeError(f"in vain: {condition}")
        time.sleep(0.05)


def _frame(identity: str) -> str:
    facts = {
        "id": identity,
        "price": 20.5,
        "quantity": 1.5,
        "direction": "sell",
        "delivery_day": DAY.isoformat(),
        "delivery_hour": "12-13",
        "trader_id": TRADER,
        "execution_time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    return json.dumps({"trade_confirmation": facts})


@contextmanager
def _chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM)
        yield browser
        browser.close()


@contextmanager
def _desk(folder: Path, exchange: ScriptedExchange) -> Iterator[Callable[[Any], Any]]:
    """Our listener and web process; gives a function that opens the board and 14 more sockets."""
    from dashboard.logins import create_trader_login

    create_trader_login(trader_id=TRADER, username=TRADER, password=PASSWORD)
    port = free_port()
    environment = {
        **os.environ,
        "EXCHANGE_WS_URL": exchange.url,
        "TRADE_JOURNAL_DIR": str(folder / "screen-journal"),
    }
    commands = (
        [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "reporting.asgi:application"],
        [sys.executable, "manage.py", "listen_trades"],
    )
    processes = [subprocess.Popen(command, cwd=ROOT, env=environment) for command in commands]
    try:
        exchange.wait_for_connections(1, 30)
        yield lambda browser: _open_board(browser, port)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


def _open_board(browser: Any, port: int) -> Any:
    context = browser.new_context()
    page = context.new_page()
    address = f"http://127.0.0.1:{port}/boards/{TRADER}/{DAY}/"
    page.goto(address)
    page.fill("[name=username]", TRADER)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_selector("#periods")
    _until(page, "document.documentElement.dataset.link === 'live'")
    cookie = "; ".join(f"{c['name']}={c['value']}" for c in context.cookies())
    socket = page.evaluate(
        "new URL(document.getElementById('board').dataset.socket, location.href.replace('http', 'ws')).href"
    )
    _watch_with_sockets(socket, cookie, f"http://127.0.0.1:{port}")
    page.evaluate(WATCH)
    return page


def _watch_with_sockets(address: str, cookie: str, origin: str) -> None:
    """The other viewers: sockets that take everything and show nothing."""
    from websockets.asyncio.client import connect

    async def viewer() -> None:
        async with connect(address, origin=origin, additional_headers={"Cookie": cookie}) as socket:  # type: ignore[arg-type]
            await socket.send('{"have": ""}')
            async for _ in socket:
                pass

    async def all_viewers() -> None:
        await asyncio.gather(*(viewer() for _ in range(VIEWERS)), return_exceptions=True)

    threading.Thread(target=lambda: asyncio.run(all_viewers()), daemon=True).start()


# --- the floor ----------------------------------------------------------------------------------------------------
FLOOR_PAGE = """<!doctype html>
<table><tr data-delivery-hour="12-13"><td data-field="trade_count" data-value="0">0</td></tr></table>
<script>new WebSocket("ws://127.0.0.1:PORT").onmessage = (event) => {
  const cell = document.querySelector("td");
  cell.dataset.value = cell.textContent = event.data;
};</script>"""


@contextmanager
def _floor(exchange: ScriptedExchange) -> Iterator[Callable[[Any], Any]]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.pipeline", exchange.url, str(port)], cwd=ROOT)
    pages = ThreadingHTTPServer(("127.0.0.1", 0), _page_handler(port))
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    try:
        exchange.wait_for_connections(1, 30)
        yield lambda browser: _open_floor(browser, pages.server_address[1], port)
    finally:
        process.terminate()
        process.wait(10)
        pages.shutdown()


def _page_handler(port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(FLOOR_PAGE.replace("PORT", str(port)).encode())

        def log_message(self, *_arguments: object) -> None:
            return

    return Handler


def _open_floor(browser: Any, page_port: int, port: int) -> Any:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{page_port}/")
    _watch_with_sockets(f"ws://127.0.0.1:{port}", "", f"http://127.0.0.1:{page_port}")
    page.evaluate(WATCH)
    return page
