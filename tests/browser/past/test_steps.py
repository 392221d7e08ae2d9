"""A board of a past moment in a real browser: steps, the slider, play, an opened row, and back to now."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from market.models import Market
from market.periods import day_of
from tests.browser.conftest import Desk
from tests.browser.test_board import figure, link, open_board, row
from tests.dashboard.boards import store_price
from tests.dashboard.people import a_trader
from tests.trades.frames import confirmation
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames

pytestmark = pytest.mark.browser


@pytest.fixture
def tomorrow(market: Market) -> date:
    """Three trades of 10, 20 and 30 MW, received 50, 30 and 10 minutes ago, and a price between each two."""
    a_trader()
    day = day_of(timezone.now(), market.zone) + timedelta(days=1)
    for number, minutes in enumerate((50, 30, 10), start=1):
        facts = {"delivery_day": day.isoformat(), "direction": "sell", "quantity": 10.0 * number, "price": 20}
        received = JournalFrame(number, ago(minutes), confirmation(number, **facts))
        store_frames(market=market, source=FrameSource("past", "listener-1"), frames=[received])
    for minutes, value in ((40, "18"), (20, "25")):
        store_price("12-13", value, day=day, at=ago(minutes))
    return day


def ago(minutes: int) -> datetime:
    return timezone.now().astimezone(UTC).replace(microsecond=0) - timedelta(minutes=minutes)


def sold(page: Page, mwh: str) -> None:
    expect(figure(page, "12-13", "sold_mwh")).to_have_text(mwh)


def test_a_day_is_stepped_through_by_keys(desk: Desk, page: Page, tomorrow: date) -> None:
    open_board(desk, page, tomorrow)
    sold(page, "60.00")
    page.goto(f"{desk.address}/boards/trader_1/{tomorrow}/?as_of={ago(1):%Y-%m-%dT%H:%M:%SZ}")
    expect(page.get_by_role("slider")).to_be_enabled()
    page.evaluate("window.sameDocument = true")
    shown = [("60.00", "25.00"), ("30.00", "25.00"), ("30.00", "18.00"), ("10.00", "18.00"), ("10.00", "—")]
    for key, steps in ((",", shown), (".", shown[-2::-1])):
        for mwh, reference in steps:
            page.keyboard.press(key)
            sold(page, mwh)
            expect(figure(page, "12-13", "reference_price")).to_have_text(reference)
    expect(page.locator("#board")).to_have_attribute("data-past", "")
    assert page.evaluate("window.sameDocument"), "no page was loaded anew"
    page.get_by_role("link", name="as it was").click()
    expect(page.get_by_role("link", name="as it was")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Back to now").click()
    expect(link(page)).to_have_text("live")


def test_the_slider_and_play_move_the_board(desk: Desk, page: Page, tomorrow: date) -> None:
    open_board(desk, page, tomorrow)
    page.goto(f"{desk.address}/boards/trader_1/{tomorrow}/?as_of={ago(55 - 6):%Y-%m-%dT%H:%M:%SZ}")
    sold(page, "10.00")
    slider = page.get_by_role("slider")
    slider.evaluate("(one, value) => { one.value = value; one.dispatchEvent(new Event('input', {bubbles: true})) }",
                    str(ago(25).timestamp() * 1000))  # fmt: skip
    sold(page, "30.00")
    slider.evaluate("one => one.dispatchEvent(new Event('change', {bubbles: true}))")
    page.get_by_label("Speed").select_option("600")
    page.get_by_role("button", name="Play").click()
    sold(page, "60.00")
    expect(page.get_by_role("button", name="Play")).to_be_visible()  # at the end it stops
    expect(page).to_have_url(re.compile(r"as_of="))


def test_an_opened_row_goes_along_and_closes_at_the_shown_moment(desk: Desk, page: Page, tomorrow: date) -> None:
    open_board(desk, page, tomorrow)
    row(page, "12-13").locator("a").click()
    page.get_by_role("link", name=re.compile("^Trades")).click()
    oldest = page.locator("#opened .trades-part tbody tr").last.locator("td").first
    oldest.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"as_of="))
    sold(page, "10.00")
    row(page, "12-13").locator("a").click()
    expect(page.locator('#opened [data-field="sold_mwh"]')).to_have_text("10.00")
    page.keyboard.press(".")
    page.keyboard.press(".")
    expect(page.locator('#opened [data-field="sold_mwh"]')).to_have_text("30.00")
    page.keyboard.press("Escape")
    expect(page.locator("#opened")).to_have_count(0)
    sold(page, "30.00")
