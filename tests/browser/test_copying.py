"""What is copied from a page pastes into a spreadsheet as numbers, in the reader's language."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk
from tests.browser.test_board import open_board, open_menu
from tests.dashboard.boards import SKETCH_DAY, store_price, store_sketch, store_trade
from tests.dashboard.people import a_trader

pytestmark = pytest.mark.browser

COPY = """selector => {
    const range = document.createRange();
    range.selectNodeContents(document.querySelector(selector));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    const event = new ClipboardEvent("copy", { clipboardData: new DataTransfer(), bubbles: true, cancelable: true });
    document.querySelector(selector).dispatchEvent(event);
    return event.clipboardData.getData("text/plain");
}"""


def copied(page: Page, selector: str) -> list[list[str]]:
    return [line.split("\t") for line in page.evaluate(COPY, selector).splitlines()]


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_column_adds_up_after_pasting(desk: Desk, page: Page, language: str) -> None:
    a_trader()
    store_sketch()
    store_trade("16-17", "sell", "2000", "1.5")
    store_price("16-17", "3")
    open_board(desk, page, SKETCH_DAY)
    if language == "de":
        open_menu(page)
        page.get_by_role("button", name="Deutsch").click()
        expect(page.locator("#question")).to_have_text("Wie stehen wir bisher?")
    table = copied(page, "#periods")
    mark = {"en": ".", "de": ","}[language]
    rows = {row[0]: row for row in table}
    assert rows["16–17"][1:4] == [f"1{mark}50", f"3{mark}00", f"-1{mark}50"]
    assert rows["16–17"][4] == f"-3000{mark}00", "a plain minus, no thin space"
    assert rows["13–14"][3] == f"-3{mark}20"
    results = [row[4] for row in table if len(row) > 4 and row[0][:1].isdigit() and row[4]]
    total = sum(Decimal(text.replace(",", ".")) for text in results)
    assert total == Decimal(table[-1][4].replace(",", ".")), "a sum over the pasted results is the day's"


def test_one_figure_and_plain_text(desk: Desk, page: Page) -> None:
    a_trader()
    store_sketch()
    open_board(desk, page, SKETCH_DAY)
    assert page.evaluate(COPY, "tr[data-delivery-hour='13-14'] [data-field=performance]") == "-3.20"
    assert page.evaluate(COPY, "#question") == "", "left to the browser"
