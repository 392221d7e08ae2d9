"""A past board goes by the market's rules that were entered by then, whichever day they count from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from dashboard.figures.board import BoardRow, load_board
from dashboard.figures.desk import load_desk
from dashboard.figures.past import Basis, Past
from dashboard.figures.period import RowKey, load_path
from dashboard.figures.readings import Reading
from market.labels import parse_period
from market.models import GateClosure, Market, ReferenceRule
from market.rules import ReferenceSource
from tests.dashboard.boards import store_price, store_trade
from tests.trades.frames import NOW, germany
from trades.models import Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

QUARTER = "12:15-12:30"
DAY = date(2026, 11, 23)
STORED, ENTERED = NOW, NOW + timedelta(minutes=90)
BEFORE, AFTER = Past(ENTERED - timedelta(seconds=1)), Past(ENTERED)


@pytest.fixture
def market() -> Market:
    """Quarters have no reference any more, and hours close 30 minutes before delivery: both from this day on, entered
    at 10:30."""
    found = germany()
    with time_machine.travel(STORED):
        for label in ("12-13", QUARTER):
            store_price(label, "27", day=DAY, at=STORED)
            store_trade(label, "sell", "4", "33", day=DAY)
    of_market = {"market": found, "valid_from": DAY, "entered_at": ENTERED}
    ReferenceRule.objects.create(minutes=15, source="none", **of_market)
    GateClosure.objects.create(product=60, phase="area", lead_minutes=30, **of_market)
    return Market.objects.get(pk=found.pk)


def row(market: Market, past: Past | None, label: str) -> BoardRow:
    trader = Trader.objects.get(trader_id="trader_1")
    board = load_board(trader=trader, market=market, delivery_day=DAY, now=ENTERED, past=past)
    return next(row for row in board.rows if row.delivery_hour == label)


def test_a_rule_that_was_entered_later_is_not_known_yet(market: Market) -> None:
    assert row(market, BEFORE, QUARTER).figures.performance_eur == Decimal(6)
    for past in (AFTER, None):
        assert row(market, past, QUARTER).figures.performance_eur is None
        assert row(market, past, QUARTER).source is ReferenceSource.NONE
    starts = row(market, None, "12-13").period.start
    assert starts - row(market, BEFORE, "12-13").gate_closes_at == timedelta(minutes=5)
    assert starts - row(market, AFTER, "12-13").gate_closes_at == timedelta(minutes=30)


def test_the_desk_and_an_opened_row_s_course_go_by_them_too(market: Market) -> None:
    key = RowKey(
        Trader.objects.get(trader_id="trader_1"),
        market,
        DAY,
        parse_period(DAY, QUARTER, market.zone).period,
        Reading.PRODUCT,
    )
    for past, result, points in ((BEFORE, Decimal(6), 1), (AFTER, None, 0)):
        desk = load_desk(market=market, delivery_day=DAY, now=ENTERED, past=past).whole
        quarter = next(row for row in desk.rows if row.delivery_hour == QUARTER)
        assert quarter.figures.performance_eur == result
        assert len(load_path(RowKey(key.trader, market, key.day, key.period, key.reading, past))) == points


def test_what_had_happened_is_read_by_the_rules_of_today(market: Market) -> None:
    happened = Past(BEFORE.moment, Basis.HAPPENED)
    assert row(market, happened, "12-13").gates[-1].closes_at == row(market, None, "12-13").gates[-1].closes_at


def test_a_market_whose_rules_were_all_known_is_the_same_object(market: Market) -> None:
    assert market.known_at(ENTERED) is market
    earlier = market.known_at(BEFORE.moment)
    assert earlier is not market
    assert earlier.period_rules(DAY, row(market, None, "12-13").period) != market.period_rules(
        DAY, row(market, None, "12-13").period
    ), "what one remembers is not the other's"


def test_a_rule_is_known_from_the_moment_on_at_which_it_is_stored() -> None:
    before = datetime.now(UTC) - timedelta(minutes=5)
    rule = ReferenceRule.objects.create(market=germany(), valid_from=DAY, minutes=15, source="none")
    rule.refresh_from_db()
    assert before < rule.entered_at < before + timedelta(minutes=10)
