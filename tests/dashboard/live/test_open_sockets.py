"""Open sockets and the right to them: cut off at once, nothing sent after, and not too many or too loud."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from accounts.models import UserSession
from accounts.sessions import end_sessions
from dashboard.live import announcer, hub, open_sockets, sockets
from dashboard.models import TraderLogin
from tests.dashboard.live.test_sockets import ORIGIN, PATH, closed_with, socket
from tests.dashboard.people import a_head, a_trader
from tests.processes import PATIENCE
from tests.trades.frames import confirmation, germany, store

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def logged_in(make: Callable[[], User]) -> tuple[User, Client, dict[str, str]]:
    germany()
    user, client = make(), Client()
    client.force_login(user)
    return user, client, {"cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())}


async def shows(communicator: WebsocketCommunicator) -> None:
    """Wait until it has what it asked for; a beat to all pages of its board may come before."""
    while not json.loads(await communicator.receive_from(PATIENCE))["parts"]:
        pass


async def opened(headers: dict[str, str], path: str = PATH) -> WebsocketCommunicator:
    """A socket that shows its board."""
    communicator = socket(path, headers, ORIGIN)
    assert (await communicator.connect())[0]
    await communicator.send_to(text_data='{"have": "0"}')
    await shows(communicator)
    return communicator


def log_out(_user: User, client: Client) -> None:
    client.post("/accounts/logout/")


def change_password(user: User, _client: Client) -> None:
    user.set_password("another long password")
    user.save()


def deactivate(user: User, _client: Client) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])


def lose_the_group(user: User, _client: Client) -> None:
    user.groups.clear()


def lose_the_trader(user: User, _client: Client) -> None:
    TraderLogin.objects.filter(user=user).delete()


def be_another_trader(user: User, _client: Client) -> None:
    login = TraderLogin.objects.get(user=user)
    login.trader = a_trader("trader_2", "berta").trader_login.trader
    login.save()


def end_all(user: User, _client: Client) -> None:
    end_sessions(user=user)


def delete_the_group(_user: User, _client: Client) -> None:
    Group.objects.filter(name="desk head").delete()


EVENTS = [
    (a_trader, log_out, 4401),
    (a_trader, change_password, 4401),
    (a_trader, deactivate, 4401),
    (a_trader, end_all, 4401),
    (a_trader, lose_the_trader, 4404),
    (a_trader, be_another_trader, 4404),
    (a_head, lose_the_group, 4404),
    (a_head, delete_the_group, 4404),
]


@pytest.mark.parametrize(("make", "event", "code"), EVENTS, ids=[event.__name__ for _, event, _ in EVENTS])
async def test_whoever_loses_the_right_is_cut_off_at_once(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], User], event: Callable[[User, Client], None], code: int
) -> None:
    """By the hint alone: the guard's own look does not come within this test."""
    monkeypatch.setattr(open_sockets, "RECHECK_SECONDS", 600)
    await sync_to_async(a_trader)("trader_1", "somebody")
    user, client, headers = await sync_to_async(logged_in)(lambda: make() if make is a_head else make("trader_1", "t"))
    communicator = await opened(headers)
    await sync_to_async(event)(user, client)
    assert await _closing(communicator) == code
    await sync_to_async(store)(confirmation(1))
    assert await communicator.receive_nothing(0.5), "nothing is sent after"
    assert open_sockets.guard.open_sockets == 0


async def _closing(communicator: WebsocketCommunicator) -> int:
    """The code of the close; what is sent before it does not matter."""
    async with asyncio.timeout(30):
        while (message := await communicator.receive_output(30))["type"] != "websocket.close":
            pass
    return int(message["code"])


async def test_without_redis_the_guard_finds_out_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_sockets, "RECHECK_SECONDS", 0.1)
    monkeypatch.setattr(announcer.announcer, "add", lambda _hints: None)
    assert open_sockets.RECHECK_SECONDS < 30
    user, client, headers = await sync_to_async(logged_in)(a_trader)
    communicator = await opened(headers)
    await sync_to_async(deactivate)(user, client)
    assert await _closing(communicator) == 4401


async def test_a_session_that_has_run_out_is_cut_off() -> None:
    _, _, headers = await sync_to_async(logged_in)(a_trader)
    communicator = await opened(headers)
    await sync_to_async(UserSession.objects.update)(expire_date=timezone.now() - timedelta(seconds=1))
    await open_sockets.guard.recheck()
    assert await _closing(communicator) == 4401


async def test_others_stay() -> None:
    _, _, headers = await sync_to_async(logged_in)(a_trader)
    user, client, _ = await sync_to_async(logged_in)(a_head)
    communicator = await opened(headers)
    await sync_to_async(deactivate)(user, client)
    await open_sockets.guard.recheck()
    await communicator.send_to(text_data='{"have": "0"}')
    await shows(communicator)
    await communicator.disconnect()


async def test_one_user_has_only_so_many_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_sockets, "MOST_SOCKETS", 2)
    _, _, headers = await sync_to_async(logged_in)(a_trader)
    kept = [await opened(headers), await opened(headers)]
    third = socket(PATH, headers, ORIGIN)
    assert (await third.connect())[0]
    assert await closed_with(third) == 4429
    await kept.pop().disconnect()
    kept.append(await opened(headers))
    for communicator in kept:
        await communicator.disconnect()


async def test_a_page_that_talks_too_much_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "A_SECOND", 0.0)

    async def nothing(*_args: Any) -> None:
        pass

    monkeypatch.setattr(hub.Hub, "catch_up", nothing)
    _, _, headers = await sync_to_async(logged_in)(a_trader)
    communicator = socket(PATH, headers, ORIGIN)
    assert (await communicator.connect())[0]
    for _ in range(sockets.BURST):
        await communicator.send_to(text_data='{"have": "0"}')
    assert await communicator.receive_nothing(0.2)
    await communicator.send_to(text_data='{"have": "0"}')
    assert await closed_with(communicator) == 1008
