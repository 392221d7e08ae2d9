"""A board's websocket through the whole ASGI application: who gets in, and what comes through."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from dashboard.access.logins import create_trader_login
from dashboard.live.origin_check import is_own_origin
from reporting.asgi import application
from tests.trades.frames import confirmation, germany, store

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

HOST, ORIGIN = "localhost:8000", "http://localhost:8000"


def logged_in(username: str, trader_id: str = "trader_1") -> dict[str, str]:
    germany()
    user = User.objects.filter(username=username).first() or create_trader_login(
        trader_id=trader_id, username=username, password="a long password"
    )
    client = Client()
    client.force_login(user)
    return {"cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())}


class Patient(WebsocketCommunicator):
    """Waits for a busy machine; the library's one second is for quick ones."""

    async def connect(self, timeout: float = 30) -> Any:
        return await super().connect(timeout)

    async def disconnect(self, code: int = 1000, timeout: float = 30) -> Any:
        return await super().disconnect(code, timeout)


def socket(path: str, headers: dict[str, str] | None = None, origin: str | None = ORIGIN) -> WebsocketCommunicator:
    said = {"host": HOST, **({"origin": origin} if origin else {}), **(headers or {})}
    return Patient(application, path, [(k.encode(), v.encode()) for k, v in said.items()])


async def closed_with(communicator: WebsocketCommunicator) -> int:
    message = await communicator.receive_output(30)
    assert message["type"] == "websocket.close", message
    return int(message["code"])


PATH = "/ws/boards/trader_1/2026-11-23/"


async def test_an_anonymous_page_is_told_to_log_in() -> None:
    await sync_to_async(germany)()
    communicator = socket(PATH)
    assert (await communicator.connect())[0]
    assert await closed_with(communicator) == 4401


@pytest.mark.parametrize(
    "path",
    ["/ws/boards/trader_2/2026-11-23/", "/ws/boards/nobody/2026-11-23/", "/ws/boards/trader_1/2026-13-01/"],
)
async def test_another_traders_board_does_not_exist(path: str) -> None:
    await sync_to_async(logged_in)("t2", "trader_2" if "trader_2" not in path else "trader_3")
    communicator = socket(path, await sync_to_async(logged_in)("t1"))
    assert (await communicator.connect())[0]
    assert await closed_with(communicator) == 4404


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://localhost:8001", "ftp://localhost:8000", "http://[", "x"]
)
async def test_a_foreign_origin_is_refused_before_anything_else(origin: str | None) -> None:
    communicator = socket(PATH, await sync_to_async(logged_in)("t1"), origin)
    assert not (await communicator.connect())[0]


def test_origins_are_compared_whole(settings: Any) -> None:
    assert is_own_origin("http://127.0.0.1:8000", "127.0.0.1:8000")
    assert is_own_origin("http://localhost", "localhost:80")
    assert not is_own_origin("http://localhost", "localhost:8000")
    assert not is_own_origin("http://evil.example", "evil.example")
    settings.SECURE_SSL_REDIRECT = True
    assert not is_own_origin("http://localhost:8000", "localhost:8000")
    assert is_own_origin("https://localhost", "localhost")
    settings.CSRF_TRUSTED_ORIGINS = ["https://desk.example"]
    assert is_own_origin("https://desk.example", "internal:8000")


async def test_a_page_says_what_it_has_and_gets_what_is_new() -> None:
    communicator = socket(PATH, await sync_to_async(logged_in)("t1"))
    assert (await communicator.connect())[0]
    await communicator.send_to(text_data='{"have": "0"}')
    first = json.loads(await communicator.receive_from(5))
    assert {"feed-states", "summary", "total", "p-20261123T1100Z-60"} <= set(first["parts"])
    await sync_to_async(store)(confirmation(1))
    while "p-20261123T1100Z-60" not in (message := json.loads(await communicator.receive_from(10)))["parts"]:
        pass
    assert "20.50" in message["parts"]["p-20261123T1100Z-60"]
    assert message["version"] != first["version"]
    await communicator.disconnect()


@pytest.mark.parametrize("text", [" ", "{", "[]", '{"have": 1}', '{"have": "' + "x" * 300 + '"}', '{"want": "all"}'])
async def test_a_page_that_talks_nonsense_is_cut_off(text: str) -> None:
    communicator = socket(PATH, await sync_to_async(logged_in)("t1"))
    assert (await communicator.connect())[0]
    await communicator.send_to(text_data=text)
    assert await closed_with(communicator) == 1008


async def test_trader_ids_may_be_any_text() -> None:
    name = "a/b 🌞%2F?"
    communicator = socket(f"/ws/boards/{quote(name, safe='')}/2026-11-23/", await sync_to_async(logged_in)("t1", name))
    assert (await communicator.connect())[0]
    await communicator.send_to(text_data='{"have": "0"}')
    assert json.loads(await communicator.receive_from(5))["parts"]
    await communicator.disconnect()
