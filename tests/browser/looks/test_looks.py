"""Where things stand on a page: beside what they belong to, whole, and with no room left empty for nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import FloatRect, Locator, Page, expect

from market.models import Market
from market.periods import day_of
from tests.browser.conftest import Desk
from tests.browser.test_board import open_board, row
from tests.dashboard.assumptions.written import written
from tests.dashboard.boards import store_trade
from tests.dashboard.people import a_head, a_trader

pytestmark = pytest.mark.browser


@pytest.fixture
def tomorrow(market: Market) -> date:
    return day_of(timezone.now(), market.zone) + timedelta(days=1)


def box(what: Locator) -> FloatRect:
    """Its place in pixels."""
    place = what.bounding_box()
    assert place is not None
    return place


def middle(what: Locator) -> float:
    """How far down its middle is."""
    return box(what)["y"] + box(what)["height"] / 2


@pytest.mark.parametrize("width", [1920, 1366, 1200])
def test_an_hour_s_net_by_quarter_stands_beside_its_number(desk: Desk, page: Page, tomorrow: date, width: int) -> None:
    a_trader()
    store_trade("12-13", "sell", "1234.5", "30", day=tomorrow)
    page.set_viewport_size({"width": width, "height": 900})
    open_board(desk, page, tomorrow)
    cell = row(page, "12-13").locator("[data-field=net_mwh]")
    assert abs(middle(cell.locator(".profile")) - middle(cell)) < 3
    number = cell.evaluate(
        "one => { const r = document.createRange(); r.selectNode(one.lastChild); return r.getBoundingClientRect().x; }"
    )
    profile = box(cell.locator(".profile"))
    assert profile["x"] + profile["width"] <= number, "never on its sign"


@pytest.mark.parametrize(("width", "most"), [(1920, 21), (390, 25)])
def test_an_assumption_s_line_leaves_no_room_empty(
    desk: Desk, page: Page, tomorrow: date, width: int, most: int
) -> None:
    user = a_trader()
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    written(user, at=timezone.now(), delivery_day=tomorrow.isoformat())
    page.set_viewport_size({"width": width, "height": 900})
    open_board(desk, page, tomorrow)
    line = page.locator("tr.theories:visible")
    expect(line).to_have_count(1)
    assert box(line)["height"] <= most
    assert box(line.locator("a"))["height"] >= 24, "large enough for a finger"


def test_boxes_to_tick_are_of_one_size(desk: Desk, page: Page) -> None:
    a_head()
    page.set_viewport_size({"width": 390, "height": 844})
    desk.log_in(page, "head", "/accounts/")
    boxes = page.locator(".marks [type=checkbox]").all()
    assert len(boxes) > 2
    assert {(box(one)["width"], box(one)["height"]) for one in boxes} == {(20, 20)}


WHOLE = "one => { const was = one.offsetWidth; one.style.maxWidth = 'none'; return one.offsetWidth <= was; }"


@pytest.mark.parametrize("width", [1920, 1366, 390])
def test_choices_and_title_of_earnings_are_whole(desk: Desk, page: Page, width: int) -> None:
    a_head()
    store_trade("12-13", "sell", "10", "30")
    page.set_viewport_size({"width": width, "height": 844})
    desk.log_in(page, "head", "/history/earnings/")
    for name in ("side", "product", "who"):
        assert page.locator(f"select[name={name}]").evaluate(WHOLE), name
    assert page.locator(".frame b").evaluate("one => one.scrollWidth <= one.clientWidth")


def test_no_part_of_the_status_waits_for_one_beside_it(desk: Desk, page: Page) -> None:
    a_head()
    page.set_viewport_size({"width": 1366, "height": 900})
    desk.log_in(page, "head", "/status/")
    first, last = box(page.locator("#open-now")), box(page.locator("#requests"))
    assert abs(first["y"] - last["y"]) < 2
    assert last["x"] > first["x"] + 400
