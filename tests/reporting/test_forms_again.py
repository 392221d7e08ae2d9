"""A form that was open while another tab logged in again: nothing is done, nothing is lost, and it is no 403."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from accounts.models import UserSession
from tests.dashboard.people import PASSWORD, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

HOST = "http://testserver"
LOG_IN = "/accounts/login/"


def token_in(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]


class Browser:
    """One browser with several tabs: one cookie jar, and tokens as old as the pages are."""

    def __init__(self) -> None:
        germany()
        self.user: User = a_trader()
        self.client = Client(enforce_csrf_checks=True)

    def open(self, address: str) -> str:
        """The token of the page at this address."""
        return token_in(self.client.get(address).content.decode())

    def send(self, address: str, token: str, page: str = "", origin: str = HOST, **fields: str) -> HttpResponse:
        headers = {"Origin": origin, "Referer": HOST + (page or address)}
        data: dict[str, Any] = {"csrfmiddlewaretoken": token, **fields}
        return self.client.post(address, {k: v for k, v in data.items() if v}, headers=headers)  # type: ignore[return-value]

    def log_in(self) -> None:
        answer = self.send(LOG_IN, self.open(LOG_IN), username="anna", password=PASSWORD)
        assert answer.status_code == 302


@pytest.fixture
def browser() -> Browser:
    return Browser()


def test_two_tabs_at_the_log_in(browser: Browser) -> None:
    """The second one goes on to where it was to lead."""
    page = f"{LOG_IN}?next=/history/"
    second = browser.open(page)
    browser.log_in()
    answer = browser.send(LOG_IN, second, page, username="anna", password=PASSWORD, next="/history/")
    assert (answer.status_code, answer["Location"]) == (303, "/history/")
    elsewhere = browser.send(LOG_IN, second, page, username="anna", password=PASSWORD, next="https://evil.example/")
    assert (elsewhere.status_code, elsewhere["Location"]) == (303, "/")


def test_a_log_in_form_that_is_too_old_comes_anew(browser: Browser) -> None:
    page = f"{LOG_IN}?next=/history/"
    old = browser.open(page)
    browser.client.cookies.clear()
    browser.open(LOG_IN)
    answer = browser.send(LOG_IN, old, page, username="anna", password=PASSWORD)
    assert (answer.status_code, answer["Location"]) == (303, page)
    assert not UserSession.objects.filter(user_id=browser.user.pk).exists()


def test_any_other_form_is_shown_to_be_sent_again(browser: Browser) -> None:
    browser.log_in()
    old = browser.open("/accounts/password/")
    browser.client.get("/boards/trader_1/2023-02-06/")
    other = Client()
    other.force_login(browser.user)
    session = UserSession.objects.exclude(session_key="").latest("started_at")
    browser.client.post("/accounts/logout/", {"csrfmiddlewaretoken": old}, headers={"Origin": HOST})
    browser.log_in()
    answer = browser.send("/accounts/sessions/end/", old, "/accounts/", session=str(session.pk))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "you are anna now. Nothing was changed." in page
    assert f'name="session" value="{session.pk}"' in page
    assert UserSession.objects.filter(pk=session.pk).exists()
    again = browser.send("/accounts/sessions/end/", token_in(page), "/accounts/", session=str(session.pk))
    assert again.status_code == 302
    assert not UserSession.objects.filter(pk=session.pk).exists()


def test_a_password_is_never_given_back(browser: Browser) -> None:
    browser.log_in()
    old = browser.open("/accounts/password/")
    browser.client.post("/accounts/logout/", {"csrfmiddlewaretoken": old}, headers={"Origin": HOST})
    browser.log_in()
    fields = {"old_password": PASSWORD, "new_password1": "another one", "new_password2": "another one"}
    answer = browser.send("/accounts/password/", old, **fields)
    assert (answer.status_code, answer["Location"]) == (303, "/accounts/password/")
    browser.user.refresh_from_db()
    assert browser.user.check_password(PASSWORD)


@pytest.mark.parametrize(("origin", "token"), [("https://evil.example", "old"), ("null", "old"), (HOST, "")])
def test_a_forged_form_stays_refused(browser: Browser, origin: str, token: str) -> None:
    browser.log_in()
    old = browser.open("/accounts/password/")
    browser.client.post("/accounts/logout/", {"csrfmiddlewaretoken": old}, headers={"Origin": HOST})
    browser.log_in()
    answer = browser.send("/accounts/sessions/end/", old if token else "", "/accounts/", origin)
    assert answer.status_code == 403
    assert UserSession.objects.filter(user_id=browser.user.pk).exists()


def test_back_leads_to_no_other_site(browser: Browser) -> None:
    browser.log_in()
    answer = browser.send("/accounts/sessions/end/", "", "//evil.example/")
    assert answer.status_code == 403
    assert "evil.example" not in answer.content.decode()
