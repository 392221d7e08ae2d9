"""A board after trades and prices: field by field the same as one that is read and built whole, little made anew."""

from __future__ import annotations

import random
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from dashboard.figures.board import Board, load_after, load_board
from dashboard.figures.readings import Reading
from market.models import Market, ReferenceRule
from market.rules import BLOCK
from tests.dashboard.boards import MORNING, SKETCH_DAY, store_price, store_trade
from tests.trades.frames import germany
from trades.ledger.decisions import cancel_trade
from trades.ledger.traders import ensure_trader
from trades.models import Trade, Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
STEPS = 40
HOURS = ("10-11", "11-12", "12-13", "13-14", "14-15", "15-16")
LABELS = (*HOURS, "12:15-12:30", "12:45-13:00", "12:00-12:30", "12-14", "10-16")
LONG_DAY = date(2026, 10, 25)


def of(board: Board) -> dict[str, Any]:
    return {field.name: getattr(board, field.name) for field in fields(board) if field.compare}


@pytest.fixture
def market() -> Market:
    ensure_trader(trader_id="trader_1")
    return germany()


@pytest.fixture
def by_hours() -> None:
    """Whatever is no hour goes by its hours' prices."""
    for minutes in (15, 30, BLOCK):
        ReferenceRule.objects.create(market=germany(), minutes=minutes, source="hour", valid_from=SKETCH_DAY)


@pytest.mark.parametrize("reading", Reading)
def test_it_is_the_board_that_would_be_read(market: Market, reading: Reading) -> None:
    follow_at_random(market, reading)


@pytest.mark.parametrize("reading", Reading)
@pytest.mark.usefixtures("by_hours")
def test_it_is_so_where_prices_are_means_of_others(market: Market, reading: Reading) -> None:
    follow_at_random(market, reading)


def follow_at_random(market: Market, reading: Reading) -> None:
    for label in LABELS:
        store_price(label, "27")
    trader, chance, now = Trader.objects.get(trader_id="trader_1"), random.Random(reading.value), MORNING
    user = User.objects.create_user("admin")
    board = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=now, reading=reading)
    for _ in range(STEPS):
        now += timedelta(minutes=chance.choice((0, 1, 30)))  # over some gate closures
        if chance.random() < 0.8:
            store_trade(chance.choice(LABELS), chance.choice(("buy", "sell")), "4", str(chance.randrange(-50, 90)))
        if chance.random() < 0.2 and (booked := Trade.objects.filter(changes=None).first()):
            cancel_trade(trade=booked, reason="mistake", user=user)  # the last of a quarter takes its row along
        if moved := chance.random() < 0.4:
            store_price(chance.choice(LABELS), str(chance.randrange(-50, 90)), at=now)
        board = load_after(board, now=now, prices_moved=moved)
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


@pytest.mark.usefixtures("by_hours")
def test_rows_that_a_price_leaves_alone_are_the_same_objects(
    market: Market, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    store_trade("10-16", "sell", "4", "20")
    for label in HOURS:
        store_price(label, "27")
    trader = Trader.objects.get(trader_id="trader_1")
    before = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=MORNING)
    store_price("11-12", "28", at=MORNING + timedelta(minutes=1))
    with django_assert_num_queries(2):
        after = load_after(before, now=MORNING, prices_moved=True)
    kept = {id(row) for row in before.rows}
    new = [row.delivery_hour for row in after.rows if id(row) not in kept]
    assert new == ["10-16", "11-12"], "the hour, and the block whose price is the mean of its hours'"


def test_rows_that_a_trade_leaves_alone_are_not_looked_at(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    store_trade("11-12", "sell", "4", "20")
    trader = Trader.objects.get(trader_id="trader_1")
    board = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=MORNING)
    ruled: list[str] = []
    rules = Market.period_rules
    monkeypatch.setattr(
        Market,
        "period_rules",
        lambda self, day, period: ruled.append(self.label_of(period)) or rules(self, day, period),
    )
    store_trade("11-12", "sell", "4", "20")
    board = load_after(board, now=MORNING)
    ruled.clear()
    store_trade("11-12", "buy", "4", "20")
    ruled.clear()
    load_after(board, now=MORNING)
    assert ruled == ["11-12"]


def test_the_hour_that_exists_twice_and_has_no_clear_price(market: Market) -> None:
    store_price("01-02", "27", day=LONG_DAY)
    trader = Trader.objects.get(trader_id="trader_1")
    board = load_board(trader=trader, market=market, delivery_day=LONG_DAY, now=MORNING)
    store_trade("02-03A", "buy", "4", "20", day=LONG_DAY)
    board = load_after(board, now=MORNING)
    assert of(board) == of(load_board(trader=trader, market=market, delivery_day=LONG_DAY, now=MORNING))
    for label in ("02-03A", "02-03B"):
        store_price(label, "27", day=LONG_DAY)
        board = load_after(board, now=MORNING, prices_moved=True)
        assert of(board) == of(load_board(trader=trader, market=market, delivery_day=LONG_DAY, now=MORNING))


def test_a_clock_that_was_set_back_opens_what_had_closed(market: Market) -> None:
    store_trade("11-12", "sell", "4", "20")
    trader = Trader.objects.get(trader_id="trader_1")
    before = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=MORNING)
    earlier = MORNING - timedelta(hours=2)
    store_trade("11-12", "sell", "4", "20")
    whole = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=earlier)
    assert of(load_after(before, now=earlier)) == of(whole) != of(load_after(before, now=MORNING))


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
