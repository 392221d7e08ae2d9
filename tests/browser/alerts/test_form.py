"""The form of rules: by keyboard alone, with an error beside its field, and leave asked for where it is wished for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from dashboard.alerts.models import AlertRule
from tests.browser.alerts.test_calls import NOTE
from tests.browser.conftest import Desk
from tests.dashboard.people import a_trader

pytestmark = [pytest.mark.integration, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_rule_is_made_by_keyboard_and_an_error_stands_beside_its_field(desk: Desk, page: Page) -> None:
    desk.expect_complaints("400 (Bad Request)")
    a_trader()
    desk.log_in(page, "anna", "/alerts/")
    radio = page.get_by_role("radio", name="The result of today or tomorrow changes by")
    page.get_by_role("radio", name="MWh or more of a product").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(radio).to_be_checked()
    expect(page.get_by_text("a new price makes −150 of +200")).to_be_visible()
    expect(page.get_by_text("a quarter of an hour before the gate")).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.type("300")
    page.keyboard.press("Tab")
    page.keyboard.type("soon")
    page.keyboard.press("Enter")
    wrong = page.locator("[aria-invalid]")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_value("soon")
    expect(wrong).to_have_accessible_description("The minutes must be a whole number from 1 to 1440.")
    expect(page.locator("#threshold-result_swing")).to_have_value("300")
    page.keyboard.press("Control+A")
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    expect(page.get_by_text("changes by 300 € or more within 10 minutes.")).to_be_visible()
    rule = AlertRule.objects.get()
    assert (rule.kind, rule.threshold, rule.minutes) == ("result_swing", Decimal(300), 10)


def test_a_figure_chooses_its_rule_and_ways_are_tried_where_they_are_wished_for(desk: Desk, page: Page) -> None:
    a_trader()
    page.add_init_script(NOTE)
    desk.log_in(page, "anna", "/alerts/")
    page.locator("#threshold-loss_limit").fill("1000")
    expect(page.locator("#kind-loss_limit")).to_be_checked()
    page.get_by_label("with a sound").check()
    page.wait_for_function("() => tones.length === 1")
    page.get_by_label("as the browser's notification").check()
    expect(page.locator("#refused")).to_be_visible()
    page.get_by_label("as the browser's notification").uncheck()
    expect(page.locator("#refused")).to_be_hidden()
    expect(page.get_by_text("The exchange sent something")).to_have_count(0)
    page.context.grant_permissions(["notifications"], origin=desk.address)
    page.get_by_label("as the browser's notification").check()
    page.wait_for_function("() => Notification.permission === 'granted'")
    expect(page.locator("#refused")).to_be_hidden()
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator(".ways i")).to_have_text(["with a sound", "as the browser's notification"])
    page.get_by_role("button", name="1 h").click()
    expect(page.locator(".silent")).to_contain_text("silent until")
    page.get_by_role("button", name="speak again").click()
    expect(page.locator(".silent")).to_have_count(0)
