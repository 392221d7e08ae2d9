"""Pictures of a seeded desk: `python -m tests.screenshots` writes the documents' to docs/screenshots/, and
`python -m tests.screenshots all` every page's, in both themes and three widths, to var/screenshots/; or only those of
pages whose names begin as said. Every page is taken in Firefox, too.

Everything is of its own and repeatable: servers, trades from a seed, and a web process whose clock is set to MOMENT.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

from local.checks import testbed
from tests.travelling_web import WEB

MOMENT = datetime(2026, 11, 23, 9, 46, 48, tzinfo=UTC)
DAY = MOMENT.date()
MIDNIGHT = datetime(2026, 11, 22, 23, tzinfo=UTC)
EVENING = MIDNIGHT - timedelta(hours=2)
ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS, EVERYTHING = ROOT / "docs" / "screenshots", ROOT / "var" / "screenshots"
REFERENCES = [
    45.2, 42.1, 40.7, 38.6, 39.9, 43.2, 43.14, 41.95, 42.25, 39.69, 32.11, 12.26,
    -3.59, -9.89, 6.2, 34, 57.35, 70.83, 76.67, 81.55, 78.23, 77.64, 73.07, 69.97,
]  # fmt: skip
WITHOUT_TRADES = {0, 1, 2, 3, 4, 5, 7, 22}
TRADERS = {
    "trader_1": "Trader 1",
    "trader_2": "Trader 2",
    "trader_3": "Trader 3",
    "trader_4": "Trader 4",
    "bot_1": "Solar bot",
}


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture."""

    name: str
    address: str
    theme: str
    width: int
    height: int
    language: str = "en"
    user: str = "head"
    """Whose session it is; empty: nobody's."""
    firefox: bool = False


BOARD = f"/boards/trader_1/{DAY}/"
THEN = "2026-11-23T07:31:20Z"
FULL_DAY = DAY + timedelta(days=2)
"""Each product of this day is traded; the day after the next, so that no other picture shows it."""
FULL = f"/boards/trader_1/{FULL_DAY}/"
SHOTS = (
    Shot("board-dark", BOARD, "dark", 1920, 900),
    Shot("board-light", BOARD, "light", 1920, 900),
    Shot("board-dark-phone", BOARD, "dark", 390, 844),
    Shot("board-light-phone", BOARD, "light", 390, 844),
    Shot("opened-dark", f"{BOARD}12-13/", "dark", 1920, 1000),
    Shot("desk-dark", "/desk/", "dark", 1366, 1080),
    Shot("history-light", "/history/", "light", 1366, 1080),
    Shot("not-found", "/boards/nobody/2026-11-23/", "dark", 900, 500),
    Shot("login", "/accounts/login/", "dark", 900, 500, user=""),
)
PAGES = {
    "board": BOARD,
    "board-no-trades": f"/boards/trader_1/{DAY + timedelta(days=1)}/",
    "board-holiday": f"/boards/trader_1/{DAY - timedelta(days=1)}/",
    "opened": f"{BOARD}14-15/",
    "opened-closing": f"{BOARD}14-15/?close_at=4.5&close_mwh=30",
    "opened-trades": f"{BOARD}14-15/?show=trades",
    "desk": "/desk/",
    "full-product": f"{FULL}?by=product",  # 24 hours and 96 quarters, all traded
    "full-hour": f"{FULL}?by=hour",
    "full-quarter": f"{FULL}?by=quarter",
    "full-opened-hour": f"{FULL}14-15/?by=hour",
    "full-opened-quarter": f"{FULL}14:15-14:30/?by=quarter&show=trades",
    "full-desk": f"/desk/{FULL_DAY}/?by=hour",
    "itself": f"/desk/against-itself/{DAY}/",
    "itself-period": f"/desk/against-itself/{DAY}/?hour=14-15",
    "past": f"{BOARD}?as_of={THEN}",
    "past-opened": f"{BOARD}14-15/?as_of={THEN}",
    "past-desk": f"/desk/{DAY}/?as_of={THEN}&basis=happened",
    "history": "/history/",
    "history-quarter": "/history/?by=quarter",
    "history-trader": "/history/?trader=trader_1&days=7",
    "earnings": "/history/earnings/",
    "earnings-trades": "/history/earnings/trades/?left=6",
    "history-refused": "/history/?from=2026-11-23&to=2016-11-23",
    "assumptions": f"/assumptions/?from={DAY - timedelta(days=60)}",
    "account": "/accounts/",
    **{name: f"/{name}/" for name in ("api", "alerts", "accounts/password", "accounts/second-factor")},
    "status": "/status/",
    "not-found": "/boards/nobody/2026-11-23/",
    "login": "/accounts/login/",
    "gap-board": BOARD,  # from here on the feed has an open gap
    "gap-desk": "/desk/",
    "gap-status": "/status/",
}
SIZES = ((1920, 1080), (1366, 900), (390, 844))


