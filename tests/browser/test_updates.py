"""An update with old and new servers side by side: an open page is loaded again twice at most, in any order."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Error as PageClosed
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from market.models import Market
from market.periods import day_of
from tests.browser.conftest import Desk
from tests.browser.test_board import link
from tests.dashboard.people import a_trader

pytestmark = pytest.mark.browser

OLD, NEW = "0.0.1", "0.0.2"
LOOKS = 12


class Servers:
    """What answers: `page` and `socket` say of which version the next one is."""

    def __init__(self, page: Page, of_page: Callable[[], str], of_socket: Callable[[], str]) -> None:
        self.of_page, self.of_socket, self.loads, self.asked = of_page, of_socket, 0, 0
        page.route(re.compile(r"/boards/trader_1/[\d-]+/(\?by=product)?$"), self._answer)
        page.route_web_socket(re.compile("."), self._connect)
        page.on("load", self._loaded)

    def _loaded(self, _page: Page) -> None:
        self.loads += 1

    def _answer(self, route: Route) -> None:
        self.asked += 1
        with suppress(PageClosed):  # the test has ended in the middle of an answer
            answer = route.fetch()
            body = answer.text().replace(f'data-app="{settings.VERSION}"', f'data-app="{self.of_page()}"')
            route.fulfill(response=answer, body=body)

    def _connect(self, socket: WebSocketRoute) -> None:
        server, version = socket.connect_to_server(), self.of_socket()

        def pass_on(message: str | bytes) -> None:
            text = message if isinstance(message, str) else message.decode()
            socket.send(text.replace(f'"app": "{settings.VERSION}"', f'"app": "{version}"'))

        server.on_message(pass_on)


def alternating(*versions: str) -> Callable[[], str]:
    count = iter(range(10**6))
    return lambda: versions[next(count) % len(versions)]


def by_chance(seed: int) -> Callable[[], str]:
    dice = random.Random(seed)
    return lambda: dice.choice((OLD, NEW))


@pytest.mark.parametrize(
    ("of_page", "of_socket"),
    [
        (alternating(OLD, NEW), alternating(NEW, OLD)),
        (alternating(OLD, NEW, NEW), alternating(NEW, OLD)),
        (alternating(OLD), alternating(NEW)),
        (by_chance(1), by_chance(2)),
        (by_chance(3), by_chance(4)),
    ],
    ids=["in turn", "in other turns", "pages stay old", "by chance", "by another chance"],
)
def test_two_versions_side_by_side(
    desk: Desk, page: Page, market: Market, of_page: Callable[[], str], of_socket: Callable[[], str]
) -> None:
    a_trader()
    desk.expect_complaints("WebSocket is closed before the connection is established")  # loaded again while it opens
    day = day_of(timezone.now(), market.zone) + timedelta(days=1)
    desk.log_in(page, "anna", "/accounts/")
    page.clock.install()
    servers = Servers(page, of_page, of_socket)
    page.goto(f"{desk.address}/boards/trader_1/{day}/")
    for _ in range(LOOKS):
        expect(link(page)).to_have_text("live")
        page.clock.fast_forward(11_000)  # as long as it takes until the page looks again, and its socket seems lost
    page.unroute_all(behavior="ignoreErrors")
    assert servers.asked >= 2
    assert servers.loads - 1 <= 2, "the first load aside"


def test_a_page_of_the_old_version_is_loaded_again_when_the_new_one_is_there(
    desk: Desk, page: Page, market: Market
) -> None:
    a_trader()
    day = day_of(timezone.now(), market.zone) + timedelta(days=1)
    desk.log_in(page, "anna", "/accounts/")
    page.clock.install()
    served = [OLD]
    servers = Servers(page, lambda: served[-1], lambda: NEW)
    page.goto(f"{desk.address}/boards/trader_1/{day}/")
    expect(link(page)).to_have_text("live")
    page.clock.fast_forward(11_000)
    expect(link(page)).to_have_text("live")
    assert servers.loads == 1, "its own address is still the old version"
    served.append(NEW)
    page.clock.fast_forward(11_000)
    expect(page.locator(f'#board[data-app="{NEW}"]')).to_be_visible()
    page.wait_for_load_state()
    page.unroute_all(behavior="ignoreErrors")
    assert servers.loads == 2
