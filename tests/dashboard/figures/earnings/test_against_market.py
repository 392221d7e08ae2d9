"""Our average, the market's, and over market: the history's result by every way to look, exactly."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from dashboard.figures.earnings.against_market import AgainstMarket, Leg, load_against_market
from dashboard.figures.earnings.clock import Wanted, load_clock
from dashboard.figures.history import DayRange, load_history
from dashboard.figures.readings import Reading
from dashboard.render.earnings.against_market import cumulative_curve, market_tables
from tests.dashboard.boards import store_price, store_trade
from tests.dashboard.figures.earnings.worlds import FIRST, Worlds, world
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

DAY = date(2026, 11, 20)


def test_over_the_market_is_the_history_in_random_worlds() -> None:
    worlds = Worlds(20, random.Random(1803))
    days = DayRange(FIRST, world(19).last)
    for trader in (None, *worlds.traders):
        for reading in Reading:
            wanted = Wanted(worlds.market, trader, days, reading)
            found = load_against_market(wanted)
            history = load_history(market=worlds.market, trader=trader, days=days, reading=reading)
            total = history.total.figures
            assert (found.total.over, found.total.energy) == (total.performance_eur, total.priced_mwh)
            for parts in (found.days, found.products, found.months, found.years):
                assert sum((part for _, part in parts), AgainstMarket()) == found.total
            results = {day: part.figures.performance_eur for day, part in history.days}
            assert {day: part.over for day, part in found.days} == {d: r for d, r in results.items() if r is not None}
            for narrowed in (replace(wanted, side="buy"), replace(wanted, product=15), replace(wanted, bots=True)):
                assert load_against_market(narrowed).total.over == load_clock(narrowed).total.figures.performance_eur


def test_averages_of_both_sides() -> None:
    for label, side, mw, price in (
        ("08-09", "sell", "2", "30"),
        ("09-10", "sell", "2", "50"),
        ("09-10", "buy", "1", "38"),
    ):
        store_trade(label, side, mw, price, day=DAY)
    store_price("08-09", "28", day=DAY)
    store_price("09-10", "44", day=DAY)
    total = load_against_market(Wanted(germany(), None, DayRange(DAY, DAY))).total
    assert (total.sold.ours, total.sold.market, total.bought.ours, total.bought.market) == (40, 36, 38, 44)
    assert (total.over, total.over_per_mwh) == (22, Decimal("4.4"))


def test_nothing_has_no_average_and_no_curve() -> None:
    assert (Leg().ours, Leg().market, AgainstMarket().over, AgainstMarket().over_per_mwh) == (None,) * 4
    days = DayRange(DAY, DAY)
    found = load_against_market(Wanted(germany(), None, days))
    assert market_tables(found) == []
    assert cumulative_curve(found, days, "EUR") is None


def test_the_curve_ends_at_the_total() -> None:
    days = DayRange(DAY, date(2026, 11, 22))
    for day, price in ((20, "30"), (22, "10")):
        store_trade("08-09", "sell", "2", price, day=date(2026, 11, day))
        store_price("08-09", "28", day=date(2026, 11, day))
    curve = cumulative_curve(load_against_market(Wanted(germany(), None, days)), days, "EUR")
    assert curve is not None
    first, second, third = (Decimal(point.split(",")[1]) for point in curve.points.split())
    zero = Decimal(curve.chart.zero)
    assert first == second < zero < third, "4 EUR, no trades, and 36 EUR lost"
    assert curve.title == "Over market, added up: −32.00 €"
