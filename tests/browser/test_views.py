"""The desk's view and the history in a real browser: live, in both languages, at every width, and on paper."""

from __future__ import annotations

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from market.models import Market
from market.periods import day_of
from tests.browser.conftest import Desk
from tests.browser.test_board import expect_no_sideways_scroll, figure, link, open_board, open_menu, row
from tests.dashboard.boards import SKETCH_DAY, store_price, store_sketch, store_trade
from tests.dashboard.people import a_head, a_trader

pytestmark = [pytest.mark.browser]
WIDTHS = (1920, 1366, 390)


def sheets(page: Page) -> int:
    """How many sheets of paper the page takes, printed as its styles say."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))


def result(page: Page, who: str) -> str:
    return str(page.locator(f"#{who} [data-field=performance_eur]").inner_text())


@pytest.fixture
def tomorrow(market: Market) -> date:
    return day_of(timezone.now(), market.zone) + timedelta(days=1)


def test_the_desk_is_live_and_adds_up(desk: Desk, page: Page, tomorrow: date) -> None:
    a_head()
    store_trade("12-13", "sell", "10", "30", day=tomorrow, trader="trader_1")
    store_price("12-13", "25", day=tomorrow, at=timezone.now())
    desk.log_in(page, "head", f"/desk/{tomorrow}/")
    expect(page.locator("#link-state small")).to_have_text("live")
    page.evaluate("window.sameDocument = true")
    row = page.locator("tr[data-delivery-hour='12-13']")
    expect(row.locator("[data-field=performance_eur]").first).to_have_text("+50.00")
    store_trade("12-13", "buy", "4", "20", day=tomorrow, trader="trader_1")
    expect(row.locator("[data-field=performance_eur]").first).to_have_text("+70.00", timeout=10_000)
    expect(row.locator("[data-field=net_mwh]").first).to_have_text("−6.00")
    store_trade("12-13", "sell", "2", "24", day=tomorrow, trader="bot/7 🚀")
    expect(page.locator("#traders tbody tr")).to_have_count(2, timeout=10_000)
    expect(page.locator("#heads")).to_contain_text("bot/7 🚀")
    assert result(page, "trader-desk") == "+68.00"
    assert page.evaluate("window.sameDocument"), "without a reload"
    page.get_by_role("link", name="bot/7 🚀").first.click()
    page.wait_for_url(re.compile(f"/boards/bot/7%20%F0%9F%9A%80/{tomorrow}/"))
    page.get_by_role("link", name="Desk", exact=True).click()
    page.wait_for_url(re.compile(f"/desk/{tomorrow}/"))


def test_a_board_in_three_readings_by_one_key_live_and_without_a_reload(desk: Desk, page: Page, tomorrow: date) -> None:
    a_trader()
    store_trade("12-13", "sell", "4", "30", day=tomorrow)
    store_price("12-13", "25", day=tomorrow, at=timezone.now())
    open_board(desk, page, tomorrow)
    page.evaluate("window.sameDocument = true")
    other = page.context.new_page()
    other.goto(page.url)
    expect(link(other)).to_have_text("live")
    reading = page.get_by_label("Reading")
    page.keyboard.press("r")
    expect(reading).to_have_value("hour")
    expect(link(page)).to_have_text("live")
    store_trade("12:15-12:30", "buy", "4", "20", day=tomorrow)
    expect(figure(page, "12-13", "net_mwh")).to_have_text("−3.00")
    expect(figure(page, "12-13", "performance_eur")).to_have_text("+25.00")
    expect(figure(other, "12:15-12:30", "net_mwh")).to_have_text("+1.00")
    expect(figure(other, "12-13", "net_mwh")).to_have_text("−4.00")
    expect(other.get_by_label("Reading")).to_have_value("product")
    reading.select_option("quarter")
    expect(figure(page, "12:15-12:30", "net_mwh")).to_have_text("0.00")
    store_trade("12:15-12:30", "buy", "4", "20", day=tomorrow)
    expect(figure(page, "12:15-12:30", "net_mwh")).to_have_text("+1.00")
    assert page.evaluate("window.sameDocument"), "without a reload"
    page.reload()
    expect(reading).to_have_value("quarter")
    page.keyboard.press("r")
    expect(reading).to_have_value("product")
    expect(figure(page, "12:15-12:30", "net_mwh")).to_have_text("+2.00")


def test_views_at_every_width_and_on_paper(desk: Desk, page: Page) -> None:
    a_head()
    for number in range(8):
        store_sketch(trader=f"trader_{number}")
    for hour in range(24):
        for direction, price in (("buy", "-999.99"), ("sell", "999.99")):
            store_trade(f"{hour:02d}-{hour + 1:02d}", direction, "99.9", price)
        store_price(f"{hour:02d}-{hour + 1:02d}", "-250.75")
    board, whole, week = "/boards/trader_1/2023-02-06/", "/desk/2023-02-06/", "/history/?from=2023-02-01&to=2023-02-07"
    desk.log_in(page, "head", board)
    for address, most in ((board, 1), (whole, 1), (week, 3), (f"{board}12-13/", 1)):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(desk.address + address)
            expect(page.get_by_role("link", name="History")).to_be_visible()
            expect_no_sideways_scroll(page)
        assert sheets(page) <= most, address
    page.goto(desk.address + week)
    expect(page.locator("svg.bars rect[data-trend=good]").first).to_be_visible()


def test_the_desk_s_tables_take_the_whole_width_of_a_phone(desk: Desk, page: Page) -> None:
    a_head()
    store_sketch()
    page.set_viewport_size({"width": 390, "height": 844})
    desk.log_in(page, "head", f"/desk/{SKETCH_DAY}/")
    for table in ("#traders", "#periods"):
        box = page.locator(f".scroll:has({table})").bounding_box()
        assert box is not None
        assert (box["x"], box["width"]) == (0, 390)
    choice, caption = page.get_by_label("Reading").bounding_box(), page.locator("#traders caption").bounding_box()
    assert choice is not None
    assert caption is not None
    assert choice["x"] + choice["width"] <= 380, "beside the edge, not on it"
    assert abs(choice["y"] - caption["y"]) < 12, "beside the caption"


LONG_NAME = "a_trader_with_a_very_long_name_of_the_north_sea_wind_portfolio_team_42"
STICKY = """() => Math.max(0, ...[...document.querySelectorAll(".scroll .sheet :is(th, td):first-child:not([colspan])")]
    .map((cell) => cell.getBoundingClientRect().width / cell.closest(".scroll").clientWidth))"""
"""The widest part of its window that a column which stays takes."""


@pytest.mark.parametrize("width", [390, 1366])
def test_a_long_name_breaks_no_page(desk: Desk, page: Page, width: int) -> None:
    a_head()
    a_trader(LONG_NAME)
    for trader, direction in ((LONG_NAME, "sell"), ("trader_1", "buy"), ("trader_2", "sell")):
        store_trade("12-13", direction, "10", "30", trader=trader)
    store_price("12-13", "25")
    days, page_size = "from=2023-02-01&to=2023-02-07", {"width": width, "height": 844}
    page.set_viewport_size(page_size)  # type: ignore[arg-type]
    addresses = (
        f"/desk/{SKETCH_DAY}/",
        f"/desk/against-itself/{SKETCH_DAY}/",
        f"/boards/{LONG_NAME}/{SKETCH_DAY}/",
        f"/history/?{days}",
        f"/history/?{days}&trader={LONG_NAME}",
        f"/history/earnings/?{days}&trader={LONG_NAME}",
        f"/history/earnings/trades/?{days}",
        f"/assumptions/?{days}",
        "/alerts/",
    )
    desk.log_in(page, "head", addresses[0])
    for address in addresses:
        page.goto(desk.address + address)
        expect(page.get_by_role("link", name="History", exact=True).first).to_be_visible()
        expect_no_sideways_scroll(page)
        assert page.evaluate(STICKY) <= 0.46, address
    page.goto(desk.address + addresses[0])
    name = page.locator("#traders").get_by_title(LONG_NAME)
    expect(name).to_have_text(LONG_NAME)
    assert name.evaluate("one => one.scrollWidth > one.clientWidth"), "cut, with an ellipsis"
    if width > 1000:
        assert page.evaluate(
            "[...document.querySelectorAll('.scroll')].every((one) => one.scrollWidth <= one.clientWidth)"
        )


def test_a_choice_of_language_reaches_what_scripts_say(desk: Desk, page: Page) -> None:
    a_trader()
    store_sketch()
    desk.log_in(page, "anna", f"/boards/trader_1/{SKETCH_DAY}/")
    open_menu(page)
    page.get_by_role("button", name="Deutsch").click()
    page.wait_for_url(f"{desk.address}/boards/trader_1/{SKETCH_DAY}/")
    expect(page.locator("#question")).to_have_text("Wie stehen wir bisher?")
    expect(page.locator("tr[data-delivery-hour='12-13'] [data-field=performance]")).to_have_text("+0,40")
    expect(page.locator("tr[data-delivery-hour='12-13'] .gate")).to_have_text("zu")
    open_menu(page)
    expect(page.get_by_role("button", name="Hell")).to_be_visible()
    page.keyboard.press("Escape")
    store_trade("12-13", "sell", "10", "12.2")
    expect(page.locator("tr[data-delivery-hour='12-13'] [data-field=performance]")).to_have_text(
        "+1,40", timeout=10_000
    )
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="XLSX").click()
    assert download.value.suggested_filename == f"board_trader_1_{SKETCH_DAY}.xlsx"
    desk.kill()
    expect(page.locator("#link-state small")).to_have_text(
        re.compile(r"nicht live seit \d\d:\d\d:\d\d · verbindet sich neu")
    )
    assert urlsplit(page.url).path == f"/boards/trader_1/{SKETCH_DAY}/"
    desk.expect_complaints("WebSocket connection to", "ERR_CONNECTION_REFUSED")


def test_quarters_fold_into_their_hour_and_one_button_opens_them(desk: Desk, page: Page, tomorrow: date) -> None:
    a_trader()
    store_trade("12-13", "sell", "4", "30", day=tomorrow)
    for label in ("12:15-12:30", "12:30-12:45"):
        store_trade(label, "buy", "4", "20", day=tomorrow)
        store_price(label, "22", day=tomorrow, at=timezone.now())
    open_board(desk, page, tomorrow)
    button = row(page, "12-13").get_by_role("button", name="2 quarters +4.00")
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(row(page, "12:15-12:30")).to_be_hidden()
    expect(row(page, "12-13").get_by_role("img", name="net by quarter: −1.00, 0.00, 0.00, −1.00 MWh")).to_be_visible()
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(row(page, "12:15-12:30")).to_be_visible()
    expect(page.locator("#opened")).to_have_count(0)
    store_trade("12:45-13:00", "buy", "4", "20", day=tomorrow)
    expect(row(page, "12:45-13:00")).to_be_visible()
    expect(row(page, "12-13").get_by_role("button", name="3 quarters")).to_have_attribute("aria-expanded", "true")
    page.reload()
    expect(row(page, "12:15-12:30")).to_be_visible()
    row(page, "12-13").get_by_role("button", name="3 quarters").press("Enter")
    expect(row(page, "12:15-12:30")).to_be_hidden()


def test_desk_and_history_change_their_reading_by_the_same_key(desk: Desk, page: Page, tomorrow: date) -> None:
    a_head()
    store_trade("12-13", "sell", "4", "30", day=tomorrow)
    store_price("12-13", "25", day=tomorrow, at=timezone.now())
    desk.log_in(page, "head")
    page.goto(f"{desk.address}/desk/{tomorrow}/")
    expect(link(page)).to_have_text("live")
    page.evaluate("window.sameDocument = true")
    page.keyboard.press("r")
    expect(page.get_by_label("Reading")).to_have_value("hour")
    expect(page.locator("main[data-by=hour]")).to_have_count(1)
    store_trade("12:15-12:30", "buy", "4", "20", day=tomorrow)
    expect(page.locator("[data-delivery-hour='12-13'] [data-field=net_mwh]").last).to_have_text("−3.00")
    expect(page.locator("#views a[href*='desk.csv?by=hour']")).to_have_count(1)
    assert page.evaluate("window.sameDocument"), "without a reload"
    page.goto(f"{desk.address}/history/?from={tomorrow}&to={tomorrow}")
    page.evaluate("window.sameDocument = true")
    result = page.locator("[data-total=performance_eur]")
    expect(page.get_by_label("Reading")).to_have_value("hour")
    expect(result).to_have_text("+25.00 €")
    page.get_by_label("Reading").select_option("product")
    expect(result).to_have_text("+20.00 €")
    expect(page.locator("#views a[href*='by=product']")).to_have_count(3)
    assert page.evaluate("window.sameDocument"), "without a reload"


def test_another_reading_closes_what_is_open_and_opens_its_own_rows(desk: Desk, page: Page, tomorrow: date) -> None:
    a_trader()
    store_trade("12-13", "sell", "4", "30", day=tomorrow)
    open_board(desk, page, tomorrow)
    row(page, "12-13").locator("th a").click()
    expect(page.locator("#opened")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    page.locator("h2").first.click()
    for _ in range(2):
        page.keyboard.press("r")
        expect(page.locator("#opened")).to_have_count(0)
        expect(link(page)).to_have_text("live")
    expect(page.locator("main[data-by=quarter]")).to_have_count(1)
    row(page, "12:15-12:30").locator("th a").click()
    expect(page.locator("#opened .trades-part")).to_contain_text("1/4 of 12–13")
    assert "by=quarter" in page.url
    assert page.evaluate("window.sameDocument"), "without a reload"
    page.reload()
    expect(page.locator("#opened .trades-part")).to_contain_text("1/4 of 12–13")
