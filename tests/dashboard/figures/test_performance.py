"""The arithmetic of docs/performance-figures.md, by its own examples and by its identities."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.performance import NOTHING, Figures, Total, difference, period_figures, rounded, total_figures
from market.totals import EXACT

D = Decimal


def leg(price: str, mwh: str = "10", trades: int = 1) -> Total:
    return Total(trades, D(mwh), D(price) * D(mwh))


@pytest.mark.parametrize(
    ("sold", "bought", "reference", "per_mwh", "eur"),
    [
        (leg("10.2"), NOTHING, "9.8", "0.4", "4.0"),
        (leg("5.7"), NOTHING, "8.9", "-3.2", "-32.0"),
        (NOTHING, leg("20.5"), "18.0", "-2.5", "-25.0"),
        (leg("-25"), NOTHING, "-28", "3", "30"),
        (leg("30"), leg("20"), "25", "5", "100"),
        (leg("30"), leg("20"), "-400", "5", "100"),
        (leg("7"), NOTHING, "7", "0", "0"),
    ],
)
def test_the_examples_of_the_domain(sold: Total, bought: Total, reference: str, per_mwh: str, eur: str) -> None:
    figures = period_figures(sold, bought, D(reference))
    assert (figures.performance, figures.performance_eur) == (D(per_mwh), D(eur))


def test_without_trades_or_reference_it_is_undefined_and_never_zero() -> None:
    for figures in (period_figures(NOTHING, NOTHING, D(5)), period_figures(leg("5"), NOTHING, None)):
        assert (figures.performance, figures.performance_eur) == (None, None)
    empty = period_figures(NOTHING, NOTHING, None)
    assert (empty.average_price, empty.net_mwh) == (None, 0)


def test_a_total_is_the_exact_sum_and_says_nothing_of_unpriced_rows() -> None:
    rows = [
        period_figures(leg("10.2"), NOTHING, D("9.8")),
        period_figures(leg("5.7"), NOTHING, D("8.9")),
        period_figures(leg("99"), NOTHING, None),
    ]
    total = total_figures(rows)
    assert total.performance_eur == D("-28.0")
    assert total.performance == D("-1.4")
    assert (total.sold.energy, total.trade_count) == (30, 3)
    assert total_figures([rows[2]]).performance_eur is None
    assert total_figures([]).performance is None


prices = st.decimals(-99_999, 99_999, places=4)
energies = st.decimals("0.000001", 10**9, places=6)
legs = st.just(NOTHING) | st.builds(lambda n, e, p: Total(n, e, e * p), st.integers(1, 10**6), energies, prices)


@given(sold=legs, bought=legs, reference=prices)
def test_performance_is_cash_plus_net_position_at_the_reference(sold: Total, bought: Total, reference: Decimal) -> None:
    figures = period_figures(sold, bought, reference)
    if figures.performance_eur is not None:
        assert figures.performance_eur == figures.cash + figures.net_mwh * reference


@given(leg=legs.filter(lambda leg: leg.trade_count > 0), reference=prices)
def test_a_buyers_result_is_a_sellers_with_the_sign_turned(leg: Total, reference: Decimal) -> None:
    sold, bought = period_figures(leg, NOTHING, reference), period_figures(NOTHING, leg, reference)
    assert sold.performance_eur is not None
    assert bought.performance_eur == -sold.performance_eur


@given(energy=energies, sell=prices, buy=prices, one=prices, other=prices)
def test_with_equal_volumes_the_result_is_locked_in(
    energy: Decimal, sell: Decimal, buy: Decimal, one: Decimal, other: Decimal
) -> None:
    sold, bought = Total(1, energy, energy * sell), Total(1, energy, energy * buy)
    first, second = period_figures(sold, bought, one), period_figures(sold, bought, other)
    assert first.performance_eur == second.performance_eur == energy * (sell - buy)


rows = st.lists(st.builds(period_figures, legs, legs, st.none() | prices), max_size=30)


@given(rows=rows, cut=st.integers(0, 30))
def test_totals_of_parts_are_the_total_of_the_whole(rows: list[Figures], cut: int) -> None:
    whole, parts = total_figures(rows), total_figures([total_figures(rows[:cut]), total_figures(rows[cut:])])
    assert (whole.performance_eur, whole.priced_mwh, whole.sold, whole.bought) == (
        parts.performance_eur,
        parts.priced_mwh,
        parts.sold,
        parts.bought,
    )


def test_cash_is_what_came_in_less_what_went_out() -> None:
    figures = period_figures(leg("30"), leg("20"), None)
    assert figures.cash == D("100")
    assert figures.is_mixed
    assert not period_figures(leg("30"), NOTHING, None).is_mixed


@pytest.mark.parametrize(
    ("value", "shown"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("-0.004", "0.00"), ("2.675", "2.68"), ("7", "7.00")]
)
def test_halves_are_rounded_away_from_zero_and_zero_has_no_sign(value: str, shown: str) -> None:
    assert str(rounded(D(value))) == shown


@pytest.mark.parametrize(
    ("direction", "price", "reference", "gain"),
    [("sell", "-25", "-28", "3"), ("buy", "20.5", "18.0", "-2.5"), ("sell", "5", None, None), ("buy", "1", "1", "0")],
)
def test_what_a_mwh_gains(direction: str, price: str, reference: str | None, gain: str | None) -> None:
    found = difference(direction, Decimal(price), Decimal(reference) if reference else None)
    assert found == (Decimal(gain) if gain else None)


@given(sold=legs, bought=legs)
def test_at_the_break_even_the_result_is_0_and_turns(sold: Total, bought: Total) -> None:
    turns = period_figures(sold, bought, None).break_even
    if bought.energy == sold.energy:
        assert turns is None
        return
    assert turns is not None
    references = (EXACT.add(turns, step) for step in (D(-1), D(0), D(1)))
    below, at, above = (period_figures(sold, bought, reference).performance_eur for reference in references)
    assert below is not None and at is not None and above is not None
    assert abs(at) < D("1e-40")
    assert (above > 0) is (bought.energy > sold.energy)
    assert (below > 0) is (sold.energy > bought.energy)


def test_a_pure_sellers_break_even_is_the_own_average() -> None:
    figures = period_figures(Total(2, D("14"), D("250")), NOTHING, D("3"))
    assert figures.break_even == figures.average_price
