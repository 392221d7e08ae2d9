"""Sessions: in PostgreSQL, 12 h idle and 24 h in all, a new key at log-in, and a table that lets nobody in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import redis
import time_machine
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import UserSession
from accounts.sessions import expires_at, key_digest
from tests.dashboard.people import PASSWORD, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOGIN = "/accounts/login/"


@pytest.fixture
def anna() -> User:
    germany()
    return a_trader()


def log_in(client: Client) -> str:
    response = client.post(LOGIN, {"username": "anna", "password": PASSWORD}, HTTP_USER_AGENT="Firefox\n1\x00")
    assert response.status_code == 302
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


def is_in(client: Client) -> bool:
    return bool(client.get("/").status_code == 200)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**5), st.integers(1, 10**5))
def test_a_session_ends_at_whichever_end_is_first(started: int, later: int, idle: int, longest: int) -> None:
    begun, seen = MORNING + timedelta(seconds=started), MORNING + timedelta(seconds=started + later)
    end = expires_at(started=begun, seen=seen, idle=timedelta(seconds=idle), longest=timedelta(seconds=longest))
    assert end - seen <= timedelta(seconds=idle)
    assert end - begun <= timedelta(seconds=longest)
    assert end in {seen + timedelta(seconds=idle), begun + timedelta(seconds=longest)}


def test_twelve_hours_without_a_request_end_a_session(client: Client, anna: User) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        log_in(client)
        clock.shift(12 * HOUR - timedelta(seconds=1))
        assert is_in(client)
    with time_machine.travel(MORNING, tick=False) as clock:
        log_in(other := Client())
        clock.shift(12 * HOUR)
        assert not is_in(other)


def test_a_session_in_use_goes_on_until_a_day_has_passed(client: Client, anna: User) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        log_in(client)
        for _ in range(23):
            clock.shift(HOUR)
            assert is_in(client)
        assert client.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 3600, "what is left of the day"
        clock.shift(HOUR)
        assert not is_in(client)


def test_idle_for_twelve_hours_after_some_use(client: Client, anna: User) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        log_in(client)
        clock.shift(HOUR)
        assert is_in(client)
        clock.shift(12 * HOUR)
        assert not is_in(client)


def test_a_storm_of_refreshes_writes_nothing(client: Client, anna: User) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        log_in(client)
        rows = list(UserSession.objects.values())
        clock.shift(timedelta(minutes=9))
        assert is_in(client)
        assert list(UserSession.objects.values()) == rows
        clock.shift(timedelta(minutes=1))
        assert is_in(client)
        assert list(UserSession.objects.values()) != rows


def test_the_key_is_new_at_log_in_and_the_old_one_is_worth_nothing(client: Client, anna: User) -> None:
    first = log_in(client)
    client.post("/accounts/logout/")
    second = log_in(client)
    assert second != first
    thief = Client()
    for planted in (first, "x" * 32, key_digest(second)):
        thief.cookies[settings.SESSION_COOKIE_NAME] = planted
        assert not is_in(thief)
    thief.cookies[settings.SESSION_COOKIE_NAME] = "planted-by-a-thief-before-the-log-in"
    assert log_in(thief) != "planted-by-a-thief-before-the-log-in"


def test_the_table_lets_nobody_in_and_redis_logs_nobody_out(client: Client, anna: User) -> None:
    key = log_in(client)
    row = UserSession.objects.get()
    assert row.session_key == key_digest(key)
    assert key not in str(UserSession.objects.values())
    assert (row.user, row.address, row.browser) == (anna, "127.0.0.1", "Firefox�1�")
    redis.Redis.from_url(settings.REDIS_URL).flushall()
    assert is_in(client)


def test_a_session_is_gone_after_log_out(client: Client, anna: User) -> None:
    log_in(client)
    client.post("/accounts/logout/")
    assert not UserSession.objects.exists()


def test_a_session_names_its_backend_as_the_version_before_does(client: Client, anna: User) -> None:
    """Under another name it would end with an update, and neither of two versions would know the other's log-ins."""
    log_in(client)
    assert client.session[BACKEND_SESSION_KEY] == "accounts.guessing.LimitedBackend"
    assert is_in(client)
