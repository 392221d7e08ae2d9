"""How figures came about: lines that end at the figure beside them, the day's line as the sum, gaps where undefined."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.figures.board import Board, load_board
from dashboard.figures.readings import Reading
from dashboard.figures.timeline import DAY_POINTS, ROW_POINTS, Timeline, build_timeline, load_timeline
from dashboard.render.board import render_parts
from market.labels import parse_period
from market.periods import DeliveryPeriod
from prices.queries import PriceTimeline
from tests.dashboard.boards import MORNING, SKETCH_DAY, a_board, store_price, store_trade, the_feeds
from tests.dashboard.people import a_trader
from tests.trades.frames import germany
from trades.models import Trader
from trades.queries import SlotSums, next_slot, slot_of

NOW = slot_of(MORNING)
Q = Decimal


def period(label: str = "12-13") -> DeliveryPeriod:
    return parse_period(SKETCH_DAY, label, germany_zone()).period


def germany_zone():  # type: ignore[no-untyped-def]
    return a_board().market.zone


def timeline(board: Board, *sums: SlotSums, **prices: PriceTimeline) -> Timeline:
    key = {name: period(name[1:].replace("_", "-")) for name in prices}
    return build_timeline(board, sums, {key[name]: price for name, price in prices.items()})


def sold(label: str, *trades: tuple[int, str, str]) -> SlotSums:
    """(slots before now, MWh, EUR/MWh)."""
    return SlotSums(
        period(label),
        "sell",
        tuple(NOW - ago for ago, _, _ in trades),
        tuple(Q(mwh) for _, mwh, _ in trades),
        tuple(Q(mwh) * Q(price) for _, mwh, price in trades),
    )


def test_a_line_goes_through_what_was_known_at_each_slots_end() -> None:
    board = a_board(("12-13", "sell", "20", "35"), references={"12-13": "32"})
    found = timeline(
        board, sold("12-13", (4, "10", "30"), (2, "10", "40")), p12_13=PriceTimeline((NOW - 3, NOW - 1), (Q(25), Q(33)))
    )
    row = next(row for row in board.rows if row.delivery_hour == "12-13")
    assert found.of(row) == (None, 5, 10, 2, 3), "no price; 30-25; 35-25; 35-33; and the board's figure of now"
    assert found.of_day(board.total) == (None, 50, 200, 40, 60)


def test_the_day_is_the_sum_of_its_periods() -> None:
    board = a_board(
        ("12-13", "sell", "1", "30"), ("13-14", "sell", "2", "10"), references={"12-13": "20", "13-14": "20"}
    )
    found = timeline(
        board,
        sold("12-13", (3, "1", "30")),
        sold("13-14", (1, "2", "10")),
        p12_13=PriceTimeline((NOW - 9,), (Q(20),)),
        p13_14=PriceTimeline((NOW - 9,), (Q(20),)),
    )
    assert found.of_day(board.total) == (10, 10, -10, -10)


def test_a_closed_period_ends_with_its_gate() -> None:
    gate = slot_of(period("08-09").start - timedelta(minutes=5))
    board = a_board(("08-09", "sell", "1", "30"), references={"08-09": "20"})
    found = timeline(board, sold("08-09", (NOW - gate + 1, "1", "30")), p08_09=PriceTimeline((0,), (Q(20),)))
    assert len(found.periods[period("08-09")]) == 2


def test_an_odd_execution_time_counts_but_does_not_stretch_the_line() -> None:
    board = a_board(("12-13", "sell", "1", "30"), references={"12-13": "20"})
    found = timeline(board, sold("12-13", (NOW, "1", "30")), p12_13=PriceTimeline((0,), (Q(20),)))
    assert len(found.periods[period()]) == ROW_POINTS
    assert len(found.day) == DAY_POINTS
    assert found.periods[period()][-1] == 10


def test_without_trades_there_is_no_line() -> None:
    empty = a_board(references={"12-13": "20"})
    assert timeline(empty).of_day(empty.total) == ()
    assert all(timeline(empty).of(row) == () for row in empty.rows)
    assert "<svg" not in "".join(render_parts(empty, the_feeds(), timeline=timeline(empty)).values())


TRADED = (("12-13", "sell", "20", "30"), ("12:15-12:30", "sell", "5", "40"))


def in_reading(reading: Reading, **prices: PriceTimeline) -> tuple[Board, Timeline]:
    board = a_board(*TRADED, references={"12-13": "25", "12:15-12:30": "32"}, reading=reading)
    return board, timeline(board, sold("12-13", (4, "20", "30")), sold("12:15-12:30", (2, "5", "40")), **prices)


def test_by_hour_a_line_is_of_all_that_is_delivered_in_it() -> None:
    board, found = in_reading(Reading.HOUR, p12_13=PriceTimeline((NOW - 5,), (Q(25),)))
    row = next(row for row in board.rows if row.delivery_hour == "12-13")
    assert found.of(row) == (5, 5, 7, 7, 7), "30-25, and from the quarter's trade on 32-25"


def test_by_quarter_an_hour_s_trade_is_a_quarter_of_each_line() -> None:
    board, found = in_reading(Reading.QUARTER, **{"p12:15_12:30": PriceTimeline((NOW - 5,), (Q(32),))})
    lines = {row.delivery_hour: found.of(row) for row in board.rows if row.figures.trade_count}
    assert lines["12:15-12:30"] == (-2, -2, 3, 3, 3), "half of it at 30, half at 40"
    assert lines["12:45-13:00"] == (None, None, None, None, None), "its own reference is not known"
    assert found.of_day(board.total) == (-10, -10, 30, 30, 30)


def test_by_hour_a_line_goes_on_while_its_quarters_are_traded() -> None:
    late = next_slot(period("10-11").start)
    quarter = SlotSums(period("10:45-11:00"), "sell", (slot_of(late),), (Q(5),), (Q(100),))
    board = a_board(("10:45-11:00", "sell", "5", "20"), now=late + timedelta(hours=1), reading=Reading.HOUR)
    assert len(timeline(board, quarter).periods[period("10-11")]) == 1


def test_slots_end_on_the_clock() -> None:
    assert next_slot(datetime.fromisoformat("2026-11-23T09:59:59.9Z")).isoformat() == "2026-11-23T10:00:00+00:00"
    assert next_slot(datetime.fromisoformat("2026-11-23T10:00:00Z")).isoformat() == "2026-11-23T10:10:00+00:00"


# --- stored -----------------------------------------------------------------------------------------------------------
@pytest.mark.integration
@pytest.mark.django_db
def test_from_the_database_in_two_queries(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    market = germany()
    for ago, value in ((40, "20"), (20, "25"), (2, "26")):
        store_price("12-13", value, at=MORNING - timedelta(minutes=ago))
    store_trade("12-13", "sell", "10", "30", at=MORNING - timedelta(minutes=35))
    store_trade("12-13", "buy", "4", "20", at=MORNING - timedelta(minutes=5))
    trader = Trader.objects.get()
    board = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=MORNING)
    with django_assert_num_queries(2):
        found = load_timeline(board)
    row = next(row for row in board.rows if row.delivery_hour == "12-13")
    assert found.of(row)[0] == 10
    assert found.of(row)[-1] == row.figures.performance
    parts = render_parts(board, the_feeds(), timeline=found)
    assert 'aria-label="from +10.00 to +4.57"' in parts["p-20230206T1100Z-60"]
    assert "best 12–13 +64.00 €" in parts["summary"]
    client.force_login(a_trader())
    assert client.get("/boards/trader_1/2023-02-06/").content.decode().count('class="zero"') == 3
