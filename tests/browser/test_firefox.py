"""The pages' heart in Firefox ESR over WebDriver BiDi; and that they look there as they look in Chromium."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Playwright, expect

from market.models import Market
from market.periods import day_of
from tests.browser.conftest import Desk
from tests.browser.drivers import browsers
from tests.browser.drivers.printing import not_printed
from tests.browser.test_board import GREEN, figure, link, open_board, row
from tests.dashboard.boards import SKETCH_DAY, store_price, store_sketch, store_trade
from tests.dashboard.people import a_head, a_trader

pytestmark = pytest.mark.browser

NO_SOCKETS = """window.Socket = WebSocket;
window.WebSocket = class extends Socket { constructor() { super("ws://127.0.0.1:9/"); } };"""
LOOK = """() => Object.fromEntries([...document.querySelectorAll("#periods tr, #periods tr > *, #periods [data-field]")]
    .filter((one) => one.checkVisibility()).map((one, at) => {
        const box = one.getBoundingClientRect(), style = getComputedStyle(one);
        return [`${at} ${one.tagName} ${one.dataset.field ?? one.textContent.trim().slice(0, 12)}`,
            {right: box.right, top: box.top, height: box.height, colours: [style.color, style.backgroundColor,
             style.borderBottomWidth, parseFloat(style.borderBottomWidth) && style.borderBottomColor].join(" ")}];
    }))"""
LINES = """async (picture) => {
    const image = await createImageBitmap(await (await fetch("data:image/png;base64," + picture)).blob());
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, 1, image.height).data;
    const colour = (y) => pixels.slice(4 * y, 4 * y + 3).join();
    return [...Array(image.height).keys()].filter((y) => y && colour(y) !== colour(y - 1)).length;
}"""


@pytest.fixture
def tomorrow(market: Market) -> date:
    return day_of(timezone.now(), market.zone) + timedelta(days=1)


@pytest.fixture(autouse=True)
def _anna(market: Market) -> None:
    a_trader()


@pytest.fixture
def page(firefox: Browser, desk: Desk) -> Iterator[Page]:
    """One tab of Firefox in a fresh profile, dark."""
    context = browsers.new_context(firefox, color_scheme="null")
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda m: desk.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: desk.complaints.append(f"{error.name}: {error.message}"))
    yield page
    context.close()


def test_log_in_board_live_trade_and_price(desk: Desk, page: Page, tomorrow: date) -> None:
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    open_board(desk, page, tomorrow)
    page.evaluate("window.sameDocument = true")
    store_price("12-13", "25", day=tomorrow, at=timezone.now())
    expect(figure(page, "12-13", "performance")).to_have_text("+5.00")
    expect(figure(page, "12-13", "performance")).to_have_css("color", GREEN)
    store_trade("14-15", "buy", "4", "20", day=tomorrow)
    expect(figure(page, "14-15", "average_price")).to_have_text("20.00")
    expect(page.locator("#summary strong")).to_have_text("+50.00 €")
    assert page.evaluate("window.sameDocument")


def test_an_opened_row_with_its_chart_follows_and_closes(desk: Desk, page: Page, tomorrow: date) -> None:
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    store_price("12-13", "25", day=tomorrow, at=timezone.now() - timedelta(minutes=5))
    open_board(desk, page, tomorrow)
    row(page, "12-13").locator("td").nth(4).click()
    expect(page.locator("#chart")).to_have_attribute("data-drawn", "3")
    store_trade("12-13", "buy", "4", "20", day=tomorrow)
    expect(page.locator('#opened [data-field="performance_eur"]')).to_have_text("+70.00")
    expect(page.locator("#chart")).to_have_attribute("data-drawn", "4")
    page.keyboard.press("Escape")
    expect(page.locator("#opened")).to_have_count(0)
    expect(row(page, "12-13").locator("a")).to_be_focused()


def test_without_websockets_it_follows_by_plain_requests_and_says_so(desk: Desk, page: Page, tomorrow: date) -> None:
    page.add_init_script(NO_SOCKETS)
    desk.log_in(page, "anna", f"/boards/trader_1/{tomorrow}/")
    expect(page.locator("#link-state span")).to_have_text("no live connection")
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    expect(figure(page, "12-13", "average_price")).to_have_text("30.00")
    page.evaluate("() => { window.WebSocket = Socket; }")  # what forbade them is gone
    expect(link(page)).to_have_text("live")
    desk.expect_complaints("connect-src", "WebSocket")


def test_back_from_another_page_it_is_live_and_right(desk: Desk, page: Page, tomorrow: date) -> None:
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    open_board(desk, page, tomorrow)
    page.get_by_role("link", name="History").click()
    expect(page).to_have_url(re.compile("/history/"))
    store_trade("12-13", "sell", "10", "50", day=tomorrow)
    page.go_back()
    expect(figure(page, "12-13", "average_price")).to_have_text("40.00")
    expect(link(page)).to_have_text("live")


def test_printed_numbers_are_the_numbers_shown(desk: Desk, page: Page) -> None:
    """Every figure of the board, its total and its summary stand on paper as they stand on the screen."""
    store_sketch()
    open_board(desk, page, SKETCH_DAY)
    shown, missing = not_printed(page)
    assert shown > 40 and missing == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_looks_as_in_chromium(
    playwright: Playwright, chromium: Browser, firefox: Browser, desk: Desk, theme: str
) -> None:
    """Each row, cell and figure at the same place in the same colours; and rows have their lines."""
    store_sketch()
    a_head()
    with ExitStack() as stack:
        other = firefox if theme == "dark" else stack.enter_context(browsers.firefox(playwright, theme))
        blank = browsers.new_context(chromium).new_page()
        stack.callback(blank.context.close)
        looks, lines = [], []
        for browser, scheme in ((chromium, theme), (other, "null")):
            context = browsers.new_context(browser, width=1366, height=900, color_scheme=scheme)
            stack.callback(context.close)
            page = context.new_page()
            open_board(desk, page, SKETCH_DAY)
            page.keyboard.press("Escape")
            looks.append(page.evaluate(LOOK))
            lines.append(_lines(page, blank))
    rows = sum(" TR " in name for name in looks[0])
    assert lines == [2 * (rows - 1)] * 2, "each row but the last has its line"
    assert _differences(*looks) == []


def _lines(page: Page, blank: Page) -> int:
    """How often the colour changes down the left edge of the periods: twice for a line."""
    box = page.locator("#periods").bounding_box()
    assert box is not None
    clip = {"x": box["x"] + 6, "y": box["y"] + 2, "width": 1, "height": min(box["height"], 900 - box["y"]) - 4}
    picture = base64.b64encode(page.screenshot(clip=clip)).decode()  # type: ignore[arg-type]
    return int(blank.evaluate(LINES, picture))


def _differences(one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> list[str]:
    if one.keys() != other.keys():
        return [f"other elements: {sorted(one.keys() ^ other.keys())}"]
    found = []
    for name, here in one.items():
        there = other[name]
        moved = [side for side in ("right", "top", "height") if abs(here[side] - there[side]) > 3]
        if moved or here["colours"] != there["colours"]:
            found.append(f"{name}: {moved} {here} / {there}")
    return found
