"""The board as a trader sees it: in a real Chromium, moved by real trades and prices, through restarts."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import UserSession
from market.models import Market
from market.periods import day_of
from tests.browser.conftest import Desk
from tests.dashboard.boards import SKETCH_DAY, store_price, store_sketch, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.processes import wait_until
from trades.ledger.traders import ensure_trader
from trades.models import FeedConnection, FeedGap
from trades.signals import feed_changed

pytestmark = pytest.mark.browser

GREEN, RED = "rgb(62, 207, 142)", "rgb(255, 122, 107)"


def row(page: Page, label: str) -> Locator:
    return page.locator(f'tr[data-delivery-hour="{label}"]')


def figure(page: Page, label: str, field: str) -> Locator:
    return row(page, label).locator(f'[data-field="{field}"]')


def open_menu(page: Page) -> None:
    """The one with everything that belongs to the person."""
    page.locator(".account summary").click()


def link(page: Page) -> Locator:
    return page.locator("#link-state small")


def open_board(desk: Desk, page: Page, day: date, *, username: str = "anna", trader: str = "trader_1") -> None:
    """Log in, open the board, and wait until it is live."""
    desk.log_in(page, username, f"/boards/{trader}/{day}/")
    expect(link(page)).to_have_text("live")


def nothing_under_way(page: Page) -> None:
    """Wait until a trader's board has what it asks for by itself: a request whose server dies is complained about."""
    page.wait_for_selector("#assume", state="attached")


