"""Tokens: made and shown once, used, counted, revoked; guessing is limited; nothing but a digest is kept."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts import tokens
from accounts.audit.models import Entry
from accounts.models import ApiToken
from dashboard.access.rights import Role
from market import clock
from tests.dashboard.people import a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
BOARD = "/api/v1/boards/trader_1/2023-02-06"
ASSUMPTIONS = "/api/v1/assumptions"


@pytest.fixture
def anna() -> User:
    germany()
    return a_trader()


def a_token(user: User, **asked: Any) -> str:
    return tokens.create_token(user=user, name="bot", now=asked.pop("now", clock.now()), **asked)


def ask(token: str, address: str = BOARD, **more: Any) -> Any:
    return Client().get(address, headers={"Authorization": f"Bearer {token}"}, **more)


# --- made -------------------------------------------------------------------------------------------------------------
def test_the_command_prints_a_token_alone_on_its_last_line(anna: User) -> None:
    out = StringIO()
    call_command("create_token", "anna", name="bot", stdout=out, stderr=StringIO())
    token = out.getvalue().splitlines()[-1]
    assert re.fullmatch(r"desk_[\w-]{43}", token)
    assert ask(token).status_code == 200
    row = ApiToken.objects.get()
    assert token not in str(ApiToken.objects.values_list().get())
    assert (row.scope, round((row.expires_at - row.created_at) / timedelta(days=1))) == ("read", 90)
    assert Entry.objects.filter(action="token_created").exists()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"username": "nobody"}, "no active user"),
        ({"username": "a\0b"}, "no active user"),
        ({"name": " "}, "name of 1 to 80"),
        ({"name": "a\nb\x07"}, "name of 1 to 80"),
        ({"days": 0}, "1 to 366 days"),
        ({"days": 367}, "1 to 366 days"),
    ],
)
def test_what_the_command_refuses(anna: User, asked: dict[str, Any], sentence: str) -> None:
    options = {"username": "anna", "name": "bot", **asked}
    with pytest.raises(CommandError, match=sentence):
        call_command("create_token", options.pop("username"), stdout=StringIO(), **options)
    assert not ApiToken.objects.exists()


def test_the_page_shows_a_token_once_and_revokes_it(anna: User, client: Client) -> None:
    client.force_login(anna)
    asked = {"name": "notebook", "scope": "write", "days": "7"}
    page = client.post("/accounts/tokens/", asked).content.decode()
    token = re.search(r"desk_[\w-]{43}", page)
    assert token
    assert ask(token[0]).status_code == 200
    page = client.get("/accounts/").content.decode()
    assert "notebook" in page
    assert "desk_" not in page
    client.post("/accounts/tokens/revoke/", {"token": ApiToken.objects.get().pk})
    assert ask(token[0]).status_code == 401
    assert set(Entry.objects.values_list("action", flat=True)) >= {"token_created", "token_revoked"}


@pytest.mark.parametrize("wrong", [{"name": ""}, {"scope": "all"}, {"days": "-1"}, {"days": "many"}, {"days": "999"}])
def test_what_the_page_refuses(anna: User, client: Client, wrong: dict[str, str]) -> None:
    client.force_login(anna)
    answer = client.post("/accounts/tokens/", {"name": "bot", "scope": "read", "days": "9", **wrong})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_nobody_revokes_anothers(anna: User, client: Client) -> None:
    token = a_token(anna)
    client.force_login(a_trader("trader_2", "berta"))
    client.post("/accounts/tokens/revoke/", {"token": ApiToken.objects.get().pk})
    client.post("/accounts/tokens/revoke/", {"token": "9" * 30})
    assert ask(token).status_code == 200


def test_a_wall_screen_makes_no_tokens(client: Client) -> None:
    wall = User.objects.create_user("wall", password="x")
    wall.groups.add(Group.objects.get_or_create(name=Role.WALL_SCREEN.value)[0])
    client.force_login(wall)
    assert client.post("/accounts/tokens/", {"name": "a", "scope": "read", "days": "9"}).status_code == 404
    assert 'id="tokens"' not in client.get("/accounts/").content.decode()


def test_there_is_an_end_to_tokens(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    a_token(anna)
    with pytest.raises(tokens.TokenError, match="revoke one first"):
        a_token(anna)


# --- used -------------------------------------------------------------------------------------------------------------
def test_use_is_noted(anna: User) -> None:
    ask(a_token(anna), REMOTE_ADDR="192.0.2.7")
    row = ApiToken.objects.get()
    assert row.address == "192.0.2.7"
    assert row.used_at is not None


def test_a_token_ends(anna: User) -> None:
    late = a_token(anna, now=clock.now() - timedelta(days=3), days=2)
    answer = ask(late)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    holds = a_token(anna)
    User.objects.update(is_active=False)
    assert ask(holds).status_code == 401


def test_a_token_that_is_wrong_is_no_anonymous_request_and_no_cookies(anna: User, client: Client) -> None:
    client.force_login(anna)
    for header in ("Bearer nothing", "bearer ", "Bearer \x00"):
        assert client.get(BOARD, headers={"Authorization": header}).status_code == 401
    assert client.get(BOARD, headers={"Authorization": "Basic abc"}).status_code == 200


def test_reading_tokens_write_nothing(anna: User) -> None:
    for scope, status in (("read", 403), ("write", 400)):
        headers = {"Authorization": f"Bearer {a_token(anna, scope=scope)}"}
        client = Client(enforce_csrf_checks=True, headers=headers)
        assert client.post(ASSUMPTIONS, {}, content_type="application/json").status_code == status


def test_no_page_and_no_admin_by_token() -> None:
    root = User.objects.create_superuser("root", password="x")
    germany()
    for address in ("/", "/admin/", "/accounts/", "/desk/", "/?format=json"):
        assert ask(a_token(root), address).status_code == 302


def test_so_many_a_minute_and_when_again(anna: User, settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    token, other = a_token(anna), a_token(anna)
    assert [ask(token).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert 1 <= int(ask(token)["Retry-After"]) <= 60
    assert ask(other).status_code == 200
    ApiToken.objects.update(minute_began_at=clock.now() - timedelta(seconds=60))
    assert ask(token).status_code == 200


# --- guessed ----------------------------------------------------------------------------------------------------------
def test_guessing_ends_and_harms_nobody_who_was_there_before(anna: User) -> None:
    known, new = a_token(anna), a_token(anna)
    assert ask(known).status_code == 200
    statuses = [ask(f"desk_{number}").status_code for number in range(tokens.MOST_GUESSES + 2)]
    assert statuses == [401] * tokens.MOST_GUESSES + [429] * 2
    assert ask(new).status_code == 429, "a right guess is not told either"
    assert ask(known).status_code == 200
    assert ask(new, REMOTE_ADDR="192.0.2.8").status_code == 200
    assert Entry.objects.filter(action="locked_out").count() == 1
    assert Client().get("/accounts/login/").status_code == 200
