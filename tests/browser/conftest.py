"""A real Chromium against a real web process on the test's own database and Redis."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from local.servers import bootstrap
from market.models import Market
from tests.browser.drivers import browsers
from tests.dashboard.people import PASSWORD
from tests.processes import Process, environment, free_port, running, wait_until
from tests.trades.frames import germany
from tests.web.serving import answers
from trades.models import FeedConnection

expect.set_options(timeout=20_000)  # a busy machine is slow; nothing here is about being quick


@dataclass
class Desk:
    """The web process under test. `complaints` is what the browser's console said that it should not."""

    port: int
    log: Path
    stack: ExitStack = field(default_factory=ExitStack)
    process: Process | None = None
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    ended: bool = False
    """A test has ended it: the next one gets another."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start (again), on the same port, and wait until it listens."""
        argv = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port)]
        argv += ["--websocket-max-message-size", "1048576", "--websocket-max-frame-size", "4096"]
        argv += ["reporting.asgi:application"]
        web = running(*argv, log=self.log, PROCESS_ROLE="web", SECOND_FACTOR="optional")
        self.process = self.stack.enter_context(web)
        wait_until(lambda: answers(self.address), f"{self.address}/healthz to answer:\n", details=self.process.output)

    def kill(self) -> None:
        assert self.process is not None
        self.ended = True
        self.process.kill()

    def expect_complaints(self, *parts: str) -> None:
        """What contains one of these is no complaint in this test, also what comes after its last line.

        A page that has lost its server tries again for as long as it is open.
        """
        self.expected += parts

    def take_complaints(self) -> list[str]:
        """What no test expected; the next test begins anew."""
        said, expected = self.complaints, self.expected
        self.complaints, self.expected = [], ()
        return [text for text in said if not any(part in text for part in expected)]

    def log_in(self, page: Page, username: str, then: str = "/") -> None:
        """Through the login page, as people do; ends at `then`."""
        page.goto(f"{self.address}/accounts/login/?next={then}")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.click("button:has-text('Log in')")
        page.wait_for_url(f"{self.address}{then}")


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright for this folder only: asynchronous tests of others can't run beside its loop."""
    # Its loop runs in this thread, so Django believes that every query here is made in asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as running_playwright:
        yield running_playwright
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One for all tests of a worker: each has a profile of its own in it."""
    with browsers.chromium(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    with browsers.firefox(playwright) as browser:
        yield browser


@pytest.fixture
def market(transactional_db: None) -> Market:
    return germany()


@pytest.fixture
def connected(market: Market) -> FeedConnection:
    """The exchange feed, connected for as long as a test takes."""
    now = timezone.now()
    return FeedConnection.objects.create(
        market=market,
        listener="test",
        connected_at=now,
        alive_at=now + timedelta(hours=1),
        last_frame_at=now,
    )


@pytest.fixture(scope="session")
def _fresh_static_files() -> None:
    """Where static files were collected before, the pages serve the collected ones: bring them up to date."""
    with (Path(settings.STATIC_ROOT).parent / "collecting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers at once would take files from under each other
        bootstrap.collect_static()


@pytest.fixture(scope="session")
def running_desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Desk]]:
    """Web processes by the environment that they were started with: a start costs more than most tests."""
    desks: dict[str, Desk] = {}
    yield desks
    for desk in desks.values():
        desk.stack.close()


@pytest.fixture
def desk(
    _fresh_static_files: None,
    market: Market,
    connected: FeedConnection,
    running_desks: dict[str, Desk],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    """A web process that runs, perhaps since an earlier test; in the end no page may have complained."""
    key = json.dumps(environment(PYTEST_CURRENT_TEST=""), sort_keys=True)
    desk = running_desks.pop(key, None) or Desk(free_port(), tmp_path_factory.mktemp("web") / "daphne.log")
    with ExitStack() as unless_kept:
        unless_kept.enter_context(desk.stack)
        if desk.process is None:
            desk.start()
        yield desk
        complaints = desk.take_complaints()
        if not desk.ended and not complaints:
            running_desks[key] = desk
            unless_kept.pop_all()
    assert complaints == []


@pytest.fixture
def page(chromium: Browser, desk: Desk) -> Iterator[Page]:
    """One tab in a fresh profile, 1920 wide, dark."""
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda m: desk.complaints.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    yield page
    context.close()
