"""What the alternatives show is what the board shows, rounded: the benchmark compares like with like."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.alternatives.apps.positions import COLUMNS, Leg, to_records
from dashboard.figures import performance
from market.totals import Total

AMOUNTS = st.decimals(min_value=1, max_value=999, places=2)
PRICES = st.decimals(min_value=-500, max_value=3000, places=4)


@given(sold=AMOUNTS, bought=AMOUNTS, sell_price=PRICES, buy_price=PRICES, reference=PRICES)
def test_figures_of_a_period_with_both_sides_equal_the_boards(
    sold: Decimal, bought: Decimal, sell_price: Decimal, buy_price: Decimal, reference: Decimal
) -> None:
    legs = [
        Leg("12-13", "buy", 2, bought, bought * buy_price, reference),
        Leg("12-13", "sell", 3, sold, sold * sell_price, reference),
    ]

    (shown,) = to_records(legs)

    board = performance.period_figures(
        Total(3, sold, sold * sell_price), Total(2, bought, bought * buy_price), reference
    )
    assert shown["delivery_hour"] == "12-13"
    assert shown["trades"] == board.trade_count == 5
    assert board.average_price is not None and board.performance is not None
    assert shown["average"] == pytest.approx(float(board.average_price), abs=0.0051)
    assert shown["performance"] == pytest.approx(float(board.performance), abs=0.0051)
    assert shown["reference"] == pytest.approx(float(reference), abs=0.0051)


def test_without_a_reference_there_is_no_performance() -> None:
    (shown,) = to_records([Leg("12-13", "sell", 1, Decimal(2), Decimal(41), None)])

    assert (shown["average"], shown["reference"], shown["performance"]) == (20.5, None, None)


def test_a_period_whose_trades_were_all_cancelled_has_no_average() -> None:
    (shown,) = to_records([Leg("12-13", "sell", 0, Decimal(0), Decimal(0), Decimal(18))])

    assert (shown["average"], shown["performance"], shown["trades"]) == (None, None, 0)


def test_rows_come_in_the_order_of_the_periods_with_the_columns_that_the_apps_show() -> None:
    hours = ["23-24", "00-01", "12-13"]

    shown = to_records([Leg(hour, "sell", 1, Decimal(1), Decimal(20), Decimal(18)) for hour in hours])

    assert [row["delivery_hour"] for row in shown] == hours
    assert all(list(row) == list(COLUMNS) for row in shown)
