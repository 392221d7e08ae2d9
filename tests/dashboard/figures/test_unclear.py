"""Of what exists twice on a long day, each row says when the provider does not tell which of the two it answers for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from dashboard.figures.board import load_after, load_board
from dashboard.figures.readings import Reading
from market.areas.adding import add_market
from market.labels import parse_period
from market.models import Market, ReferenceRule
from market.rules import BLOCK
from prices.observations import WHICH_OF_TWO
from tests.dashboard.boards import store_price
from tests.prices.conftest import said_of
from tests.trades.frames import confirmation, germany
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames
from trades.models import Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
LONG_DAY = date(2026, 10, 25)
NOW = datetime(2026, 10, 24, 11, tzinfo=UTC)


def traded(market: Market, *labels: str) -> None:
    """Each of the periods by trader_1, and the provider's answer for each: it exists twice."""
    for number, label in enumerate(labels, start=1):
        frame = confirmation(f"t{number}", delivery_day=str(LONG_DAY), delivery_hour=label)
        store_frames(market=market, source=FrameSource(f"j{label}", "l"), frames=[JournalFrame(1, NOW, frame)])
        period = parse_period(LONG_DAY, label, market.calendar).period
        said_of(market, period, NOW - timedelta(minutes=5), f"{label} {WHICH_OF_TWO}")


def unclear(market: Market, reading: Reading = Reading.PRODUCT) -> list[str]:
    board = load_board(trader=Trader.objects.get(), market=market, delivery_day=LONG_DAY, now=NOW, reading=reading)
    return [row.delivery_hour for row in board.rows if row.is_unclear]


QUARTERS = ("02:15-02:30A", "02:15-02:30B")


def test_hours_and_quarters_say_so_each_for_itself() -> None:
    market = germany()
    traded(market, "02-03A", "02-03B", *QUARTERS, "04-05")
    assert unclear(market) == ["02-03A", "02:15-02:30A", "02-03B", "02:15-02:30B"]
    assert unclear(market, Reading.QUARTER) == list(QUARTERS)


def test_a_quarter_that_goes_by_its_hours_price_says_what_the_hour_does() -> None:
    ReferenceRule.objects.create(market=germany(), minutes=15, source="hour", valid_from=LONG_DAY)
    traded(germany(), "02-03A", "02:15-02:30A", "02:15-02:30B")
    assert unclear(germany()) == ["02-03A", "02:15-02:30A"]


def test_where_rows_are_half_hours() -> None:
    market = add_market("IE")
    halves = ("01:00-01:30A", "01:00-01:30B")
    traded(market, *halves)
    assert unclear(market) == list(halves)


def test_a_row_that_is_taken_over_says_so_no_longer() -> None:
    """Both passes have prices now; the block still lacks those of its other hours."""
    ReferenceRule.objects.create(market=germany(), minutes=BLOCK, source="hour", valid_from=LONG_DAY)
    market = germany()
    traded(market, "02-03A", "02-03B")
    frame = confirmation("block", delivery_day=str(LONG_DAY), delivery_hour="01-05")
    store_frames(market=market, source=FrameSource("jb", "l"), frames=[JournalFrame(1, NOW, frame)])
    before = load_board(trader=Trader.objects.get(), market=market, delivery_day=LONG_DAY, now=NOW)
    assert [row.delivery_hour for row in before.rows if row.is_unclear] == ["01-05", "02-03A", "02-03B"]
    for label in ("02-03A", "02-03B"):
        store_price(label, "27", day=LONG_DAY)
    after = load_after(before, now=NOW, prices_moved=True)
    assert [row.delivery_hour for row in after.rows if row.is_unclear] == []
