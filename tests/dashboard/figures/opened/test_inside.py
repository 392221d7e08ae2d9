"""What an hour of the reading by hour holds: the same energy and cash as the hour, each by its own reference."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from dashboard.figures.board import Board, BoardRow, build_board
from dashboard.figures.opened.inside import Inside, inside
from dashboard.figures.performance import total_figures
from dashboard.figures.readings import Reading
from market.labels import parse_period
from market.models import Market
from market.totals import EXACT, Total
from prices.queries import KnownPrice
from tests.dashboard.boards import MORNING, SKETCH_DAY, Traded, a_board
from trades.models import Trader
from trades.queries import PositionRow

DE = Market(pk=1, code="DE", name="Germany")
WORLDS = 100


def row_of(board: Board, label: str) -> BoardRow:
    return next(row for row in board.rows if row.delivery_hour == label)


def held(*traded: Traded, reading: Reading = Reading.HOUR, **references: str) -> Inside:
    labels = {"h12": "12-13", "q1": "12:00-12:15", "q2": "12:15-12:30", "h13": "13-14"}
    known = {labels[name]: value for name, value in references.items()}
    board = a_board(*traded, references=known, reading=reading)
    return inside(board, row_of(board, "12-13" if reading is not Reading.QUARTER else "12:00-12:15"))


def test_an_hour_sold_and_a_quarter_bought_back() -> None:
    found = held(("12-13", "sell", "4", "20"), ("12:15-12:30", "buy", "1", "90"), h12="25", q1="10", q2="40")
    assert [part.label for part in found.quarters] == ["12:00-12:15", "12:15-12:30", "12:30-12:45", "12:45-13:00"]
    assert [part.figures.net_mwh for part in found.quarters] == [-1, 0, -1, -1]
    assert [part.figures.performance_eur for part in found.quarters] == [10, -70, None, None], "no price, no result"
    assert [(part.label, part.figures.performance_eur) for part in found.products] == [
        ("12-13", Decimal(-20)),
        ("12:15-12:30", Decimal(-50)),
    ]


def test_a_block_puts_a_part_into_its_hours_and_goes_by_the_mean_of_their_prices() -> None:
    found = held(("12-14", "buy", "10", "30"), h12="20", h13="50")
    (block,) = found.products
    assert (block.label, block.parts, block.figures.bought.energy) == ("12-14", 2, Decimal(5))
    assert block.figures.reference_price in {Decimal(35), None}, "the market says whether blocks have one"
    assert [part.figures.bought.energy for part in found.quarters] == [Decimal("1.25")] * 4


def test_what_was_traded_as_the_hour_alone_is_not_said_twice() -> None:
    found = held(("12-13", "sell", "4", "20"), h12="25")
    assert len(found.quarters) == 4 and found.products == ()


@pytest.mark.parametrize("reading", [Reading.PRODUCT, Reading.QUARTER])
def test_other_readings_and_an_hour_without_trades_hold_nothing(reading: Reading) -> None:
    assert held(("12-13", "sell", "4", "20"), reading=reading) == Inside()
    assert held(("15-16", "sell", "4", "20")) == Inside()


def a_world(seed: int, reading: Reading = Reading.HOUR, prices: dict[str, int] | None = None) -> Board:
    """Random trades of hours, halves, quarters and blocks; each price has the revision that `prices` says, or 1."""
    chance = random.Random(seed)
    labels = ["12-13", "12:00-12:30", "12:15-12:30", "12:45-13:00", "11-13", "12-16", "15-16"]
    traded = {
        (label, side): Total(1, energy, energy * Decimal(chance.randrange(-9999, 9999)) / 100)
        for label in chance.sample(labels, chance.randrange(1, 7))
        for side in chance.sample(["buy", "sell"], chance.randrange(1, 3))
        for energy in [Decimal(chance.randrange(1, 999)) / 10]
    }
    others = ["11-12", "13-14", "14-15", "12:30-12:45"]
    period = {label: parse_period(SKETCH_DAY, label, DE.zone).period for label in [*labels, *others]}
    revisions = prices or {}
    return build_board(
        trader=Trader(pk=1, trader_id="trader_1"),
        market=DE,
        delivery_day=SKETCH_DAY,
        now=MORNING,
        positions=[PositionRow(period[label], side, total, 1) for (label, side), total in traded.items()],
        prices={
            one: KnownPrice(Decimal(chance.randrange(-999, 999)), MORNING, MORNING, revisions.get(label, 1))
            for label, one in period.items()
            if not one.is_block
        },
        reading=reading,
    )


@pytest.mark.parametrize("seed", range(WORLDS))
def test_quarters_and_products_sum_to_the_hour(seed: int) -> None:
    board = a_world(seed)
    for row in board.rows:
        found = inside(board, row)
        for parts in filter(None, (found.quarters, found.products)):
            total = total_figures(part.figures for part in parts)
            assert (total.sold.energy, total.bought.energy) == (row.figures.sold.energy, row.figures.bought.energy)
            assert EXACT.subtract(total.cash, row.figures.cash) == 0
        assert bool(found.quarters) == bool(row.figures.trade_count)


def test_a_price_of_what_it_holds_makes_the_row_another_one() -> None:
    """So an open page fetches the opened row again, though the hour's own price is as it was."""
    seed = next(seed for seed in range(WORLDS) if any(p.label == "12-16" for p in _inside_noon(seed).products))
    before = row_of(a_world(seed), "12-13").revision
    for label, changes in (("12:30-12:45", True), ("14-15", True), ("11-12", "11-13" in _products(seed))):
        after = row_of(a_world(seed, prices={label: 2}), "12-13").revision
        assert (after != before) is changes, label
    same = row_of(a_world(seed, Reading.PRODUCT, {"12:30-12:45": 2}), "12-13").revision
    assert same == row_of(a_world(seed, Reading.PRODUCT), "12-13").revision


def _inside_noon(seed: int) -> Inside:
    board = a_world(seed)
    return inside(board, row_of(board, "12-13"))


def _products(seed: int) -> list[str]:
    return [part.label for part in _inside_noon(seed).products]
