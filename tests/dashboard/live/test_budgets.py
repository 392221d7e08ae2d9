"""Fixed budgets of what does not wobble: statements, round trips to Redis, messages and bytes of one change.

Speeds are shown by `make bench`; these tests say when something begins to cost more than it did (docs/performance.md).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.figures.board_key import BoardKey
from dashboard.figures.performance import Figures
from dashboard.live import announcer as announcer_module
from dashboard.live.announcer import Announcer
from dashboard.live.boards import Rendered, render
from dashboard.live.hub import Hub
from dashboard.live.messages import news_between
from tests.dashboard.boards import SKETCH_DAY, store_price, store_trade
from tests.dashboard.people import a_trader
from tests.processes import wait_until
from tests.trades.frames import confirmation, germany, store
from trades.models import Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

A_TRADE = 3  # one statement for trades, positions, slots and progress; begin and commit
MORE_OF_A_BATCH = 0
A_PAGE = 18  # session, user, rights, markets and their rules, figures, course, how firm, feeds
A_TRADE_ON_A_BOARD, A_PRICE_ON_A_BOARD = 1, 2  # positions; and prices
BYTES_OF_A_CHANGE = 12_000
MOMENT = datetime(2023, 2, 6, 9, 15, tzinfo=UTC)


@pytest.fixture
def anna() -> User:
    return a_trader()


def statements(captured: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in captured.captured_queries]


def test_statements_of_a_trade_and_of_a_batch() -> None:
    germany()
    store(confirmation(0), journal="warm")  # a journal's first transaction adds its row
    with CaptureQueriesContext(connection) as one:
        store(confirmation(1), journal="warm", first=2)
    with CaptureQueriesContext(connection) as many:
        store(*[confirmation(n) for n in range(2, 202)], journal="warm", first=3)
    assert len(one) <= A_TRADE + 2, statements(one)  # and the market and its rules, which the listener remembers
    assert len(many) == len(one) + MORE_OF_A_BATCH


def test_statements_of_a_page_do_not_grow_with_trades(client: Client, anna: User) -> None:
    client.force_login(anna)
    address = f"/boards/trader_1/{SKETCH_DAY}/"
    counts = []
    for trades in (1, 60):
        for number in range(trades):
            store_trade("12-13", "sell" if number % 2 else "buy", "10", "20")
        client.get(address)
        with CaptureQueriesContext(connection) as page:
            assert client.get(address).status_code == 200
        counts.append(len(page))
    assert counts[0] == counts[1] <= A_PAGE


def test_a_change_costs_a_statement_or_two_and_a_small_message(anna: User) -> None:
    for hour in range(8, 20):
        store_trade(f"{hour:02d}-{hour + 1:02d}", "sell", "10", "20")
        store_price(f"{hour:02d}-{hour + 1:02d}", "18")
    key = BoardKey(Trader.objects.get(trader_id="trader_1").pk, germany().pk, SKETCH_DAY)
    before = render(key, MOMENT, None)
    store_trade("12-13", "buy", "5", "17")
    with CaptureQueriesContext(connection) as change:
        after = render(key, MOMENT + timedelta(seconds=1), before)
    assert len(change) == A_TRADE_ON_A_BOARD, statements(change)
    news = news_between(before.version, before.parts, after.version, after.parts)
    assert news is not None
    assert len(news.parts) == 3, "the row, the day's answer and the total"
    assert len(Hub()._message(after, news).encode()) < BYTES_OF_A_CHANGE
    store_price("12-13", "19")
    with CaptureQueriesContext(connection) as change:
        priced = render(key, MOMENT + timedelta(seconds=2), replace(after, prices_moved=True))
    assert len(change) == A_PRICE_ON_A_BOARD, statements(change)
    assert row_of(priced).reference_price == 19
    assert row_of(priced) == row_of(render(key, MOMENT + timedelta(seconds=2), None)), "taken over or read: the same"


def row_of(rendered: Rendered) -> Figures:
    return next(row.figures for row in rendered.board.rows if row.delivery_hour == "12-13")


def test_many_changes_at_once_are_one_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a batch moved, one round trip to Redis tells of it."""
    sent: list[dict[str, Any]] = []

    class Layer:
        async def group_send(self, _group: str, message: dict[str, Any]) -> None:
            sent.append(message)

    monkeypatch.setattr(announcer_module, "hints_layer", Layer)
    announcer = Announcer()
    hints = [("board", trader, 1, "2026-11-23") for trader in range(15)]
    announcer._pending.update(hints)
    announcer.add(hints[:1])
    wait_until(lambda: sent, "the publish", 5)
    assert [len(message["hints"]) for message in sent] == [15]


def test_the_page_is_read_in_sql_that_knows_no_trades(client: Client, anna: User) -> None:
    store_trade("12-13", "sell", "10", "20")
    client.force_login(anna)
    with CaptureQueriesContext(connection) as page:
        client.get(f"/boards/trader_1/{SKETCH_DAY}/")
    assert not [said for said in statements(page) if re.search(r"\btrades_trade\b", said)]
