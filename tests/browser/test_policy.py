"""Every page that a browser may see, in a real Chromium: nothing on it breaks the Content-Security-Policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from tests.access.matrix import http_rows
from tests.access.test_matrix import address_of, rows_to_look_at
from tests.browser.conftest import Desk
from tests.dashboard.boards import store_sketch
from tests.dashboard.people import a_superuser, a_trader

pytestmark = pytest.mark.browser

WATCH = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation",
        (e) => window.violations.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
"""
ODD = ("/admin/logout/", "/accounts/logout/")
FILES = (".csv", ".xlsx", "/assumptions.json")
"""Ends of addresses that a browser saves and does not show."""
STREAM = "/events"
"""What never ends is no page."""


@pytest.fixture
def addresses(market: object) -> Iterator[list[str]]:
    """Every address that shows an admin a page, and some that show errors."""
    a_trader()
    a_superuser()
    world = {**rows_to_look_at(), "auth.user": User.objects.get(username="anna")}
    store_sketch()
    rows = [row for row in http_rows() if row.cells()["admin"] in {"200", "404"} and not row.address.startswith(ODD)]
    found = {address_of(row, world) for row in rows}
    yield sorted(address for address in found if not address.partition("?")[0].endswith((*FILES, STREAM)))


def test_no_page_breaks_the_policy(page: Page, desk: Desk, addresses: list[str]) -> None:
    page.add_init_script(WATCH)
    page.goto(f"{desk.address}/accounts/login/")
    assert page.evaluate("violations") == []
    desk.log_in(page, "root")
    broken: dict[str, list[str]] = {}
    for address in addresses:
        answer = page.goto(desk.address + address, wait_until="load")
        assert answer is not None
        if "html" not in answer.headers.get("content-type", ""):
            continue
        assert answer.headers["content-security-policy"].startswith("default-src 'none'"), address
        if found := page.evaluate("violations"):
            broken[address] = found
    assert broken == {}
    policy_words = ("Content Security Policy", "Content-Security-Policy", "violates")
    assert [said for said in desk.complaints if any(word in said for word in policy_words)] == []
    desk.expect_complaints("")  # addresses that answer 404 are complained about by design


def test_the_policy_is_in_force(page: Page, desk: Desk) -> None:
    """What an injected page would try is really refused: the walk above would notice."""
    page.add_init_script(WATCH)
    page.goto(f"{desk.address}/accounts/login/")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.injected = 1";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", "<p style='color: red'><img src='https://evil.example/x'>");
        }"""
    )
    page.wait_for_function("() => violations.length >= 3")
    assert page.evaluate("window.injected") is None
    desk.expect_complaints("")
