"""Figures that stand still look like it within five seconds, and a page that comes back is right again within five.

The browser reaches the server through a proxy that resets, freezes and delays connections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from local.simulators.fault_proxy import Mode, Proxy
from market.models import Market
from market.periods import day_of
from prices.models import ProviderRequest
from tests.browser.conftest import Desk
from tests.browser.test_board import figure, link, row
from tests.dashboard.boards import store_price, store_trade
from tests.dashboard.people import PASSWORD, a_trader
from trades.models import FeedConnection, FeedGap
from trades.signals import feed_changed

pytestmark = pytest.mark.browser

FIVE_SECONDS = 5_600
"""Playwright looks every now and then, and this machine may be busy."""


@pytest.fixture
def tomorrow(market: Market) -> date:
    return day_of(timezone.now(), market.zone) + timedelta(days=1)


@pytest.fixture
def proxy(desk: Desk) -> Iterator[Proxy]:
    with Proxy("127.0.0.1", desk.port) as running:
        yield running


@pytest.fixture
def board(desk: Desk, proxy: Proxy, page: Page, tomorrow: date) -> Page:
    """An open, live board behind the proxy, with one trade and its price."""
    a_trader()
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    store_price("12-13", "25", day=tomorrow, at=timezone.now())
    page.goto(f"http://127.0.0.1:{proxy.port}/accounts/login/?next=/boards/trader_1/{tomorrow}/")
    page.fill("[name=username]", "anna")
    page.fill("[name=password]", PASSWORD)
    page.click("button:has-text('Log in')")
    expect(link(page)).to_have_text("live")
    expect(page.locator("#link-state span")).to_have_text(re.compile(r"since \d\d:\d\d:\d\d"))
    page.evaluate("window.sameDocument = true")
    return page


def expect_lost(page: Page, why: str = "this page is not live") -> None:
    expect(page.locator("#as-of")).to_have_text(re.compile(rf"as of \d\d:\d\d:\d\d · {why}"), timeout=FIVE_SECONDS)
    expect(figure(page, "12-13", "performance")).to_have_css("opacity", "0.5")


def expect_right_again(page: Page, average: str) -> None:
    expect(figure(page, "12-13", "average_price")).to_have_text(average, timeout=FIVE_SECONDS)
    expect(page.locator("#as-of")).to_have_text("", timeout=FIVE_SECONDS)
    assert page.evaluate("window.sameDocument"), "without a reload"


def test_a_link_that_is_cut_freezes_or_lags(board: Page, proxy: Proxy, desk: Desk, tomorrow: date) -> None:
    proxy.switch(Mode.REFUSE)
    proxy.reset()
    expect_lost(board)
    store_trade("12-13", "sell", "10", "50", day=tomorrow)
    proxy.switch(Mode.PASS)
    expect_right_again(board, "40.00")

    proxy.switch(Mode.BLACKHOLE)  # half-open: nothing says that it is dead
    expect_lost(board)
    store_trade("12-13", "sell", "10", "70", day=tomorrow)
    proxy.switch(Mode.PASS)
    expect_right_again(board, "50.00")
    expect(link(board)).to_have_text("live")

    proxy.delay = 1.5
    proxy.switch(Mode.DELAY)  # slow is not lost
    store_trade("12-13", "sell", "10", "90", day=tomorrow)
    expect(figure(board, "12-13", "average_price")).to_have_text("60.00", timeout=FIVE_SECONDS)
    expect(board.locator("#as-of")).to_have_text("")
    desk.expect_complaints("WebSocket", "ERR_")


def test_offline_asleep_and_in_the_background(board: Page, proxy: Proxy, desk: Desk, tomorrow: date) -> None:
    board.context.set_offline(True)
    proxy.switch(Mode.BLACKHOLE)
    expect_lost(board)
    store_trade("12-13", "sell", "10", "50", day=tomorrow)
    proxy.switch(Mode.PASS)
    board.context.set_offline(False)
    expect_right_again(board, "40.00")

    session = board.context.new_cdp_session(board)  # frozen like a tab that the browser put to sleep
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    proxy.reset()
    store_trade("12-13", "sell", "10", "70", day=tomorrow)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect_right_again(board, "50.00")
    desk.expect_complaints("WebSocket", "ERR_")


def test_a_listener_that_dies_without_a_word(board: Page, connected: FeedConnection, market: Market) -> None:
    expect(board.locator("#feed-states p").first.locator("b span")).to_have_text(re.compile(r"since .*\d\d:\d\d:\d\d"))
    connected.alive_at = timezone.now() - timedelta(seconds=3)
    connected.save()
    expect_lost(board, "the exchange is not connected")
    expect(figure(board, "12-13", "reference_price")).to_have_css("opacity", "1")
    expect(board.locator("#news")).to_have_text(re.compile("as of .* the exchange is not connected"))
    FeedGap.objects.create(
        market=market, started_at=timezone.now() - timedelta(minutes=2), ended_at=timezone.now() - timedelta(minutes=1)
    )
    connected.alive_at = timezone.now() + timedelta(hours=1)
    connected.save()
    feed_changed.send_robust(sender=FeedConnection, market_id=market.pk)
    expect(board.locator("#as-of")).to_have_text("", timeout=FIVE_SECONDS)
    expect(board.locator("#news")).to_have_text("1 gap")


def test_a_provider_that_stops_answering(board: Page, market: Market) -> None:
    now = timezone.now()
    ProviderRequest.objects.bulk_create(
        ProviderRequest(
            market=market,
            delivery_start=now,
            delivery_end=now + timedelta(hours=1),
            sent_at=now + timedelta(seconds=1, milliseconds=n),
            finished_at=now + timedelta(seconds=1, milliseconds=n),
            outcome="failed",
        )
        for n in range(3)
    )
    expect_lost(board, "the price provider does not answer")
    expect(figure(board, "12-13", "reference_price")).to_have_css("opacity", "0.5")
    expect(figure(board, "12-13", "sold_mwh")).to_have_css("opacity", "1")


def test_keys(board: Page, tomorrow: date) -> None:
    keys = board.keyboard
    keys.press("j")
    expect(row(board, "00-01").locator("a")).to_be_focused()
    for key in "jjk":
        keys.press(key)
    focused = board.evaluate("document.activeElement.closest('tr').dataset.deliveryHour")
    keys.press("Enter")
    expect(board).to_have_url(re.compile(f"/{tomorrow}/{focused}/$"))
    expect(board.locator("#opened")).to_be_visible()
    keys.press("Escape")
    expect(board.locator("#opened")).to_have_count(0)
    expect(row(board, focused).locator("a")).to_be_focused()
    keys.press("?")
    expect(board.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("j")
    board.get_by_label("Single letters").uncheck()
    keys.press("Escape")
    expect(board.get_by_role("dialog")).to_have_count(0)
    keys.press("]")
    keys.press("?")
    expect(board.get_by_role("dialog", name="Keys")).to_be_visible()
    board.get_by_label("Single letters").check()
    board.get_by_role("button", name="Close").click()
    keys.press("]")
    expect(board).to_have_url(re.compile(f"/{tomorrow + timedelta(days=1)}/$"))
    board.keyboard.press("t")
    expect(board).to_have_url(re.compile(f"/{tomorrow - timedelta(days=1)}/$"))


@pytest.mark.parametrize("by", [-3_600_000, 300_000])
def test_a_computers_clock_that_is_moved_changes_nothing(board: Page, tomorrow: date, by: int) -> None:
    """By an hour back or five minutes ahead: the page stays live, and its time is the server's."""
    board.evaluate(
        """by => {
            const real = Date.now.bind(Date);
            Date.now = () => real() + by;
            window.links = new Set();
            const note = () => window.links.add(document.documentElement.dataset.link);
            new MutationObserver(note).observe(document.documentElement, { attributeFilter: ["data-link"] });
        }""",
        by,
    )
    # A page that took the jump for a silence would say so at its next look, half a second later.
    board.wait_for_function("moved => performance.now() > moved + 1500", arg=board.evaluate("() => performance.now()"))
    assert board.evaluate("[...window.links].filter(link => link !== 'live')") == []
    board.evaluate("() => { window.heard = 0; document.addEventListener('desk:now', () => window.heard++); }")
    board.wait_for_function("() => window.heard >= 3", timeout=20_000)
    store_trade("12-13", "sell", "10", "50", day=tomorrow)
    expect_right_again(board, "40.00")
    shown = board.locator("#local-time").inner_text()
    zone = board.get_attribute("#board", "data-zone")
    now = timezone.now().astimezone(ZoneInfo(zone or ""))
    hours, minutes, seconds = (int(part) for part in shown.split(":"))
    apart = ((hours - now.hour) * 60 + minutes - now.minute) * 60 + seconds - now.second
    assert min(apart % 86_400, -apart % 86_400) < 30
