"""A wall screen: it sees all boards and nothing else, and its pages stay for as long as the desk allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import UserSession
from accounts.sessions import SessionStore
from dashboard.access.rights import Role
from dashboard.models import TraderLogin
from tests.dashboard.people import PASSWORD
from tests.trades.frames import germany
from trades.ledger.traders import ensure_trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

BOARD = "/boards/trader_1/2023-02-06/"


def a_screen(*more: Role) -> User:
    germany()
    user = User.objects.create_user("wall", password=PASSWORD)
    for role in (Role.WALL_SCREEN, *more):
        user.groups.add(Group.objects.get(name=role.value))
    return user


def log_in(client: Client) -> None:
    answer = client.post("/accounts/login/", {"username": "wall", "password": PASSWORD})
    assert answer.status_code == 302


def test_it_stays_for_days_without_a_hand(client: Client, settings: Settings) -> None:
    settings.WALL_SCREEN_DAYS = 30
    a_screen()
    log_in(client)
    assert 29 * 86_400 < client.cookies["sessionid"]["max-age"] <= 30 * 86_400
    with time_machine.travel(timezone.now() + timedelta(days=29)):
        assert client.get("/desk/").status_code == 200
        SessionStore.clear_expired()
        assert UserSession.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert client.get("/desk/").status_code == 302


@pytest.mark.parametrize("more", [Role.DESK_HEAD, Role.OPERATIONS])
def test_somebody_with_more_to_do_logs_in_every_day(client: Client, more: Role) -> None:
    a_screen(more)
    log_in(client)
    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        assert client.get("/accounts/").status_code == 302


def taken_away(user: User) -> None:
    user.groups.clear()


def taken_away_by_the_group(user: User) -> None:
    Group.objects.get(name=Role.WALL_SCREEN.value).user_set.remove(user)


def made_more(user: User) -> None:
    user.groups.add(Group.objects.get(name=Role.AUDITOR.value))


def made_staff(user: User) -> None:
    user.is_staff = True
    user.save()


def group_emptied(_user: User) -> None:
    Group.objects.get(name=Role.WALL_SCREEN.value).user_set.clear()


def group_deleted(_user: User) -> None:
    Group.objects.get(name=Role.WALL_SCREEN.value).delete()


def made_a_trader(user: User) -> None:
    TraderLogin.objects.create(user=user, trader=ensure_trader(trader_id="trader_1"))


@pytest.mark.parametrize(
    "change",
    [taken_away, taken_away_by_the_group, group_emptied, group_deleted, made_more, made_staff, made_a_trader],
)
def test_a_screen_that_becomes_something_else_has_to_log_in_again(
    client: Client, change: Callable[[User], None]
) -> None:
    user = a_screen()
    log_in(client)
    user.save()  # of no consequence
    assert client.get("/accounts/").status_code == 200
    change(user)
    assert client.get("/accounts/").status_code == 302
    log_in(client)
    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        assert client.get("/accounts/").status_code == 302


def test_it_sees_no_status_and_no_admin(client: Client) -> None:
    client.force_login(a_screen())
    assert client.get("/desk/").status_code == 200
    assert client.get("/status/").status_code == 404
    assert client.get("/admin/").status_code == 404
