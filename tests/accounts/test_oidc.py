"""Log-in by OpenID Connect against a real provider, run in this process: who gets in, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from accounts import oidc
from accounts.audit.models import Entry
from accounts.models import CompanyIdentity
from tests.dashboard.people import a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

START, BACK = "/accounts/company/", "/accounts/company/back/"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A provider that knows three subjects; its address."""
    with pytest.warns():
        import oidc_provider_mock  # with a web framework of its own: for these tests, not for all that collect

    people = [
        oidc_provider_mock.User(sub=sub, claims={"preferred_username": name})
        for sub, name in (("sub-anna", "anna"), ("sub-other", "anna"), ("sub-nobody", "nobody"))
    ]
    with oidc_provider_mock.run_server_in_thread(require_nonce=True, user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(autouse=True)
def _configured(provider: str, settings: Settings) -> None:
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = provider, "desk", "a client secret"
    oidc._client.cache_clear()


@pytest.fixture
def anna() -> User:
    germany()
    return a_trader()


def sent_to(client: Client, then: str = "") -> str:
    answer = client.get(START, {"next": then})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def consent(address: str, subject: str) -> str:
    """What the browser is sent back to after the person has logged in at the provider."""
    answer = requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def log_in(client: Client, subject: str = "sub-anna", then: str = "") -> Any:
    return client.get(consent(sent_to(client, then), subject))


def is_in(client: Client) -> bool:
    return bool(client.get("/accounts/").status_code == 200)


def test_the_request_has_a_state_a_nonce_and_a_challenge(client: Client) -> None:
    said = parse_qs(urlsplit(sent_to(client)).query)
    assert said["response_type"] == ["code"]
    assert said["code_challenge_method"] == ["S256"]
    assert len(said["code_challenge"][0]) == 43
    assert len(said["state"][0]) >= 20
    assert len(said["nonce"][0]) >= 20
    assert said["redirect_uri"] == [f"http://testserver{BACK}"]
    assert "secret" not in str(said)


def test_a_user_of_this_name_gets_in_and_is_tied_to_the_subject(client: Client, anna: User) -> None:
    assert "the company's account" in client.get("/accounts/login/").content.decode()
    answer = log_in(client, then="/history/")
    assert answer["Location"] == "/history/"
    assert is_in(client)
    assert CompanyIdentity.objects.get(user=anna).subject == "sub-anna"
    anna.username = "renamed"
    anna.save()
    other = Client()
    assert log_in(other).status_code == 302
    assert is_in(other), "the subject counts, not the name"


def test_another_person_who_was_given_the_name_does_not_get_in(client: Client, anna: User) -> None:
    log_in(client)
    thief = Client()
    assert log_in(thief, "sub-other").status_code == 403
    assert not is_in(thief)
    assert Entry.objects.filter(actor="(company)").count() == 1


@pytest.mark.parametrize("case", ["nobody", "inactive"])
def test_nobody_gets_in_who_is_no_active_user_here(client: Client, anna: User, case: str) -> None:
    anna.is_active = case != "inactive"
    anna.save()
    answer = log_in(client, "sub-nobody" if case == "nobody" else "sub-anna")
    assert answer.status_code == 403
    assert "did not lead to a user of the desk" in answer.content.decode()
    assert not is_in(client)
    assert User.objects.count() == 1


def test_an_answer_is_good_once_and_in_the_browser_that_asked(client: Client, anna: User) -> None:
    back = consent(sent_to(client), "sub-anna")
    victim = Client()
    assert victim.get(back).status_code == 403, "another browser: no such state"
    forged = back.replace("state=", "state=x")
    assert client.get(forged).status_code == 403
    assert client.get(back).status_code == 302
    assert is_in(client)
    client.post("/accounts/logout/")
    assert client.get(back).status_code == 403, "a code works once"
    assert not is_in(client)


def test_a_refusal_and_a_provider_that_is_away_are_a_sentence(client: Client, anna: User, settings: Settings) -> None:
    state = parse_qs(urlsplit(sent_to(client)).query)["state"][0]
    assert client.get(BACK, {"error": "access_denied", "state": state}).status_code == 403
    assert client.get(BACK).status_code == 403
    settings.OIDC_ISSUER = "http://localhost:9"
    assert client.get(START).status_code == 403


def test_an_identity_token_of_another_issuer_is_refused(
    client: Client, anna: User, provider: str, settings: Settings
) -> None:
    """The provider signs as localhost; asked under its number it is another issuer than the configured one."""
    settings.OIDC_ISSUER = provider.replace("localhost", "127.0.0.1")
    address = sent_to(client).replace("127.0.0.1", "localhost")
    back = consent(address, "sub-anna")
    settings.OIDC_ISSUER = f"{provider}/elsewhere"
    assert client.get(back).status_code == 403
    assert not is_in(client)


def test_the_way_back_stays_on_this_site(client: Client, anna: User) -> None:
    assert log_in(client, then="https://evil.example/")["Location"] == "/"


def test_what_is_off_is_not_there_and_not_imported(client: Client, settings: Settings) -> None:
    settings.OIDC_ISSUER = ""
    assert client.get(START).status_code == 404
    assert client.get(BACK).status_code == 404
    assert "company" not in client.get("/accounts/login/").content.decode()
    code = (
        "import reporting.asgi, sys; from django.urls import get_resolver; get_resolver().url_patterns; "
        "print([m for m in ('authlib', 'pyotp', 'segno', 'sentry_sdk') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
