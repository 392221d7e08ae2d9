"""What trades add up to. Pure arithmetic, exact: MW, MWh and EUR in Decimal."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import Protocol, TypeVar

EXACT = Context(prec=60)


class Booked(Protocol):
    """The part of a trade that a position is made of. `quantity` MW, `energy` MWh, `turnover` EUR."""

    @property
    def quantity(self) -> Decimal: ...
    @property
    def energy(self) -> Decimal: ...
    @property
    def turnover(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Sums:
    """A position's figures, or what a batch of trades adds to them."""

    trade_count: int = 0
    quantity: Decimal = Decimal(0)
    energy: Decimal = Decimal(0)
    turnover: Decimal = Decimal(0)

    def plus(self, trade: Booked) -> Sums:
        """These sums with one more trade."""
        with localcontext(EXACT):
            return Sums(
                self.trade_count + 1,
                self.quantity + trade.quantity,
                self.energy + trade.energy,
                self.turnover + trade.turnover,
            )


_Key = TypeVar("_Key", bound=Hashable)


def sums_by_key(trades: Iterable[tuple[_Key, Booked]]) -> dict[_Key, Sums]:
    """One `Sums` per key, whatever the order of the trades."""
    result: dict[_Key, Sums] = {}
    for key, trade in trades:
        result[key] = result.get(key, Sums()).plus(trade)
    return result
