"""From the exchange's send to the changed cell in a real Chromium, with 14 more viewers, beside a bare pipeline.

The floor is the least that has the same stations: websocket -> one PostgreSQL transaction -> websocket -> DOM, in one
process without Django, Redis, journal or rendering. At 100 a minute a trade to the product and one to the floor take
turns, 300 ms apart; at 20 a second and in bursts short rounds do: so whatever else the machine does hits both alike.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.desk import (
    Login,
    Viewers,
    a_frame,
    free_port,
    listener,
    log_in,
    percentile,
    process,
    publish,
    wait_until,
    web,
)
from bench.table import Row
from local.checks import programs
from local.simulators.exchange import ScriptedExchange

VIEWERS = 14
A_MINUTE, SECONDS = 100, 60.0
QUICK_ROUNDS, QUICK, QUICK_PAUSE = 2, 100, 0.05
BURSTS, BURST = 10, 100
CHROMIUM = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]

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

LIVE = "document.documentElement.dataset.link === 'live'"


@dataclass(frozen=True)
class Side:
    """The product or the floor: its exchange, and a page that counts the trades that it shows."""

    exchange: ScriptedExchange
    trader_id: str
    page: Any

    def count(self) -> int:
        return int(self.page.evaluate("window.seen.length"))

    def send(self, trades: int = 1) -> float:
        """So many trades at once; when (milliseconds of the epoch, as the page's clock)."""
        frames = [a_frame(self.trader_id) for _ in range(trades)]
        now = time.time() * 1000
        self.exchange.send(*frames)
        return now

    def latencies(self, before: int, sent: list[float]) -> list[float]:
        """Milliseconds from each send, the first after `before` others, to the cell that counts it."""
        wait_until(lambda: self.count() >= before + len(sent), 30, f"{before + len(sent)} trades on the page")
        seen = self.page.evaluate(f"window.seen.slice({before})")
        return [at - when for at, when in zip(seen, sent, strict=True)]


def run(folder: Path) -> list[Row]:
    login = log_in(f"screen-{time.time_ns()}")  # first: beside Playwright's own loop Django refuses to work
    publish(Decimal("18.5"))  # with a reference a trade changes more: results, colours, lines
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        ours = stack.enter_context(_product(folder, browser, login))
        floor = stack.enter_context(_floor(browser))
        return [
            *_steady_rows(*in_turn(ours, floor, A_MINUTE, SECONDS / A_MINUTE)),
            *_quick_rows(ours, floor),
            *_burst_rows(ours, floor),
        ]


def _steady_rows(ours: list[float], floor: list[float]) -> list[Row]:
    what, of = f"send -> DOM, 15 viewers, {A_MINUTE} a minute", f"of {len(ours)} each"
    tail = f"p95 {percentile(ours, 95):.1f}, floor {percentile(floor, 95):.1f}; {of}"
    return [
        Row(f"{what}: median", "ms", percentile(ours, 50), percentile(floor, 50), tail),
        Row(f"{what}: p99", "ms", percentile(ours, 99), percentile(floor, 99), of),
    ]


def _quick_rows(ours: Side, floor: Side) -> list[Row]:
    pairs = [[_alone(side, QUICK, QUICK_PAUSE) for side in (ours, floor)] for _ in range(QUICK_ROUNDS)]
    mine, bare = ([late for pair in pairs for late in pair[side]] for side in (0, 1))
    tails = "; ".join(
        f"{who}p95 {percentile(of, 95):.1f}, p99 {percentile(of, 99):.1f}" for who, of in (("", mine), ("floor ", bare))
    )
    what = f"send -> DOM, 15 viewers, {1 / QUICK_PAUSE:.0f} a second: median"
    return [Row(what, "ms", percentile(mine, 50), percentile(bare, 50), f"{tails}; of {len(mine)} each")]


def _burst_rows(ours: Side, floor: Side) -> list[Row]:
    pairs = [(_burst(ours), _burst(floor)) for _ in range(BURSTS)]
    mine, bare = ([pair[side] for pair in pairs] for side in (0, 1))
    usual = f"longest of {BURSTS}; medians {statistics.median(mine):.0f}, floor {statistics.median(bare):.0f}"
    what = f"send -> DOM, 15 viewers, a burst of {BURST} complete"
    return [Row(what, "ms", max(mine), max(bare), usual)]


# --- patterns -----------------------------------------------------------------------------------------------------
def in_turn(ours: Side, floor: Side, count: int, pause: float) -> tuple[list[float], list[float]]:
    """So many trades to each, `pause` seconds apart, the floor's in the middle between two of ours."""
    sides = (ours, floor)
    before = [side.count() for side in sides]
    sent: tuple[list[float], list[float]] = [], []
    began = time.monotonic()
    for number in range(2 * count):
        time.sleep(max(0.0, began + number * pause / 2 - time.monotonic()))
        sent[number % 2].append(sides[number % 2].send())
    return ours.latencies(before[0], sent[0]), floor.latencies(before[1], sent[1])


def _alone(side: Side, count: int, pause: float) -> list[float]:
    """Latencies (ms) of so many trades, `pause` seconds apart."""
    before, sent, began = side.count(), [], time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number * pause - time.monotonic()))
        sent.append(side.send())
    return side.latencies(before, sent)


