"""An alert on an open board: there within a moment, with its sentence, and gone with a click."""

from __future__ import annotations

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from dashboard.alerts.models import Alert, AlertRule
from dashboard.alerts.rules import Kind
from dashboard.alerts.watching import watch
from market import clock
from tests.browser.conftest import Desk
from tests.browser.test_board import link
from tests.dashboard.people import a_trader
from tests.processes import wait_until
from tests.trades.frames import germany
from trades.models import FeedGap

pytestmark = [pytest.mark.integration, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_alert_comes_by_itself_and_goes_with_a_click(desk: Desk, page: Page) -> None:
    anna = a_trader()
    now = clock.now()
    AlertRule.objects.create(user=anna, kind=Kind.GAP.value, created_at=now)
    watch(now)
    desk.log_in(page, "anna")
    expect(link(page)).to_have_text("live")
    with transaction.atomic():
        FeedGap.objects.create(market=germany(), started_at=now, ended_at=clock.now())
    assert watch(clock.now()) == 1
    line = page.locator("#alerts p")
    expect(line).to_contain_text("a gap of the exchange's feed opened", timeout=10_000)
    line.get_by_role("button", name="Seen").click()
    expect(line).to_have_count(0)
    wait_until(lambda: Alert.objects.get().seen_at, "the click")
    page.reload()
    expect(link(page)).to_have_text("live")
    expect(line).to_have_count(0)