def every_page() -> Iterator[Shot]:
    """Each page in both themes and all widths, and once in German."""
    for name, address in PAGES.items():
        user = "" if name == "login" else "head"
        for theme in ("dark", "light"):
            for width, height in SIZES:
                yield Shot(f"{name}-{theme}-{width}", address, theme, width, height, user=user)
                yield Shot(f"{name}-{theme}-{width}-firefox", address, theme, width, height, user=user, firefox=True)
        yield Shot(f"{name}-german", address, "dark", 1366, 900, language="de", user=user)


def seed() -> None:
    """Five traders, a morning of trades around the reference on both sides, and prices as of the last publication."""
    from django.contrib.auth.models import User

    from tests.dashboard.alerts.seeded import store_alerts
    from tests.dashboard.figures.firmness.alike import store_alike
    from tests.dashboard.pictured import store_full_day
    from tests.earlier_days import store_earlier_days
    from tests.trades.frames import germany
    from trades.frames import FrameSource, JournalFrame
    from trades.ledger.store import store_frames
    from trades.ledger.traders import ensure_trader
    from trades.models import FeedConnection, Trader

    chance = random.Random(7)
    market = germany()
    for trader in TRADERS:
        ensure_trader(trader_id=trader)
    _store_demo()
    trades = sorted((trade for trader in TRADERS for trade in _trades(chance, trader)), key=lambda trade: trade[0])
    frames = [JournalFrame(n, at + timedelta(milliseconds=180), frame) for n, (at, frame) in enumerate(trades, start=1)]
    store_frames(market=market, source=FrameSource("screenshots", "listener-1"), frames=frames)
    for trader_id, name in TRADERS.items():
        Trader.objects.filter(trader_id=trader_id).update(name=name, is_bot=trader_id.startswith("bot"))
    _store_prices()
    store_full_day(FULL_DAY, REFERENCES, at=MOMENT)
    store_earlier_days(DAY, MOMENT, list(TRADERS))
    store_alike(market, DAY, moves=("-0.6", "-0.2", "0.05", "0.3", "0.7"))
    FeedConnection.objects.create(
        market=market,
        listener="listener-1",
        connected_at=MOMENT - timedelta(hours=4),
        alive_at=MOMENT + timedelta(hours=1),
        last_frame_at=MOMENT - timedelta(seconds=2),
    )
    User.objects.create_superuser("head", password="screenshots")
    _store_open_assumptions()
    store_alerts(User.objects.get(username="head"), MOMENT)


def _store_demo() -> None:
    """The demo's thirty days: those before the earlier days' of the history, on a desk without trades as yet."""
    from dashboard.access.logins import create_trader_login
    from tests.dashboard.people import PASSWORD
    from tests.demo_past import fill_demo_past

    for trader in TRADERS:
        create_trader_login(trader_id=trader, username=trader, password=PASSWORD)
    fill_demo_past(until=MIDNIGHT - timedelta(days=29), days=30)


def _store_open_assumptions() -> None:
    from django.contrib.auth.models import User

    from market import clock
    from tests.dashboard.assumptions.written import written

    clock.desk = clock.DeskClock(timer=time.time)  # as of the web process
    for number, (label, claim) in enumerate((("14-15", "up"), ("17-20", "down"), ("12-13", "up"))):
        facts = {"delivery_hours": [label], "claim": claim, "tags": ["wind update"], "confidence": 70, "quantity": "10"}
        reason = "The newest forecast has less wind than the one that the market trades on."
        author = User.objects.get(username=f"trader_{1 + number % 2}")
        written(author, at=MOMENT - timedelta(minutes=70 - number), reason=reason, **facts)


def _trades(chance: random.Random, trader: str) -> Iterator[tuple[datetime, bytes]]:
    """Moment of execution and frame."""
    from tests.trades.frames import confirmation

    for hour in sorted(set(range(24)) - WITHOUT_TRADES):
        buys_too = chance.random() < 0.45
        for number in range(chance.randint(6, 30)):
            direction = "buy" if buys_too and number % 3 == 0 else "sell"
            edge = chance.gauss(0.6, 1.4) * (-1 if direction == "buy" else 1)
            at = _executed(chance, hour)
            yield (
                at,
                confirmation(
                    f"{trader}-{hour}-{number}",
                    trader_id=trader,
                    direction=direction,
                    delivery_day=DAY.isoformat(),
                    delivery_hour=f"{hour:02d}-{hour + 1:02d}",
                    price=round(_reference(hour, at) + edge, 2),
                    quantity=round(chance.uniform(0.3, 5.5), 1),
                    execution_time=at.isoformat(),
                ),
            )


def _executed(chance: random.Random, hour: int) -> datetime:
    """Some moment from last midnight on at which the period could be traded, and that has passed."""
    last = min(MOMENT, _gate(hour))
    return MIDNIGHT + (last - MIDNIGHT) * chance.random() ** 0.7


def _gate(hour: int) -> datetime:
    return MIDNIGHT + timedelta(hours=hour, minutes=-5)


