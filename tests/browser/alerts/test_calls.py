"""How an alert calls: by a notification and a sound where they are wanted and allowed, once for all open tabs."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from dashboard.alerts.models import Alert, AlertRule
from dashboard.alerts.rules import Kind
from dashboard.alerts.signals import announce
from market import clock
from tests.browser.conftest import Desk
from tests.browser.test_board import link
from tests.dashboard.people import a_trader

pytestmark = [pytest.mark.integration, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NOTE = """
window.shown = []; window.tones = [];
const Shown = window.Notification;
let leave = "default";
const ask = async () => (leave = (await navigator.permissions.query({ name: "notifications" })).state);
window.Notification = class extends Shown {
  static get permission() { return leave; }
  static requestPermission = ask;
  constructor(text, options) { super(text, options); window.shown.push(text); }
};
window.asked = ask();
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  window.tones.push(this.context.state);
  return start.apply(this, when);
};
"""
"""Notes what the page makes; the real ones are made all the same. Without a window Chromium's Notification.permission
doesn't hear what the driver has granted: it is asked where it does.
"""


def opened(desk: Desk, page: Page, *, allowed: bool) -> None:
    """Anna's board, live."""
    if allowed:
        page.context.grant_permissions(["notifications"], origin=desk.address)
    page.add_init_script(NOTE)
    desk.log_in(page, "anna")
    expect(link(page)).to_have_text("live")
    assert page.evaluate("asked") == ("granted" if allowed else "prompt")


def fire(user: User, number: int, **wishes: bool) -> None:
    """An alert, and the word to open pages."""
    now = clock.now()
    rule = AlertRule.objects.create(user=user, kind=Kind.PRICE_LATE.value, created_at=now, **wishes)
    Alert.objects.create(
        rule=rule, user=user, kind=rule.kind, subject=f"M{number}", facts={"market": f"M{number}"}, level="alert",
        started_at=now, last_at=now,
    )  # fmt: skip
    announce(user.pk)


def seen_on(page: Page, number: int) -> None:
    expect(page.locator("#alerts p").filter(has_text=f"M{number}: reference prices are late.")).to_be_visible()


def made(page: Page) -> tuple[list[Any], list[Any]]:
    return page.evaluate("shown"), page.evaluate("tones")


@pytest.mark.parametrize("sound", [True, False])
@pytest.mark.parametrize("browser", [True, False])
def test_it_calls_as_it_is_wished(desk: Desk, page: Page, sound: bool, browser: bool) -> None:
    anna = a_trader()
    opened(desk, page, allowed=True)
    fire(anna, 1, sound=sound, browser=browser)
    seen_on(page, 1)
    page.wait_for_function("() => localStorage.getItem('alerts told')")
    assert made(page) == (["M1: reference prices are late."] * browser, ["running"] * sound)
    fire(anna, 2)  # neither: what is older and wishes for both is silent
    seen_on(page, 2)
    page.wait_for_function("() => Number(localStorage.getItem('alerts told')) > 1 || shown.length > 9")
    assert made(page) == (["M1: reference prices are late."] * browser, ["running"] * sound)


def test_without_the_browsers_leave_there_is_no_notification(desk: Desk, page: Page) -> None:
    anna = a_trader()
    opened(desk, page, allowed=False)
    fire(anna, 1, sound=True, browser=True)
    seen_on(page, 1)
    page.wait_for_function("() => localStorage.getItem('alerts told')")
    assert made(page) == ([], ["running"])


def test_of_two_tabs_one_calls_and_a_reload_is_silent(desk: Desk, page: Page) -> None:
    anna = a_trader()
    opened(desk, page, allowed=True)
    other = page.context.new_page()
    other.add_init_script(NOTE)
    other.goto(page.url)
    expect(link(other)).to_have_text("live")
    assert other.evaluate("asked") == "granted"
    fire(anna, 1, sound=True, browser=True)
    for tab in (page, other):
        seen_on(tab, 1)
    page.wait_for_function("() => localStorage.getItem('alerts told')")
    shown, tones = ([*a, *b] for a, b in zip(made(page), made(other), strict=True))
    assert (len(shown), len(tones)) == (1, 1)
    page.reload()
    expect(link(page)).to_have_text("live")
    seen_on(page, 1)
    assert made(page) == ([], [])
