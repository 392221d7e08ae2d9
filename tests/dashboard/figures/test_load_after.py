"""A board after trades: the same, field by field, as one that is read and built whole, and little is made anew."""

from __future__ import annotations

import random
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from dashboard.figures.board import Board, load_after, load_board
from dashboard.figures.readings import Reading
from market.models import Market
from tests.dashboard.boards import MORNING, SKETCH_DAY, store_price, store_trade
from tests.trades.frames import germany
from trades.ledger.traders import ensure_trader
from trades.models import Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
STEPS = 40
LABELS = ("11-12", "12-13", "13-14", "12:15-12:30", "12:45-13:00", "12:00-12:30", "12-14", "10-16")
LONG_DAY = date(2026, 10, 25)


def of(board: Board) -> dict[str, Any]:
    return {field.name: getattr(board, field.name) for field in fields(board)}


@pytest.fixture
def market() -> Market:
    ensure_trader(trader_id="trader_1")
    return germany()


@pytest.mark.parametrize("reading", Reading)
def test_it_is_the_board_that_would_be_read(market: Market, reading: Reading) -> None:
    for label in LABELS:
        store_price(label, "27")
    trader, chance, now = Trader.objects.get(trader_id="trader_1"), random.Random(reading.value), MORNING
    board = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=now, reading=reading)
    for _ in range(STEPS):
        now += timedelta(minutes=chance.choice((0, 1, 30)))  # over some gate closures
        if chance.random() < 0.8:
            store_trade(chance.choice(LABELS), chance.choice(("buy", "sell")), "4", str(chance.randrange(-50, 90)))
        board = load_after(board, now=now)
        whole = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=now, reading=reading)
        assert of(board) == of(whole)
        assert board.changes_at == whole.changes_at


def test_rows_that_a_trade_leaves_alone_are_the_same_objects(
    market: Market, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    store_trade("11-12", "sell", "4", "20")
    trader = Trader.objects.get(trader_id="trader_1")
    before = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=MORNING)
    store_trade("12:15-12:30", "buy", "4", "20")
    with django_assert_num_queries(1):
        after = load_after(before, now=MORNING)
    assert len(after.rows) == len(before.rows) + 1
    kept = {id(row) for row in before.rows}
    new = [row.delivery_hour for row in after.rows if id(row) not in kept]
    assert new == ["12-13", "12:15-12:30"], "the quarter, and the hour whose profile it changes"


def test_the_hour_that_exists_twice_and_has_no_clear_price(market: Market) -> None:
    store_price("01-02", "27", day=LONG_DAY)
    trader = Trader.objects.get(trader_id="trader_1")
    board = load_board(trader=trader, market=market, delivery_day=LONG_DAY, now=MORNING)
    store_trade("02-03A", "buy", "4", "20", day=LONG_DAY)
    board = load_after(board, now=MORNING)
    assert of(board) == of(load_board(trader=trader, market=market, delivery_day=LONG_DAY, now=MORNING))


def test_when_it_changes_is_worked_out_once_a_board(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Board] = []
    worked_out = Board._next_change

    def counted(board: Board) -> datetime:
        asked.append(board)
        return worked_out(board)

    monkeypatch.setattr(Board, "_next_change", counted)
    trader = Trader.objects.get(trader_id="trader_1")
    board = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=MORNING)
    first = [board.changes_at for _ in range(3)]
    later = load_after(board, now=first[0])
    assert later.changes_at > first[0] == first[2]
    assert len(asked) == 2
