"""What a position would be if some of it were closed now: arithmetic, never an order. Pure, exact.

Units: MWh, EUR, EUR/MWh.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from dashboard.figures.performance import Figures
from market.totals import EXACT, ZERO

HIGHEST = Decimal(99_999)
"""EUR/MWh and MWh: what a trade may say, too."""


@dataclass(frozen=True, slots=True)
class Closing:
    """Closing `energy` MWh at `price`: `net_mwh` and `cash` afterwards, the result at the present reference (None
    without one, unless nothing moves any more), and the reference at which it would turn (None: it no longer does)."""

    price: Decimal
    energy: Decimal
    net_mwh: Decimal
    cash: Decimal
    result: Decimal | None
    break_even: Decimal | None


def closed_at(figures: Figures, price: Decimal, energy: Decimal | None = None) -> Closing | None:
    """The position after the other side of it was traded at `price`: all of it, or `energy` MWh of it; None without a
    net."""
    net = figures.net_mwh
    if not net:
        return None
    with localcontext(EXACT):
        closed = abs(net) if energy is None else energy
        sold = closed if net > 0 else -closed
        left, cash, reference = net - sold, figures.cash + sold * price, figures.reference_price
        result = cash if left == ZERO else None if reference is None else cash + left * reference
        return Closing(price, closed, left, cash, result, -cash / left if left else None)
