"""“If I closed now at …”: exact arithmetic against trades that are really added."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.opened.closing import closed_at
from dashboard.figures.performance import NOTHING, period_figures
from market.totals import EXACT, Total

amounts = st.decimals("0.1", "500", places=4)
prices = st.decimals("-500", "500", places=2)


def leg(energy: Decimal, price: Decimal) -> Total:
    return Total(1, energy, energy * price)


@given(bought=amounts, sold=amounts, buy=prices, sell=prices, reference=prices, price=prices, closed=amounts)
def test_it_is_what_one_trade_more_would_make(
    bought: Decimal, sold: Decimal, buy: Decimal, sell: Decimal, reference: Decimal, price: Decimal, closed: Decimal
) -> None:
    figures = period_figures(leg(sold, sell), leg(bought, buy), reference)
    found = closed_at(figures, price, closed)
    if bought == sold:
        assert found is None
        return
    more = leg(closed, price)
    legs = (leg(sold, sell) + more, leg(bought, buy)) if bought > sold else (leg(sold, sell), leg(bought, buy) + more)
    after = period_figures(*legs, reference)
    assert found is not None
    assert (found.result, found.net_mwh, found.cash) == (after.performance_eur, after.net_mwh, after.cash)
    assert found.break_even == after.break_even


@given(energy=amounts, own=prices, price=prices)
def test_all_of_it_closed_is_locked_in_whatever_the_reference(energy: Decimal, own: Decimal, price: Decimal) -> None:
    for reference in (None, Decimal(7)):
        found = closed_at(period_figures(leg(energy, own), NOTHING, reference), price)
        assert found is not None
        assert (found.net_mwh, found.break_even, found.energy) == (0, None, energy)
        assert found.result == energy * (own - price)


def test_a_part_of_it_without_a_reference_has_no_result() -> None:
    found = closed_at(period_figures(leg(Decimal(10), Decimal(20)), NOTHING, None), Decimal(18), Decimal(4))
    assert found is not None
    assert (found.result, found.net_mwh, found.break_even) == (None, -6, EXACT.divide(Decimal(128), Decimal(6)))
