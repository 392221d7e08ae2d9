"""The guided first visit as a new user has it: by keyboard, told aloud, skippable, never twice, locking nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from market.models import Market
from tests.browser.conftest import Desk
from tests.dashboard.boards import store_trade
from tests.dashboard.people import a_trader

pytestmark = pytest.mark.browser


@pytest.fixture
def newcomer(market: Market) -> User:
    """A trader who has traded today and never had the visit."""
    user = a_trader()
    user.first_visit.delete()
    store_trade("23-24", "sell", "10", "20", day=market.day_of(timezone.now()), at=timezone.now() - timedelta(hours=1))
    return user


@pytest.mark.parametrize("width", [1920, 390])
def test_six_steps_by_keyboard(page: Page, desk: Desk, newcomer: User, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    desk.log_in(page, "anna")
    tour = page.locator("#tour")
    for step in range(1, 7):
        expect(tour.locator("h2")).to_contain_text(f"{step}/6")
        expect(tour.get_by_role("status")).not_to_be_empty()
        expect(page.locator(".toured")).to_be_in_viewport()
        if step == 1:
            found = Axe().run(page, context="#tour")
            assert not found.response["violations"]
        expect(tour.get_by_role("button").first).to_be_focused()
        page.keyboard.press("Enter")
    expect(tour).to_have_count(0)
    expect(page.locator("#board")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.reload()
    expect(page.locator(".period[data-delivery-hour]").first).to_be_attached()
    expect(page.locator("#tour")).to_have_count(0)


def test_it_is_skipped_with_escape_and_locks_nothing(page: Page, desk: Desk, newcomer: User) -> None:
    desk.log_in(page, "anna")
    expect(page.locator("#tour")).to_be_visible()
    page.locator(".period:not([data-empty]) th a").click()
    expect(page.locator("#tour")).to_be_visible()
    page.locator("#tour button").first.focus()
    page.keyboard.press("Escape")
    expect(page.locator("#tour")).to_have_count(0)
