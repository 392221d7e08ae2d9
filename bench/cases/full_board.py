"""A full board, 24 hours and 96 quarters all traded: its first load, and from a send to its cell beside 24 rows.

Both boards are open in one Chromium, on one web process and one listener, with 14 more viewers, and trades to them take
turns: whatever else the machine does hits both alike.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.cases.screen import VIEWERS, Side, chromium, counting, in_turn, signed_in
from bench.desk import DAY, Login, Viewers, a_frame, listener, log_in, percentile, wait_until, web
from bench.table import Row
from local.simulators.exchange import ScriptedExchange

EACH, PAUSE, LOADS = 100, 0.3, 7
WHAT = "a full board (24 hours, 96 quarters)"


def run(folder: Path) -> list[Row]:
    names = [f"{kind}-{time.time_ns()}" for kind in ("full", "hours")]
    logins = [log_in(name) for name in names]  # first: beside Playwright's own loop Django refuses to work
    labels = labels_of(60), labels_of(15)
    publish_all()
    with two_boards(folder, logins, (labels[0] + labels[1], labels[0])) as (browser, address, full, hours):
        late, floor = in_turn(full, hours, EACH, PAUSE)
        loads = [_load(browser, address, logins[0]) for _ in range(LOADS)]
    tail = f"at most 1.3 x floor; p95 {percentile(late, 95):.1f}, floor {percentile(floor, 95):.1f}; of {EACH} each"
    kilobytes, seconds = (sorted(of)[LOADS // 2] for of in zip(*loads, strict=True))
    return [
        Row(f"{WHAT}, send -> DOM; floor: 24 rows", "ms", percentile(late, 50), percentile(floor, 50), tail),
        Row(f"{WHAT}, first load as it travels", "KB", kilobytes, None, "at most 150; nothing cached, page and assets"),
        Row(f"{WHAT}, first load until it is live", "s", seconds, None, f"at most 1; median of {LOADS}"),
    ]


@contextmanager
def two_boards(
    folder: Path, logins: Sequence[Login], traded: Sequence[Sequence[str]]
) -> Iterator[tuple[Any, str, Side, Side]]:
    """The boards of two logins, open beside each other once their periods are traded: browser, address and both."""
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        exchange = stack.enter_context(ScriptedExchange())
        address, _ = stack.enter_context(web())
        stack.enter_context(listener(exchange.url, folder))
        exchange.wait_for_connections(1, 30)
        for login, labels in zip(logins, traded, strict=True):
            exchange.send(*(frame_of(login.trader_id, label) for label in labels))
        one, other = (stack.enter_context(shown(exchange, browser, address, login)) for login in logins)
        wait_until(lambda: min(one.count(), other.count()), 30, "both boards filled")
        yield browser, address, one, other


@contextmanager
def shown(exchange: ScriptedExchange, browser: Any, address: str, login: Login) -> Iterator[Side]:
    """The login's board in the browser, and half of the other viewers on it."""
    page = signed_in(browser, address, login).new_page()
    page.goto(f"{address}{login.board}?by=product")
    counting(page)
    with Viewers(address, [login] * (VIEWERS // 2)):
        yield Side(exchange, login.trader_id, page)
    page.context.close()


def _load(browser: Any, address: str, login: Login) -> tuple[float, float]:
    """KB as they travelled, and seconds until the page was live, with nothing cached."""
    context = signed_in(browser, address, login)
    page, sizes = context.new_page(), list[float]()
    session = context.new_cdp_session(page)
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.send("Network.enable")
    began = time.monotonic()
    page.goto(f"{address}{login.board}?by=product")
    wait_until(lambda: page.evaluate("document.documentElement.dataset.link === 'live'"), 30, "a page that is live")
    seconds = time.monotonic() - began
    page.wait_for_load_state("networkidle")
    context.close()
    return sum(sizes) / 1000, seconds


def labels_of(minutes: int) -> list[str]:
    from market.labels import label_of
    from market.periods import day_periods
    from market.queries import market_by_code

    zone = market_by_code("DE").zone
    return [label_of(period, zone) for period in day_periods(DAY, zone, minutes)]


def frame_of(trader_id: str, label: str) -> str:
    frame = json.loads(a_frame(trader_id))
    frame["trade_confirmation"]["delivery_hour"] = label
    return json.dumps(frame)


def publish_all() -> None:
    """A reference price of every hour and quarter of the day."""
    from market.queries import market_by_code
    from prices.models import ReferencePrice

    market, now = market_by_code("DE"), datetime.now(UTC)
    periods = [one for minutes in (60, 15) for one in market.day_periods(DAY, minutes)]
    for number, period in enumerate(periods):
        identity: dict[str, Any] = {"delivery_day": DAY, "delivery_start": period.start, "delivery_end": period.end}
        facts = {"value": 20 + number % 7, "last_update": now, "arrived_at": now}
        facts |= {"delivery_hour": market.label_of(period)}
        ReferencePrice.objects.update_or_create(market=market, **identity, defaults=facts)
