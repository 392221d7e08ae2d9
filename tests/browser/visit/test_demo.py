"""The demo's days as a new user meets them in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dashboard.access.logins import ensure_demo_logins
from tests.browser.conftest import Desk
from tests.dashboard.people import PASSWORD
from tests.demo_past import fill_demo_past

pytestmark = pytest.mark.browser


def test_the_demos_page_tells_the_better_tag_and_fits_a_phone(desk: Desk, page: Page, settings: Any) -> None:
    settings.DEBUG = True
    ensure_demo_logins(password=PASSWORD)
    fill_demo_past(until=timezone.now(), days=30)
    page.set_viewport_size({"width": 390, "height": 844})
    desk.log_in(page, "head", "/assumptions/")
    tags = page.locator("#rates-tag tbody tr")
    expect(tags).to_have_count(3)
    assert [text.split()[0] for text in tags.locator("th").all_inner_texts()] == ["wind", "trend", "gut"]
    expect(tags.nth(0).locator("[data-field=excess]")).to_have_attribute("data-trend", "good")
    expect(tags.nth(1).locator("[data-field=excess]")).to_have_text("0.0 %")
    expect(page.locator("#rates-tags [data-mark=best] .mark")).to_have_count(1)  # what rides the drift is no best
    for opened in (False, True):
        page.locator("main details").evaluate_all(f"all => all.forEach((one) => (one.open = {str(opened).lower()}))")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
