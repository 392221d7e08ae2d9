"""Guessing: what locks, for how long, in which order whatever happens, and that a lock says nothing about names."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts import login_throttle
from accounts.audit.models import Action, Entry
from accounts.client_address import client_address, networks
from accounts.login_throttle import begin_attempt, clear_old, counted_address, is_locked
from accounts.models import LoginAttempt
from accounts.tasks import clear_ended
from tests.dashboard.people import PASSWORD, a_superuser, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LOGIN = "/accounts/login/"


def try_it(client: Client, username: str = "anna", password: str = "wrong", address: str = "10.1.1.1") -> Any:
    return client.post(LOGIN, {"username": username, "password": password}, REMOTE_ADDR=address)


# --- the rule -------------------------------------------------------------------------------------------------------
def test_five_failures_lock_for_fifteen_minutes_from_the_fifth() -> None:
    five = [NOON + n * MINUTE for n in range(5)]
    last = five[-1]
    assert not is_locked(of_pair=five[:4], of_address=five[:4], now=last)
    assert is_locked(of_pair=five, of_address=five, now=last)
    assert is_locked(of_pair=five, of_address=five, now=last + 15 * MINUTE - timedelta(seconds=1))
    assert not is_locked(of_pair=five, of_address=five, now=last + 15 * MINUTE)
    assert not is_locked(of_pair=[*five, last + 16 * MINUTE], of_address=five, now=last + 16 * MINUTE), "counted anew"


@given(st.lists(st.integers(0, 3600), max_size=60), st.integers(0, 7200))
def test_fifty_in_an_hour_lock_an_address(seconds: list[int], later: int) -> None:
    times = [NOON + timedelta(seconds=n) for n in seconds]
    now = NOON + timedelta(seconds=later)
    within = [at for at in times if now - at < timedelta(hours=1)]
    assert is_locked(of_pair=[], of_address=times, now=now) == (len(within) >= 50)


def test_an_ipv6_customer_is_one_address() -> None:
    assert counted_address("2001:db8:1:2:3::4") == counted_address("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert counted_address("10.1.1.1") == "10.1.1.1"


# --- whose address --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "client"),
    [
        ("10.0.0.5", "", ["10.0.0.5"], "10.0.0.5"),
        ("10.0.0.5", "1.2.3.4", ["10.0.0.5"], "1.2.3.4"),
        ("10.0.0.5", "6.6.6.6, 1.2.3.4", ["10.0.0.0/24"], "1.2.3.4"),
        ("10.0.0.5", "1.2.3.4, 10.0.0.9", ["10.0.0.0/24"], "1.2.3.4"),
        ("10.0.0.5", "nonsense", ["10.0.0.5"], "10.0.0.5"),
        ("10.0.0.5", "1.2.3.4", [], "10.0.0.5"),
        ("7.7.7.7", "1.2.3.4", ["10.0.0.5"], "7.7.7.7"),
        ("::ffff:10.0.0.5", "2001:db8::1", ["10.0.0.5"], "2001:db8::1"),
        ("", "1.2.3.4", ["10.0.0.5"], "unknown"),
    ],
)
def test_only_our_proxies_are_believed(peer: str, forwarded: str, trusted: list[str], client: str) -> None:
    assert client_address(peer=peer, forwarded=forwarded, trusted=networks(tuple(trusted))) == client


def test_a_stranger_neither_chooses_an_address_nor_says_that_it_came_by_tls(client: Client, settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    settings.TRUSTED_PROXIES = ["10.9.9.9"]
    said = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": "1.2.3.4"}
    assert client.get(LOGIN, REMOTE_ADDR="10.9.9.9", **said).status_code == 200
    assert client.get(LOGIN, REMOTE_ADDR="10.9.9.8", **said).status_code == 301


# --- through the pages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("username", ["anna", "nobody", "ANNA ", "x" * 10_000, "\u2028'\"<b>"])
def test_the_sixth_attempt_is_refused_the_same_for_everybody(client: Client, username: str) -> None:
    germany()
    a_trader()
    answers = [try_it(client, username) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert "Too many failed log-ins from here." in answers[5].content.decode()
    assert "don&#x27;t belong together" in answers[4].content.decode()
    assert LoginAttempt.objects.count() == 5, "what is refused is not counted"
    assert Entry.objects.filter(action=Action.LOCKED_OUT).count() == 1
    assert Entry.objects.filter(action=Action.LOG_IN_FAILED).count() == 5


def test_a_name_that_nobody_can_have_is_not_even_tried(client: Client) -> None:
    assert {try_it(client, "a\0b").status_code for _ in range(6)} == {200}
    assert not LoginAttempt.objects.exists()


def test_a_lock_holds_against_the_right_password_for_fifteen_minutes(client: Client) -> None:
    germany()
    a_trader()
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(5):
            try_it(client)
        assert try_it(client, password=PASSWORD).status_code == 429
        assert try_it(client, password=PASSWORD, address="10.1.1.2").status_code == 302, "another address goes on"
        client.post("/accounts/logout/")
        clock.shift(15 * MINUTE)
        assert try_it(client, password=PASSWORD).status_code == 302


def test_a_success_forgets_the_failures_before_it(client: Client) -> None:
    germany()
    a_trader()
    for _ in range(3):
        for _ in range(4):
            assert try_it(client).status_code == 200
        assert try_it(client, password=PASSWORD).status_code == 302
        client.post("/accounts/logout/")


def test_an_address_that_tries_names_is_locked_for_all_of_them(client: Client) -> None:
    germany()
    a_trader()
    for number in range(50):
        LoginAttempt.objects.create(
            name=login_throttle.name_digest(f"u{number}"), address="10.1.1.1", at=datetime.now(UTC)
        )
    assert try_it(client, password=PASSWORD).status_code == 429
    assert try_it(client, password=PASSWORD, address="10.1.1.2").status_code == 302


def test_the_admin_has_the_same_door(client: Client) -> None:
    a_superuser()
    assert client.post("/admin/login/", {"username": "root", "password": PASSWORD}).status_code == 302
    assert client.get("/admin/").status_code == 302, "nobody is logged in by the admin's own address"
    for _ in range(5):
        try_it(client, "root")
    assert try_it(client, "root", PASSWORD).status_code == 429


def test_old_attempts_are_cleared(client: Client) -> None:
    try_it(client)
    assert clear_old(now=datetime.now(UTC)) == 0
    assert clear_old(now=datetime.now(UTC) + timedelta(hours=2)) == 1
    clear_ended()


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_moment_are_all_counted() -> None:
    allowed: list[object] = []

    def guess() -> None:
        allowed.append(begin_attempt(username="anna", address="10.1.1.1", now=datetime.now(UTC)))
        connection.close()

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len([attempt for attempt in allowed if attempt is not None]) == 5


def test_a_missing_name_costs_the_same_hash_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not timed: counted. Both ways run the hasher once."""
    a_trader()
    from django.contrib.auth.hashers import MD5PasswordHasher

    runs: list[str] = []
    real = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *a: (runs.append("hash"), real(*a))[1])
    for username in ("anna", "nobody"):
        runs.clear()
        assert authenticate(HttpRequest(), username=username, password="wrong") is None
        assert runs == ["hash"], username
