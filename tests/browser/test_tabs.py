"""Several tabs of one browser: they lose their log-in together, and come back together to where they were."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import UserSession
from dashboard.live.announcer import announcer
from market.models import Market
from market.periods import day_of
from tests.browser.conftest import Desk
from tests.browser.test_board import link, open_menu
from tests.dashboard.people import PASSWORD, a_trader

pytestmark = pytest.mark.browser


@pytest.fixture
def tomorrow(market: Market) -> date:
    return day_of(timezone.now(), market.zone) + timedelta(days=1)


def log_in(page: Page) -> None:
    page.fill("[name=username]", "anna")
    page.fill("[name=password]", PASSWORD)
    page.click("button:has-text('Log in')")


def test_a_session_that_ended_sends_every_tab_away_and_a_log_in_brings_all_back(
    desk: Desk, page: Page, tomorrow: date
) -> None:
    a_trader()
    desk.expect_complaints("WebSocket", "ERR_")
    board, history = f"/boards/trader_1/{tomorrow}/", "/history/"
    desk.log_in(page, "anna", board)
    other, account = page.context.new_page(), page.context.new_page()
    other.goto(desk.address + history)
    account.goto(f"{desk.address}/accounts/")
    expect(link(page)).to_have_text("live")
    UserSession.objects.all().delete()
    announcer.add([("access", 0, 0, "")])
    for tab, address in ((page, board), (other, history), (account, "/accounts/")):
        expect(tab).to_have_url(f"{desk.address}/accounts/login/?next={address.replace('/', '%2F')}")
    log_in(other)
    for tab, address in ((other, history), (page, board), (account, "/accounts/")):
        expect(tab).to_have_url(desk.address + address)
    expect(link(page)).to_have_text("live")


def test_two_tabs_at_the_log_in_form(desk: Desk, page: Page, tomorrow: date) -> None:
    """The second tab has a form of before the first one's log-in; without its script it sends that."""
    a_trader()
    plain = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    first, second = plain.new_page(), plain.new_page()
    board = f"/boards/trader_1/{tomorrow}/"
    for tab in (first, second):
        tab.goto(f"{desk.address}/accounts/login/?next={board}")
    log_in(first)
    expect(first).to_have_url(desk.address + board)
    log_in(second)
    expect(second).to_have_url(desk.address + board)
    plain.close()


def test_logging_out_is_for_all_tabs(desk: Desk, page: Page, tomorrow: date) -> None:
    a_trader()
    desk.expect_complaints("WebSocket", "ERR_")
    board = f"/boards/trader_1/{tomorrow}/"
    desk.log_in(page, "anna", board)
    other = page.context.new_page()
    other.goto(f"{desk.address}/history/")
    open_menu(page)
    page.click("button:has-text('Log out')")
    expect(page).to_have_url(f"{desk.address}/accounts/login/")
    expect(other).to_have_url(f"{desk.address}/accounts/login/?next=%2Fhistory%2F")