def expect_no_sideways_scroll(page: Page) -> None:
    too_wide = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.body.querySelectorAll("*")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth)
        .map((one) => `${one.tagName} ${one.textContent.trim()}`)"""
    )
    assert too_wide == []


@pytest.fixture
def tomorrow(market: Market) -> date:
    return day_of(timezone.now(), market.zone) + timedelta(days=1)


@pytest.fixture(autouse=True)
def _anna(market: Market) -> None:
    a_trader()


def test_log_in_and_see_the_sketch_and_a_mixed_row(desk: Desk, page: Page) -> None:
    store_sketch()
    page.goto(f"{desk.address}/boards/trader_1/{SKETCH_DAY}/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    open_board(desk, page, SKETCH_DAY)
    for label, average, reference, performance, colour in (
        ("12-13", "10.20", "9.80", "+0.40", GREEN),
        ("13-14", "5.70", "8.90", "−3.20", RED),
        ("15-16", "25.00", "25.00", "+5.00", GREEN),
    ):
        expect(figure(page, label, "average_price")).to_have_text(average)
        expect(figure(page, label, "reference_price")).to_have_text(reference)
        expect(figure(page, label, "performance")).to_have_text(performance)
        expect(figure(page, label, "performance")).to_have_css("color", colour)
    expect(row(page, "15-16").locator(".legs")).to_have_text("sold 30.00 bought 20.00")
    expect(page.locator("#summary strong")).to_have_text("+72.00 €")
    expect(page).to_have_title("+72.00 € · trader_1 · Mon 6 Feb 2023")


def test_home_is_today(desk: Desk, page: Page, market: Market) -> None:
    desk.log_in(page, "anna")
    expect(link(page)).to_have_text("live")
    expect(page.locator("#board")).to_have_attribute("data-today", day_of(timezone.now(), market.zone).isoformat())
    expect(page.locator("#local-time")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))


def test_a_trade_arrives_live_and_flashes(desk: Desk, page: Page, tomorrow: date) -> None:
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    store_price("12-13", "25", day=tomorrow)
    open_board(desk, page, tomorrow)
    page.evaluate("window.sameDocument = true")
    page.evaluate(
        """() => { window.flashed = [];
        new MutationObserver((all) => all.forEach((one) => one.target.classList.contains("flash")
          && window.flashed.push(one.target.dataset.field ?? one.target.dataset.total)))
        .observe(document.body, { subtree: true, attributeFilter: ["class"] }); }"""
    )
    store_trade("12-13", "buy", "10", "20", day=tomorrow)
    expect(figure(page, "12-13", "performance")).to_have_text("+5.00", timeout=3_000)
    expect(figure(page, "12-13", "trade_count")).to_have_text("2")
    expect(page.locator("#summary strong")).to_have_text("+100.00 €")
    news = {"average_price", "average_buy_price", "bought_mwh", "trade_count", "net_mwh", "performance_eur"}
    wait_until(lambda: news <= set(page.evaluate("window.flashed")), "the flashes, which follow the painting", 3)
    flashed = set(page.evaluate("window.flashed"))
    assert not {"reference_price", "sold_mwh"} & flashed, "only what changed"
    expect(page.locator(".flash")).to_have_count(0, timeout=3_000)
    assert page.evaluate("window.sameDocument")


def test_a_price_arrives_live(desk: Desk, page: Page, tomorrow: date) -> None:
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    open_board(desk, page, tomorrow)
    expect(figure(page, "12-13", "performance")).to_have_attribute("data-trend", "none")
    expect(page.locator("#summary .note")).to_have_text(re.compile("no reference price yet"))
    store_price("12-13", "31.5", day=tomorrow)
    expect(figure(page, "12-13", "performance")).to_have_text("−1.50", timeout=3_000)
    expect(figure(page, "12-13", "performance")).to_have_css("color", RED)
    expect(page.locator("#summary .note")).to_have_count(0)


def test_periods_without_trades_fold_and_appear_with_their_first_trade(desk: Desk, page: Page, tomorrow: date) -> None:
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    open_board(desk, page, tomorrow)
    before_noon = page.get_by_role("button", name=re.compile("01–12 · 11 periods without trades"))
    expect(row(page, "05-06")).to_be_hidden()
    before_noon.focus()
    page.keyboard.press("Enter")
    expect(row(page, "05-06")).to_be_visible()
    expect(before_noon).to_have_attribute("aria-expanded", "true")
    page.reload()
    expect(row(page, "05-06")).to_be_visible()
    before_noon.focus()
    page.keyboard.press("Space")
    expect(row(page, "05-06")).to_be_hidden()
    expect(link(page)).to_have_text("live")
    store_trade("05-06", "buy", "10", "30", day=tomorrow)
    expect(row(page, "05-06")).to_be_visible(timeout=3_000)
    expect(row(page, "04-05")).to_be_hidden()
    expect(page.get_by_role("button", name=re.compile("01–05 · 4 periods"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("06–12 · 6 periods"))).to_be_visible()
    expect(before_noon).to_have_count(0)


def test_the_first_trade_of_a_shorter_period_adds_its_row(desk: Desk, page: Page, tomorrow: date) -> None:
    open_board(desk, page, tomorrow)
    expect(row(page, "12:15-12:30")).to_have_count(0)
    store_trade("12:15-12:30", "sell", "4", "30", day=tomorrow)
    expect(figure(page, "12:15-12:30", "sold_mwh")).to_have_text("1.00", timeout=5_000)
    labels = page.locator(".period").evaluate_all("rows => rows.map(r => r.dataset.deliveryHour)")
    assert labels[labels.index("12-13") + 1] == "12:15-12:30"


def test_a_restart_of_the_web_process(desk: Desk, page: Page, tomorrow: date) -> None:
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    open_board(desk, page, tomorrow)
    nothing_under_way(page)
    page.evaluate("window.sameDocument = true")
    desk.kill()
    expect(link(page)).to_have_text(re.compile(r"not live since \d\d:\d\d:\d\d · reconnecting"))
    expect(page.locator("#as-of")).to_have_text(re.compile(r"as of \d\d:\d\d:\d\d · this page is not live"))
    expect(figure(page, "12-13", "sold_mwh")).to_have_css("opacity", "0.5")
    store_trade("12-13", "sell", "10", "50", day=tomorrow)
    desk.start()
    expect(figure(page, "12-13", "average_price")).to_have_text("40.00", timeout=15_000)
    expect(link(page)).to_have_text("live")
    expect(page.locator("#as-of")).to_have_text("")
    expect(figure(page, "12-13", "sold_mwh")).to_have_css("opacity", "1")
    assert page.evaluate("window.sameDocument"), "without a reload"
    desk.expect_complaints("WebSocket connection to", "ERR_CONNECTION_REFUSED")


def test_a_lost_exchange_dims_what_depends_on_it(
    desk: Desk, page: Page, tomorrow: date, connected: FeedConnection, market: Market
) -> None:
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    store_price("12-13", "25", day=tomorrow, at=timezone.now())
    open_board(desk, page, tomorrow)
    expect(page.locator("#as-of")).to_have_text("")
    connected.disconnected_at = timezone.now()
    connected.save()
    feed_changed.send_robust(sender=FeedConnection, market_id=market.pk)
    expect(page.locator("#as-of")).to_have_text(re.compile(r"as of \d\d:\d\d:\d\d · the exchange is not connected"))
    expect(page.locator("#feed-states p").first).to_have_text(re.compile("not connected since"))
    expect(figure(page, "12-13", "sold_mwh")).to_have_css("opacity", "0.5")
    expect(figure(page, "12-13", "reference_price")).to_have_css("opacity", "1")
    expect(link(page)).to_have_text("live")


def test_a_login_that_ended_leads_to_the_login_page(desk: Desk, page: Page, tomorrow: date) -> None:
    open_board(desk, page, tomorrow)
    nothing_under_way(page)
    UserSession.objects.all().delete()
    desk.kill()
    desk.start()
    expect(page).to_have_url(f"{desk.address}/accounts/login/?next=%2Fboards%2Ftrader_1%2F{tomorrow}%2F")
    desk.expect_complaints("WebSocket connection to", "ERR_CONNECTION_REFUSED")


def test_switching_the_trader_and_the_day(desk: Desk, page: Page) -> None:
    a_head()
    ensure_trader(trader_id="bot/7 🚀")
    open_board(desk, page, SKETCH_DAY, username="head")
    page.get_by_label("Trader", exact=True).select_option("bot/7 🚀")
    page.wait_for_url(re.compile("/boards/bot/7%20%F0%9F%9A%80/2023-02-06/"))
    expect(link(page)).to_have_text("live")
    page.get_by_role("link", name="Day after").click()
    page.wait_for_url(re.compile("/2023-02-07/"))
    page.get_by_label("Delivery day").last.fill("2023-02-09")
    page.wait_for_url(re.compile("/boards/bot/7%20%F0%9F%9A%80/2023-02-09/"))


def test_the_theme_can_be_switched_and_stays(desk: Desk, page: Page) -> None:
    open_board(desk, page, SKETCH_DAY)
    ground = page.locator("html")
    expect(ground).to_have_css("background-color", "rgb(15, 20, 25)")
    open_menu(page)
    page.get_by_role("button", name="Light").click()
    expect(ground).to_have_css("background-color", "rgb(246, 247, 249)")
    page.reload()
    expect(ground).to_have_css("background-color", "rgb(246, 247, 249)")
    open_menu(page)
    expect(page.get_by_role("button", name="Dark")).to_be_visible()


def test_a_menu_closes_by_escape_and_by_a_click_elsewhere(desk: Desk, page: Page) -> None:
    open_board(desk, page, SKETCH_DAY)
    menu = page.locator(".account")
    open_menu(page)
    expect(menu.get_by_role("link", name="Account")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()
    open_menu(page)
    page.locator("#summary").click()
    expect(menu).not_to_have_attribute("open", "")


def test_the_head_is_one_calm_line(desk: Desk, page: Page, market: Market) -> None:
    """At 1366 px with a gap open, in both languages, on the board; and on the history page."""
    now = timezone.now()
    for hours in (1, 3):
        FeedGap.objects.create(
            market=market, started_at=now - timedelta(hours=hours), ended_at=now - timedelta(hours=hours - 0.5)
        )
    page.set_viewport_size({"width": 1366, "height": 900})
    a_head()  # has the most views to go to
    open_board(desk, page, day_of(now, market.zone), username="head")
    for language in ("en", "de"):
        page.goto(f"{desk.address}/")
        expect(page.locator("#gaps")).to_be_visible()
        for address in ("/", "/history/"):
            page.goto(desk.address + address)
            head = page.locator(".top").bounding_box()
            assert head is not None
            assert head["height"] <= 70, f"{address} in {language}"
            expect_no_sideways_scroll(page)
        if language == "en":
            open_menu(page)
            page.get_by_role("button", name="Deutsch").click()
            expect(page.locator("html")).to_have_attribute("lang", "de")


def test_nothing_flashes_for_those_who_want_no_motion(desk: Desk, page: Page, tomorrow: date) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_board(desk, page, tomorrow)
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    expect(figure(page, "12-13", "trade_count")).to_have_text("1", timeout=3_000)
    expect(page.locator(".flash")).to_have_count(0)


@pytest.mark.parametrize("width", [1920, 1366, 768, 390])
def test_no_sideways_scroll(desk: Desk, page: Page, market: Market, width: int) -> None:
    store_sketch()
    store_trade("16-17", "sell", "9999.9", "-9999.99")
    store_trade("16-17", "buy", "9999.9", "9999.99")
    store_price("16-17", "-9999.99")
    store_trade("12:15-12:30", "sell", "10", "30")
    page.set_viewport_size({"width": width, "height": 900})
    a_head()  # whose head of the page is the longest
    open_board(desk, page, SKETCH_DAY, username="head")
    expect(figure(page, "12-13", "performance")).to_be_visible()
    expect_no_sideways_scroll(page)
    now = timezone.now()
    FeedGap.objects.create(market=market, started_at=now - timedelta(minutes=2), ended_at=now)
    page.reload()
    expect(page.locator("#gaps")).to_be_visible()
    expect_no_sideways_scroll(page)


def test_a_whole_day_fits_a_screen(desk: Desk, page: Page, tomorrow: date) -> None:
    open_board(desk, page, tomorrow)
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080


def test_plain_pages(desk: Desk, page: Page) -> None:
    open_board(desk, page, SKETCH_DAY)
    page.goto(f"{desk.address}/boards/somebody/2023-02-06/")
    expect(page.locator("main")).to_contain_text("There is no trader “somebody” whose board you may see.")
    page.get_by_role("link", name="To your board").click()
    expect(link(page)).to_have_text("live")
    open_menu(page)
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile(r"/accounts/login/(\?next=.*)?$"))
    desk.expect_complaints("404 (Not Found)")
