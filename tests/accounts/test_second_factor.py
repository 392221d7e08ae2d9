"""The second factor: off, optional, required; each code once, few guesses, recovery codes, nobody in half-way."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import Settings

from accounts.audit.models import Action, Entry
from accounts.models import SecondFactor, UserSession
from tests.dashboard.people import PASSWORD, a_superuser, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STEP, SET_UP, REMOVE = "/accounts/second-step/", "/accounts/second-factor/", "/accounts/second-factor/remove/"


@pytest.fixture(autouse=True)
def _on(settings: Settings) -> None:
    settings.SECOND_FACTOR = True
    settings.SECOND_FACTOR_ROLES = frozenset({"admin", "auditor"})


@pytest.fixture
def anna() -> User:
    germany()
    return a_trader()


def password(client: Client, username: str = "anna", then: str = "") -> Any:
    return client.post("/accounts/login/", {"username": username, "password": PASSWORD, "next": then})


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).now()


def secret_on(page: Any) -> str:
    found = re.search(r"<code>([A-Z2-7]{32})</code>", page.content.decode())
    assert found
    return found[1]


def with_factor(client: Client) -> tuple[str, list[str]]:
    """(secret, recovery codes) of the logged-in user's new factor."""
    secret = secret_on(client.get(SET_UP))
    page = client.post(SET_UP, {"code": code_of(secret)})
    return secret, re.findall(r"<li><code>(\w+)</code>", page.content.decode())


def is_in(client: Client) -> bool:
    return bool(client.get("/accounts/").status_code == 200)


def test_off_there_is_none(client: Client, anna: User, settings: Settings) -> None:
    settings.SECOND_FACTOR, settings.SECOND_FACTOR_ROLES = False, frozenset()
    SecondFactor.objects.create(user=anna, secret="x", last_step=0, since=NOON)
    assert password(client)["Location"] == "/"
    assert is_in(client)
    assert client.get(SET_UP).status_code == 404
    assert client.post(REMOVE).status_code == 404


def test_optional_the_password_is_enough_until_there_is_one(client: Client, anna: User) -> None:
    assert password(client)["Location"] == "/"
    secret, codes = with_factor(client)
    assert len(set(codes)) == 10
    assert codes[0] not in str(list(SecondFactor.objects.values()))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2), tick=False):
        other = Client()
        assert password(other, then="/history/")["Location"] == STEP
        assert not is_in(other)
        assert other.get("/", follow=False)["Location"].startswith("/accounts/login/")
        assert other.post(STEP, {"code": "000000"}).status_code == 200
        assert not is_in(other)
        waiting = other.cookies["sessionid"].value
        assert other.post(STEP, {"code": code_of(secret)})["Location"] == "/history/"
        assert is_in(other)
        assert other.cookies["sessionid"].value != waiting, "a new key for the session"
        replay = Client()
        password(replay)
        assert "used already" in replay.post(STEP, {"code": code_of(secret)}).content.decode()
        assert not is_in(replay)


def test_a_recovery_code_lets_in_once(client: Client, anna: User) -> None:
    password(client)
    _, codes = with_factor(client)
    for expected in (True, False):
        other = Client()
        password(other)
        other.post(STEP, {"code": f" {codes[3][:5].upper()} {codes[3][5:]} "})
        assert is_in(other) == expected
    assert len(SecondFactor.objects.get().recovery) == 9
    assert Entry.objects.filter(action=Action.SECOND_FACTOR, details__contains="left").count() == 1


def test_codes_are_guessed_five_times_and_no_more(client: Client, anna: User) -> None:
    password(client)
    secret, codes = with_factor(client)
    other = Client()
    password(other)
    assert [other.post(STEP, {"code": f"{n:06}"}).status_code for n in range(6)] == [200] * 5 + [429]
    assert other.post(STEP, {"code": codes[0]}).status_code == 429
    assert not is_in(other)
    assert secret not in str(list(Entry.objects.values()))


