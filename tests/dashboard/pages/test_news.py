"""A board's news as the answer to a plain request: the same as over the websocket, by the rights of the page."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.dashboard.boards import store_price, store_sketch, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

BOARD, DESK = "/boards/trader_1/2023-02-06/", "/desk/2023-02-06/"


@pytest.fixture
def anna(client: Client) -> User:
    germany()
    user = a_trader()
    client.force_login(user)
    return user


def news(client: Client, address: str, have: str = "") -> dict[str, Any]:
    answer = client.get(address, headers={"X-Part": "news", "X-Have": have})
    assert answer.status_code == 200
    assert answer["Vary"].split(", ").count("X-Part") == 1
    assert answer["Cache-Control"] == "no-store"
    return dict(answer.json())


def test_all_that_is_new_since_a_version(client: Client, anna: User) -> None:
    store_sketch()
    first = news(client, BOARD)
    assert first["since"] == ""
    assert {"feed-states", "summary", "total", "p-20230206T1100Z-60"} <= set(first["parts"])
    assert first["trouble"] == ""
    page = client.get(BOARD).content.decode()
    assert f'data-version="{first["version"]}"' in page
    again = news(client, BOARD, first["version"])
    assert (again["since"], list(again["parts"])) == (first["version"], ["feed-states"])
    store_price("12-13", "9")
    later = news(client, BOARD, first["version"])
    assert later["version"] != first["version"]
    assert later["since"] == ""
    assert all(html in client.get(BOARD).content.decode() for html in later["parts"].values())


def test_the_whole_desk_has_news_as_well(client: Client) -> None:
    germany()
    client.force_login(a_head())
    store_trade("12-13", "sell", "10", "20")
    first = news(client, DESK)
    assert {"feed-states", "summary", "traders", "total"} <= set(first["parts"])
    assert list(news(client, DESK, first["version"])["parts"]) == ["feed-states"]


def test_nobody_has_news_without_the_right_to_the_board(client: Client, anna: User) -> None:
    a_trader("trader_2", "bert")
    asked = {"X-Part": "news"}
    assert client.get("/boards/trader_2/2023-02-06/", headers=asked).status_code == 404
    assert client.get(DESK, headers=asked).status_code == 404
    client.logout()
    for address in (BOARD, DESK):
        answer = client.get(address, headers=asked)
        assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={address}")
