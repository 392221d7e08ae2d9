"""The clock's page and the trades behind a cell: what they show, where cells lead, and what is refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.dashboard.boards import store_price, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

DAY = date(2026, 11, 20)
RANGE = "from=2026-11-20&to=2026-11-20"


def at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)


@pytest.fixture
def head(client: Client) -> User:
    germany()
    a_trader()
    store_trade("08-09", "sell", "2", "30", day=DAY, at=at(6, 52))
    store_trade("08-09", "buy", "1", "27", day=DAY, at=at(4, 0))
    store_trade("20-21", "sell", "1", "50", day=DAY, at=at(4, 0), trader="trader_2")
    store_price("08-09", "28", day=DAY)
    user = a_head()
    client.force_login(user)
    return user


def page(client: Client, query: str = RANGE) -> str:
    response = client.get(f"/history/earnings/?{query}")
    assert response.status_code == 200
    return response.content.decode()


def cell_links(text: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="(/history/earnings/trades/[^"]*)"', text)]


def test_cells_lead_to_their_trades(client: Client, head: User) -> None:
    links = cell_links(page(client))
    assert len(links) == 3 + 2 + 3 + 1, "cells, hours, steps, all"
    listed = client.get(next(link for link in links if "hour=8" in link and "left=1" in link)).content.decode()
    assert listed.count("<tr data-trade=") == 1
    assert 'data-field="performance_eur" data-trend="good" data-value="4"' in listed
    assert "0:03" in listed and "/boards/trader_1/2026-11-20/08-09/" in listed
    everything = client.get(links[-1]).content.decode()
    assert everything.count("<tr data-trade=") == 3 and "3 trades" in everything


@pytest.mark.parametrize(
    ("narrowed", "cells"),
    [("side=buy", 1), ("product=15", 0), ("who=bots", 0), ("who=people", 3), ("trader=trader_2", 1)],
)
def test_narrowed(client: Client, head: User, narrowed: str, cells: int) -> None:
    links = cell_links(page(client, f"{RANGE}&{narrowed}"))
    assert sum("hour=" in link and "left=" in link for link in links) == cells
    assert all(narrowed in link for link in links)


def test_a_trader_sees_the_own_alone(client: Client, head: User) -> None:
    client.force_login(User.objects.get(username="anna"))
    links = cell_links(page(client))
    assert sum("hour=" in link and "left=" in link for link in links) == 2
    assert client.get("/history/earnings/trades/?trader=trader_2").status_code == 404


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("side=up", "“up” is none of what “side” can be: sell, buy."),
        ("product=45", "“45” is none of what “product” can be: 60, 30, 15, 0."),
        ("from=2026-11-23&to=2016-11-23", "range ends on 2016-11-23"),
        ("from=2026-02-30", "2026-02-30 is not in the calendar"),
    ],
)
def test_what_is_refused(client: Client, head: User, query: str, words: str) -> None:
    response = client.get(f"/history/earnings/?{query}")
    assert response.status_code == 400
    assert words in unescape(response.content.decode())


@pytest.mark.parametrize("query", ["hour=24", "left=9", "left=x"])
def test_no_cell(client: Client, head: User, query: str) -> None:
    assert client.get(f"/history/earnings/trades/?{query}").status_code == 400


def test_skill_or_luck_in_words(client: Client, head: User) -> None:
    for day in range(10, 16):
        store_trade("08-09", "sell", "2", f"{29 + day % 3}", day=date(2026, 11, day))
        store_price("08-09", "28", day=date(2026, 11, day))
    for address, words, verdict in (
        ("/history/?from=2026-11-10&to=2026-11-15", "better than luck alone explains", "better"),
        ("/history/?from=2026-11-10&to=2026-11-13", "4 of the 6 days that it takes have a result", "few"),
        ("/history/earnings/?from=2026-11-10&to=2026-11-15", "over 6 days", "better"),
    ):
        text = client.get(address).content.decode()
        assert words in text and f'data-verdict="{verdict}"' in text