def test_the_password_is_good_for_ten_minutes_and_as_long_as_it_is_the_password(client: Client, anna: User) -> None:
    password(client)
    _, codes = with_factor(client)
    for change in ("time", "password", "active"):
        other = Client()
        password(other)
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11 if change == "time" else 0)):
            if change == "password":
                anna.set_password("another long password")
            anna.is_active = change != "active"
            anna.save()
            assert other.post(STEP, {"code": codes[0]})["Location"] == "/accounts/login/"
            anna.set_password(PASSWORD)
            anna.is_active = True
            anna.save()


def test_where_a_role_needs_one_the_log_in_sets_it_up(client: Client) -> None:
    germany()
    root = a_superuser()
    assert password(client, "root")["Location"] == STEP
    page = client.get(STEP)
    secret = secret_on(page)
    assert "Your role needs a second factor." in page.content.decode()
    assert "<svg" in page.content.decode()
    assert "style=" not in page.content.decode()
    assert "is the device" in client.post(STEP, {"code": "123456"}).content.decode().lower()
    assert not is_in(client)
    assert not SecondFactor.objects.filter(user=root).exists()
    done = client.post(STEP, {"code": code_of(secret)})
    assert len(re.findall(r"<li><code>", done.content.decode())) == 10
    assert is_in(client)
    assert client.get("/admin/").status_code == 200


def test_a_new_role_that_needs_one_ends_the_sessions(client: Client, anna: User) -> None:
    password(client)
    anna.groups.add(Group.objects.get_or_create(name="desk head")[0])
    assert is_in(client)
    anna.groups.add(Group.objects.get_or_create(name="auditor")[0])
    assert not is_in(client)
    assert password(client)["Location"] == STEP


def test_it_is_removed_by_its_own_code_or_by_an_admin(client: Client, anna: User, settings: Settings) -> None:
    password(client)
    _, codes = with_factor(client)
    client.post(REMOVE, {"code": "000000"})
    assert SecondFactor.objects.exists()
    client.post(REMOVE, {"code": codes[0]})
    assert not SecondFactor.objects.exists()
    with_factor(client)
    settings.SECOND_FACTOR_ROLES = frozenset()
    operations, root = User.objects.create_user("ops"), a_superuser()
    operations.groups.add(Group.objects.get_or_create(name="operations")[0])
    for user, left in ((operations, 1), (root, 0)):
        staff = Client()
        staff.force_login(user)
        staff.post("/admin/auth/user/", {"action": "remove_second_factors", "_selected_action": str(anna.pk)})
        assert SecondFactor.objects.count() == left, user


# --- the account's page ---------------------------------------------------------------------------------------------
def test_users_see_and_end_their_own_sessions_only(client: Client, anna: User) -> None:
    password(client)
    other = Client(headers={"user-agent": "Somewhere <b>else</b>"})
    password(other)
    stranger = Client()
    stranger.force_login(a_trader("trader_2", "berta"))
    page = client.get("/accounts/").content.decode()
    assert "this browser" in page
    assert "Somewhere &lt;b&gt;else&lt;/b&gt;" in page
    theirs = UserSession.objects.get(user__username="berta").session_key
    assert theirs not in page
    client.post("/accounts/sessions/end/", {"session": theirs})
    assert is_in(stranger)
    client.post("/accounts/sessions/end/", {"session": UserSession.objects.get(browser__contains="else").session_key})
    assert is_in(client)
    assert not is_in(other)
    password(other)
    client.post("/accounts/sessions/end/")
    assert is_in(client)
    assert not is_in(other)
    assert Entry.objects.filter(action=Action.SESSIONS_ENDED, actor="anna").count() == 2


def test_a_new_password_ends_all_other_sessions(client: Client, anna: User) -> None:
    password(client)
    other = Client()
    password(other)
    new = "quite another password"
    weak = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    assert "at least 12 characters" in client.post("/accounts/password/", weak).content.decode()
    said = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/accounts/password/", said)["Location"] == "/accounts/"
    assert is_in(client)
    assert not is_in(other)
    assert UserSession.objects.filter(user=anna).count() == 1
