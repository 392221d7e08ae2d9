"""A history in three readings: as the boards of its days, to the last decimal; what was traded is the same in each."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from dashboard.figures.board import Board, load_board
from dashboard.figures.history import DayRange, History, load_history, load_total
from dashboard.figures.readings import Reading
from market.labels import label_of
from market.models import Market, ReferenceRule
from market.rules import BLOCK
from tests.dashboard.copied import copied
from tests.dashboard.figures.test_readings import WORLDS, ZONES, a_day
from trades.ledger.traders import ensure_trader
from trades.models import Position, Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

YEAR = DayRange(date(2026, 3, 28), date(2027, 3, 28))
CHANGES = [date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28)]
NOW = datetime(2027, 6, 1, tzinfo=UTC)


def some_days(chance: random.Random, count: int) -> list[date]:
    """So many of the year's, those with 92 and with 100 quarters among them."""
    others = [YEAR.first + timedelta(days=n) for n in range(YEAR.days)]
    return sorted({*CHANGES, *chance.sample(others, count - len(CHANGES))})


_PRICES = """INSERT INTO prices_referenceprice
        (market_id, delivery_day, delivery_hour, delivery_start, delivery_end, value, last_update, arrived_at, revision)
    SELECT %(market)s, (start AT TIME ZONE %(zone)s)::date, 'any', start, start + length,
        (random() * 20000 - 10000)::numeric(10, 4), now(), now(), 1
    FROM (VALUES (interval '1 hour'), ('30 minutes'), ('15 minutes')) AS lengths (length),
        generate_series(%(first)s::date::timestamp AT TIME ZONE %(zone)s,
            (%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s - length, length) AS start
    WHERE random() < 0.9"""
"""Of nine in ten periods of the year, all lengths; random() is seeded by the test."""


def store(market: Market, trader: Trader, days: Iterable[date], chance: random.Random) -> None:
    """Trades of every length on each day, and prices of most periods of the year."""
    copied(one for day in days for one in day_positions(market, trader, day, chance))
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        asked = {"market": market.pk, "zone": market.time_zone, "first": YEAR.first, "last": YEAR.last}
        cursor.execute(_PRICES, asked)
        cursor.execute("ANALYZE prices_referenceprice")


def day_positions(market: Market, trader: Trader, day: date, chance: random.Random) -> Iterable[Position]:
    for period, sides in a_day(chance, market.zone, day).items():
        for side, total in sides.items():
            facts = {"trade_count": total.trade_count, "energy": total.energy, "turnover": total.turnover}
            yield Position(
                market=market,
                delivery_day=day,
                delivery_hour=label_of(period, market.zone),
                delivery_start=period.start,
                delivery_end=period.end,
                trader=trader,
                direction=side,
                quantity=1,
                **facts,
            )


def in_each_reading(market: Market, trader: Trader | None) -> dict[Reading, History]:
    return {one: load_history(market=market, trader=trader, days=YEAR, reading=one) for one in Reading}


def assert_as_its_board(history: History, board: Board) -> None:
    figures, total = dict(history.days)[board.delivery_day].figures, board.total
    assert (figures.sold, figures.bought) == (total.sold, total.bought)
    assert (figures.performance_eur, figures.priced_mwh) == (total.performance_eur, total.priced_mwh)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_thousand_days_as_their_boards_in_every_reading(zone: ZoneInfo) -> None:
    chance = random.Random(zone.key)
    market = Market.objects.create(code="XX", name="Somewhere", time_zone=zone.key)
    trader = ensure_trader(trader_id="trader_1")
    days = some_days(chance, WORLDS // len(ZONES))
    store(market, trader, days, chance)
    found = in_each_reading(market, trader)
    for reading, history in found.items():
        assert history.total == load_total(market=market, trader=trader, days=YEAR, reading=reading)
        assert history.total.figures.sold == found[Reading.PRODUCT].total.figures.sold
        assert history.total.figures.bought == found[Reading.PRODUCT].total.figures.bought
    for day in (*CHANGES, *chance.sample(days, 20)):
        for reading, history in found.items():
            assert_as_its_board(
                history, load_board(trader=trader, market=market, delivery_day=day, now=NOW, reading=reading)
            )


def test_by_day_hour_trader_and_side_in_every_reading() -> None:
    """An hour counts each trade that touches it; everything else each trade once."""
    chance = random.Random(7)
    market = Market.objects.create(code="XX", name="Somewhere")
    for number in (1, 2):
        trader, days = ensure_trader(trader_id=f"trader_{number}"), some_days(chance, 10)
        copied(one for day in days for one in day_positions(market, trader, day, chance))
    for history in in_each_reading(market, None).values():
        total = history.total.figures
        for parts in (history.days, history.hours, history.traders):
            counted = sum(part.figures.trade_count for _, part in parts)
            assert counted == total.trade_count or (parts is history.hours and counted > total.trade_count)
            assert sum((part.figures.net_mwh for _, part in parts), Decimal(0)) == total.net_mwh


@pytest.mark.parametrize("minutes", [15, BLOCK])
@pytest.mark.parametrize("source", ["own", "hour", "none"])
def test_products_go_by_the_market_s_rule(source: str, minutes: int) -> None:
    chance = random.Random(11)
    market = Market.objects.create(code="XX", name="Somewhere")
    trader = ensure_trader(trader_id="trader_1")
    ReferenceRule.objects.create(market=market, minutes=minutes, source=source, valid_from=CHANGES[1])
    store(market, trader, CHANGES, chance)
    market = Market.objects.get(pk=market.pk)
    for reading, history in in_each_reading(market, trader).items():
        for day in CHANGES:
            board = load_board(trader=trader, market=market, delivery_day=day, now=NOW, reading=reading)
            assert_as_its_board(history, board)
            assert dict(history.days)[day].stand_in == board.stand_in_mwh
