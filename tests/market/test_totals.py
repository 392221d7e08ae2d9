"""What trades add up to: exact, whatever the order, and undefined without energy."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from market.totals import Total, total_of


@dataclass(frozen=True)
class Trade:
    """MW for so many quarter hours at a price."""

    quantity: Decimal
    quarters: int
    price: Decimal

    @property
    def energy(self) -> Decimal:
        return self.quantity * self.quarters / 4

    @property
    def turnover(self) -> Decimal:
        return self.energy * self.price


trades = st.builds(
    Trade,
    st.decimals("0.0001", "99999", places=4),
    st.sampled_from((1, 2, 4)),
    st.decimals("-99999", "99999", places=4),
)


@given(st.lists(trades, max_size=30), st.randoms())
def test_a_total_is_the_exact_sum_in_any_order(some: list[Trade], random: object) -> None:
    total = sum((Total.of(trade) for trade in some), Total())
    random.shuffle(some)  # type: ignore[attr-defined]
    assert sum((Total.of(trade) for trade in some), Total()) == total
    assert total.trade_count == len(some)
    assert Fraction(total.energy) == sum(Fraction(t.quantity) * t.quarters / 4 for t in some)
    assert Fraction(total.turnover) == sum(Fraction(t.quantity) * t.quarters / 4 * Fraction(t.price) for t in some)
    assert Fraction(total.quantity) == sum(Fraction(t.quantity) for t in some)


@given(st.lists(trades, min_size=1, max_size=30))
def test_the_average_lies_between_the_lowest_and_the_highest_price(some: list[Trade]) -> None:
    average = sum((Total.of(trade) for trade in some), Total()).average_price
    assert average is not None
    slack = Decimal("1e-40")
    assert min(t.price for t in some) - slack <= average <= max(t.price for t in some) + slack


def test_without_energy_there_is_no_average() -> None:
    assert Total().average_price is None


@given(st.lists(trades, max_size=30))
def test_totals_in_one_go_are_those_one_by_one(of: list[Trade]) -> None:
    parts = [Total.of(trade) for trade in of]
    assert total_of(parts) == sum(parts, Total())
