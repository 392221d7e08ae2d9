"""What trades add up to: of a side of a period, of a position, of a slot of time. Pure arithmetic, exact.

Units: energy MWh, turnover in the market's currency, quantity MW. Sums of products of database numerics need fewer than
50 digits, so at 60 only divisions are ever rounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import Protocol

EXACT = Context(prec=60)
ZERO = Decimal(0)


class Booked(Protocol):
    """The part of a trade that is added up. `quantity` MW, `energy` MWh, `turnover` in the market's currency."""

    @property
    def quantity(self) -> Decimal: ...
    @property
    def energy(self) -> Decimal: ...
    @property
    def turnover(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of some trades. `quantity` is 0 where nobody asked for MW."""

    trade_count: int = 0
    energy: Decimal = ZERO
    turnover: Decimal = ZERO
    quantity: Decimal = ZERO

    def __add__(self, other: Total) -> Total:
        return Total(
            self.trade_count + other.trade_count,
            EXACT.add(self.energy, other.energy),
            EXACT.add(self.turnover, other.turnover),
            EXACT.add(self.quantity, other.quantity),
        )

    @property
    def average_price(self) -> Decimal | None:
        """Volume-weighted average price per MWh; None without energy."""
        return EXACT.divide(self.turnover, self.energy) if self.energy else None

    @classmethod
    def of(cls, trade: Booked) -> Total:
        """One trade's."""
        return cls(1, trade.energy, trade.turnover, trade.quantity)


def total_of(totals: Iterable[Total]) -> Total:
    """What some totals add up to, exactly, in one go: a board adds up 120 rows with each change of one."""
    parts = list(totals)
    with localcontext(EXACT):
        return Total(
            sum(part.trade_count for part in parts),
            sum((part.energy for part in parts), ZERO),
            sum((part.turnover for part in parts), ZERO),
            sum((part.quantity for part in parts), ZERO),
        )
