"""How are we doing so far? The arithmetic of a board, exact and pure (rules: docs/performance-figures.md).

Units: energy MWh, turnover and results EUR, prices and performance EUR/MWh. Undefined is None, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache

from market.totals import EXACT, ZERO, Total, total_of

_CENT = Decimal("0.01")
NOTHING = Total()


@dataclass(frozen=True, slots=True)
class Figures:
    """Own prices of one period (or of a day) against the reference."""

    sold: Total
    bought: Total
    reference_price: Decimal | None
    performance_eur: Decimal | None
    priced_mwh: Decimal
    """Energy (sold + bought) whose reference is known: what `performance` is an average over."""

    @property
    def trade_count(self) -> int:
        return self.sold.trade_count + self.bought.trade_count

    @property
    def net_mwh(self) -> Decimal:
        """Bought minus sold: long is positive."""
        return self.bought.energy - self.sold.energy

    @property
    def average_price(self) -> Decimal | None:
        with localcontext(EXACT):
            return _divide(self.sold.turnover + self.bought.turnover, self.sold.energy + self.bought.energy)

    @property
    def cash(self) -> Decimal:
        """EUR received from sells minus EUR paid for buys."""
        with localcontext(EXACT):
            return self.sold.turnover - self.bought.turnover

    @property
    def break_even(self) -> Decimal | None:
        """The reference (EUR/MWh) at which the result turns: -cash / net; None where it doesn't move with it."""
        net = self.net_mwh
        return _divide(-self.cash, net) if net else None

    @property
    def performance(self) -> Decimal | None:
        """Performance per MWh; None while undefined."""
        return None if self.performance_eur is None else _divide(self.performance_eur, self.priced_mwh)

    @property
    def is_mixed(self) -> bool:
        return self.sold.energy > 0 and self.bought.energy > 0


@lru_cache(maxsize=4096)
def period_figures(sold: Total, bought: Total, reference: Decimal | None) -> Figures:
    """Figures of one period. Without trades or without a reference the performance is undefined."""
    with localcontext(EXACT):
        energy = sold.energy + bought.energy
        if reference is None or energy == 0:
            return Figures(sold, bought, reference, None, ZERO)
        result = (sold.turnover - sold.energy * reference) + (bought.energy * reference - bought.turnover)
        return Figures(sold, bought, reference, result, energy)


def total_figures(rows: Iterable[Figures]) -> Figures:
    """The exact sum of rows. Rows without a defined performance add their trades, not their result."""
    listed = list(rows)
    known = [row for row in listed if row.performance_eur is not None]
    with localcontext(EXACT):
        result = sum((row.performance_eur for row in known if row.performance_eur is not None), ZERO)
        return Figures(
            total_of(row.sold for row in listed if row.sold is not NOTHING),
            total_of(row.bought for row in listed if row.bought is not NOTHING),
            None,
            result if known else None,
            sum((row.priced_mwh for row in known), ZERO),
        )


def difference(direction: str, price: Decimal, reference: Decimal | None) -> Decimal | None:
    """What one MWh at `price` gains against the reference: above zero is good for either direction."""
    if reference is None:
        return None
    with localcontext(EXACT):
        return price - reference if direction == "sell" else reference - price


def _divide(amount: Decimal, by: Decimal) -> Decimal | None:
    if by == 0:
        return None
    with localcontext(EXACT):
        return amount / by


def rounded(value: Decimal) -> Decimal:
    """To two decimals, halves away from zero; never a negative zero."""
    with localcontext(EXACT):
        return value.quantize(_CENT, rounding=ROUND_HALF_UP) + 0