def _reference(hour: int, at: datetime) -> float:
    """The reference of a period as it wandered to where it is."""
    left = (min(MOMENT, _gate(hour)) - at) / timedelta(hours=1)
    return round(REFERENCES[hour] + 3.2 * math.sin(hour + left * 0.8) - 3.2 * math.sin(hour) + left * 0.3, 2)


def _store_prices() -> None:
    """Every ten minutes since the evening before, up to each gate, as the chase stores them."""
    from market.labels import parse_period
    from prices.models import ReferencePriceHistory
    from tests.dashboard.boards import store_price
    from tests.trades.frames import germany

    market = germany()
    for hour in range(24):
        label = f"{hour:02d}-{hour + 1:02d}"
        period = parse_period(DAY, label, market.zone).period
        last = min(MOMENT.replace(minute=40, second=4), _gate(hour))
        slots = [last - timedelta(minutes=10 * n) for n in range(1, 60) if last - timedelta(minutes=10 * n) > EVENING]
        ReferencePriceHistory.objects.bulk_create(
            ReferencePriceHistory(
                market=market,
                delivery_day=DAY,
                delivery_hour=label,
                delivery_start=period.start,
                delivery_end=period.end,
                value=Decimal(str(_reference(hour, slot))),
                last_update=slot,
                arrived_at=slot + timedelta(seconds=7),
            )
            for slot in slots
        )
        store_price(label, str(REFERENCES[hour]), day=DAY, at=last)


@contextmanager
def web() -> Iterator[str]:
    """A web process whose clock shows MOMENT; its address."""
    from tests.processes import free_port, running, wait_until
    from tests.web.serving import answers

    port = free_port()
    address = f"http://127.0.0.1:{port}"

    with TemporaryDirectory() as folder:
        argv = (sys.executable, "-c", WEB, MOMENT.isoformat(), str(port))
        environment = {"PROCESS_ROLE": "web", "DEBUG": "1", "SECOND_FACTOR": "optional"}
        with running(*argv, log=Path(folder) / "web.log", **environment) as process:
            wait_until(lambda: answers(address), "the web process:\n", details=process.output)
            yield address


def take(browser: Browser, address: str, shots: Iterable[Shot], folder: Path) -> None:
    """The pictures, each in a fresh window; one log-in serves them all."""
    page = browser.new_page()
    _log_in(page, address)
    sessions = {"head": page.context.storage_state(), "": None}
    for shot in shots:
        if shot.name.startswith("gap-"):
            from tests.dashboard.pictured import store_gaps

            with ThreadPoolExecutor(1) as elsewhere:  # Playwright's loop runs in this thread
                elsewhere.submit(store_gaps, MIDNIGHT).result()
        context = browser.new_context(
            viewport={"width": shot.width, "height": shot.height},
            color_scheme="null" if shot.firefox else shot.theme,  # type: ignore[arg-type]
            locale=shot.language,
            storage_state=sessions[shot.user],
        )
        page = context.new_page()
        page.goto(address + shot.address)
        if page.locator("#link-state").count():
            page.locator("#link-state[data-level=ok]").wait_for()
        if page.locator("#chart:visible").count():
            page.locator("#chart canvas").wait_for()
        path = folder / f"{shot.name}.png"
        page.screenshot(path=path, full_page=shot.width < 900, animations="disabled")
        context.close()
        print(path.relative_to(ROOT), flush=True)


def _log_in(page: Page, address: str) -> None:
    page.goto(f"{address}/accounts/login/")
    page.fill("[name=username]", "head")
    page.fill("[name=password]", "screenshots")
    page.click("button")
    page.wait_for_url(f"{address}/")


def main(arguments: list[str]) -> None:
    shots, folder = (every_page(), EVERYTHING) if arguments else (SHOTS, DOCUMENTS)
    if arguments and arguments != ["all"]:  # only the pages whose names begin so
        shots = (shot for shot in shots if shot.name.startswith(tuple(arguments)))
    with testbed.entered():
        import django

        django.setup()
        from django.db import connection

        folder.mkdir(parents=True, exist_ok=True)
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            seed()
            with web() as address:
                _photograph(address, shots, folder)
        finally:
            connection.creation.destroy_test_db(settings_name(), verbosity=0)


def settings_name() -> str:
    """The database's name outside of tests."""
    from django.conf import settings

    return str(settings.DATABASES["default"]["NAME"]).removeprefix("test_")


def _photograph(address: str, shots: Iterable[Shot], folder: Path) -> None:
    """In Chromium; what is for Firefox in a Firefox for each theme."""
    from tests.browser.drivers import browsers

    shots = list(shots)
    with sync_playwright() as playwright:
        with browsers.chromium(playwright) as browser:
            take(browser, address, [shot for shot in shots if not shot.firefox], folder)
        for theme in ("dark", "light"):
            chosen = [shot for shot in shots if shot.firefox and shot.theme == theme]
            if chosen:
                with browsers.firefox(playwright, theme) as browser:
                    take(browser, address, chosen, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
