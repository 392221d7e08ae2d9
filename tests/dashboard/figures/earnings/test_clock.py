"""The clock of our earnings: in random worlds with corrections and cancellations its cells are the history, exactly."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.figures.earnings.clock import EarningsClock, Wanted, load_cell, load_clock
from dashboard.figures.earnings.time_left import left_of
from dashboard.figures.history import History, Slice, load_history
from dashboard.figures.performance import Figures, total_figures
from dashboard.figures.readings import Reading
from market.models import Market
from market.rules import PRODUCTS
from market.totals import Total
from tests.dashboard.figures.earnings.worlds import Fact, Worlds, world

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

WORLDS = int(os.environ.get("EARNINGS_WORLDS", "30"))
"""1,000 where the property is proved anew; few of them find what is newly broken."""


def sides(parts: Iterable[Slice]) -> dict[str, Any]:
    """What slices add up to, side by side, trades apart: in other readings than by product cells count touches."""
    parts = list(parts)
    return {
        "figures": replace_counts(total_figures(part.figures for part in parts)),
        "unpriced": sum((part.unpriced for part in parts), Decimal(0)),
    }


def replace_counts(figures: Figures) -> Figures:
    def plain(leg: Total) -> Total:
        return Total(0, leg.energy, leg.turnover)

    return replace(figures, sold=plain(figures.sold), bought=plain(figures.bought))


def assert_is_the_history(clock: EarningsClock, history: History) -> None:
    assert clock.total == history.total
    assert clock.hours == dict(history.hours)
    for parts in (clock.cells, clock.hours, clock.steps):
        assert sides(parts.values()) == sides([history.total])
    for parts in (clock.steps,):
        assert sum(part.figures.trade_count for part in parts.values()) == history.total.figures.trade_count
    for hour, whole in clock.hours.items():
        assert sides(part for (of, _), part in clock.cells.items() if of == hour) == sides([whole])
    for step, whole in clock.steps.items():
        assert sides(part for (_, of), part in clock.cells.items() if of == step) == sides([whole])


def by_hand(market: Market, facts: list[Fact]) -> dict[Any, tuple[int, Decimal, Decimal]]:
    """Trades, MWh and EUR by cell and side, by product."""
    found: dict[Any, tuple[int, Decimal, Decimal]] = {}
    for fact in facts:
        hour = fact.period.start.astimezone(market.zone).hour
        step = left_of(market.gate_closure(fact.day, fact.period) - fact.executed_at)
        energy = fact.quantity * Decimal(fact.period.duration / timedelta(hours=1))
        count, mwh, eur = found.get((hour, step, fact.direction), (0, Decimal(0), Decimal(0)))
        found[hour, step, fact.direction] = (count + 1, mwh + energy, eur + energy * fact.price)
    return found


def cells_of(clock: EarningsClock) -> dict[Any, tuple[int, Decimal, Decimal]]:
    legs = ((hour, step, "sell", part.sold.leg) for (hour, step), part in clock.cells.items())
    more = ((hour, step, "buy", part.bought.leg) for (hour, step), part in clock.cells.items())
    return {
        (hour, step, side): (leg.trade_count, leg.energy, leg.turnover)
        for hour, step, side, leg in (*legs, *more)
        if leg.trade_count
    }


def test_cells_are_the_history_in_random_worlds() -> None:
    chance = random.Random(1802)
    worlds = Worlds(WORLDS, chance)
    for number in range(WORLDS):
        days = world(number)
        trader = chance.choice([None, *worlds.traders])
        for reading in Reading:
            wanted = Wanted(worlds.market, trader, days, reading)
            clock = load_clock(wanted)
            assert_is_the_history(clock, load_history(market=worlds.market, trader=trader, days=days, reading=reading))
        facts = [fact for fact in worlds.of(days) if trader in {None, fact.trader}]
        assert cells_of(load_clock(Wanted(worlds.market, trader, days))) == by_hand(worlds.market, facts)
        wanted = Wanted(worlds.market, trader, days, chance.choice(list(Reading)))
        clock = load_clock(wanted)
        assert_parts_are_the_whole(wanted, clock, worlds)
        if clock.cells:
            assert_leads_to_its_trades(wanted, clock, chance)


def assert_parts_are_the_whole(wanted: Wanted, clock: EarningsClock, worlds: Worlds) -> None:
    ways = {
        "side": [replace(wanted, side=side) for side in ("buy", "sell")],
        "product": [replace(wanted, product=product) for product in PRODUCTS],
        "bots": [replace(wanted, bots=bots) for bots in (True, False)],
    }
    if wanted.trader is None:
        ways["trader"] = [replace(wanted, trader=trader) for trader in worlds.traders]
    for name, parts in ways.items():
        loaded = [load_clock(part) for part in parts]
        assert sides(one.total for one in loaded) == sides([clock.total]), name
        assert total_figures(one.total.figures for one in loaded) == clock.total.figures, name


def assert_leads_to_its_trades(wanted: Wanted, clock: EarningsClock, chance: random.Random) -> None:
    (hour, step), part = chance.choice(sorted(clock.cells.items(), key=lambda item: item[0]))
    trades, count = load_cell(wanted, hour=hour, step=step)
    figures = part.figures
    assert len(trades) == count
    assert sum(trade.energy for trade in trades) == figures.sold.energy + figures.bought.energy
    known = [trade.result for trade in trades if trade.result is not None]
    assert (sum(known) if known else None) == figures.performance_eur
    assert {left_of(trade.time_left) for trade in trades} == {step}


def test_trades_are_read_once() -> None:
    worlds = Worlds(3, random.Random(1))
    wanted = Wanted(worlds.market, worlds.traders[0], world(1))
    assert worlds.market.dated, "the market's rules are read once"
    with CaptureQueriesContext(connection) as queries:
        load_clock(wanted)
    assert len([one for one in queries if "trades_trade" in one["sql"]]) == 1