def _burst(side: Side) -> float:
    """Milliseconds until all trades of a burst are shown."""
    time.sleep(1.0)  # what came before has come to rest
    before = side.count()
    return max(side.latencies(before, [side.send(BURST)] * BURST))


# --- the browser and the product ----------------------------------------------------------------------------------
@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.CHROMIUM.need(), args=CHROMIUM)
        yield browser
        browser.close()


@contextmanager
def _product(folder: Path, browser: Any, login: Login) -> Iterator[Side]:
    """Our listener and web process, a new trader's board in the browser, and 14 more pages with it."""
    with ScriptedExchange() as exchange, web() as (address, _), listener(exchange.url, folder):
        exchange.wait_for_connections(1, 30)
        page = signed_in(browser, address, login).new_page()
        page.goto(f"{address}{login.board}")
        counting(page)
        with Viewers(address, [login] * VIEWERS):
            yield Side(exchange, login.trader_id, page)
        page.context.close()


def signed_in(browser: Any, address: str, login: Login) -> Any:
    """A browser's context with the session of this login."""
    context = browser.new_context()
    cookies = (cookie.split("=", 1) for cookie in login.cookie.split("; "))
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies])
    return context


def counting(page: Any) -> Any:
    """The board's or the floor's page as soon as it is live; it notes its counts from now on."""
    # asked from here: the board's Content-Security-Policy lets the page itself evaluate no condition
    wait_until(lambda: page.evaluate(LIVE), 30, "a page that is live")
    page.evaluate(WATCH)
    return page


# --- the floor ----------------------------------------------------------------------------------------------------
FLOOR_PAGE = """<!doctype html>
<table><tr data-delivery-hour="12-13"><td data-field="trade_count" data-value="0">0</td></tr></table>
<script>new WebSocket("ws://127.0.0.1:PORT").onmessage = (event) => {
  const cell = document.querySelector("td");
  cell.dataset.value = cell.textContent = event.data;
  document.documentElement.dataset.link = "live";
};</script>"""
NOBODY = Login("floor", 0, "")


@contextmanager
def _floor(browser: Any) -> Iterator[Side]:
    """The bare pipeline, its page in the browser, and 14 more sockets."""
    port = free_port()
    with (
        ScriptedExchange() as exchange,
        process("-m", "bench.floors.pipeline", exchange.url, str(port)),
        floor_pages(port) as home,
    ):
        exchange.wait_for_connections(1, 30)
        page = browser.new_context().new_page()
        page.goto(home)
        counting(page)
        with Viewers(f"http://127.0.0.1:{port}", [NOBODY] * VIEWERS):
            yield Side(exchange, NOBODY.trader_id, page)
        page.context.close()


@contextmanager
def floor_pages(port: int) -> Iterator[str]:
    """A server of the floor's one page; its address."""
    pages = ThreadingHTTPServer(("127.0.0.1", 0), _page_handler(port))
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{pages.server_address[1]}/"
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
