"""From theory to money: what being right or wrong was worth, acted upon or not. Pure, exact.

Units: EUR (the market's currency), MWh, EUR/MWh. A trade's result is against the reference that its board shows. Only
what is in one currency is added: `in_currencies` parts it first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import TypeVar

from dashboard.assumptions.rates import Case, in_groups
from dashboard.assumptions.rules import SIDES, Claim, Verdict
from dashboard.figures.performance import difference
from market.totals import EXACT, ZERO


class Outcome(StrEnum):
    """Was it right, and did its author act on it? OTHER: flat, void, open or late."""

    RIGHT_ACTED = "right-acted"
    RIGHT_IDLE = "right-idle"
    WRONG_ACTED = "wrong-acted"
    WRONG_IDLE = "wrong-idle"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Linked:
    """What the trades that followed an assumption came to; `result` None while there is no reference."""

    trades: int = 0
    mwh: Decimal = ZERO
    result: Decimal | None = None

    def with_trade(self, mwh: Decimal, result: Decimal | None) -> Linked:
        """One trade more."""
        total = self.result if result is None else EXACT.add(self.result or ZERO, result)
        return Linked(self.trades + 1, EXACT.add(self.mwh, mwh), total)


def result_of(side: str, price: Decimal, reference: Decimal | None, mwh: Decimal) -> Decimal | None:
    """What a trade gains against the reference, in EUR; None without one."""
    gain = difference(side, price, reference)
    return None if gain is None else EXACT.multiply(gain, mwh)


@dataclass(frozen=True, slots=True)
class Theorised:
    """One judged or open period of an up or down claim, as money sees it. `hours`: length of delivery.

    `quantity`: the size that its author gave, in MW. What is worked out of it is so once: it counts in many groups.
    """

    assumption: int
    case: Case
    hours: Decimal
    move: Decimal | None
    quantity: Decimal | None
    linked: Linked
    month: str = ""
    currency: str = ""
    """Of all its money: the market's of the delivery day."""
    outcome: Outcome = field(init=False)
    per_mwh: Decimal | None = field(init=False)
    """What each MWh at the frozen price would have gained."""
    at_size: Decimal | None = field(init=False)
    """The same in EUR, where the author gave a size."""

    def __post_init__(self) -> None:
        per_mwh = at_size = None
        if self.move is not None and self.case.theory.claim in SIDES:
            per_mwh = self.move if self.case.theory.claim is Claim.UP else -self.move
        if per_mwh is not None and self.quantity is not None:
            at_size = EXACT.multiply(per_mwh, EXACT.multiply(self.quantity, self.hours))
        object.__setattr__(self, "outcome", self._outcome())
        object.__setattr__(self, "per_mwh", per_mwh)
        object.__setattr__(self, "at_size", at_size)

    def _outcome(self) -> Outcome:
        if not self.case.counts:
            return Outcome.OTHER
        if self.case.verdict is Verdict.RIGHT:
            return Outcome.RIGHT_ACTED if self.linked.trades else Outcome.RIGHT_IDLE
        return Outcome.WRONG_ACTED if self.linked.trades else Outcome.WRONG_IDLE


@dataclass(frozen=True, slots=True)
class Sum:
    """What some add up to. `result`: of linked trades; `per_mwh`: the mean; `at_size`: of those with a size."""

    count: int = 0
    trades: int = 0
    mwh: Decimal = ZERO
    result: Decimal | None = None
    per_mwh: Decimal | None = None
    at_size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Each outcome's sum."""

    sums: dict[Outcome, Sum] = field(default_factory=dict)

    def of(self, outcome: Outcome) -> Sum:
        return self.sums.get(outcome, Sum())

    @property
    def linked(self) -> Decimal:
        """The result of all linked trades, exact."""
        total = ZERO
        for one in self.sums.values():
            total = EXACT.add(total, one.result or ZERO)
        return total


def in_currencies(theories: Iterable[Theorised]) -> dict[str, list[Theorised]]:
    """Those of each currency, by its code, in their order."""
    return dict(sorted(in_groups(theories, lambda one: [one.currency]).items()))


def ledger(theories: Iterable[Theorised]) -> Ledger:
    """The sums by outcome."""
    groups = in_groups(theories, lambda one: [one.outcome])
    return Ledger({outcome: _sum(group) for outcome, group in groups.items()})


def _sum(group: list[Theorised]) -> Sum:
    gains = [one.per_mwh for one in group if one.per_mwh is not None]
    mean = None if not gains else EXACT.divide(_total(gains) or ZERO, Decimal(len(gains)))
    return Sum(
        count=len(group),
        trades=sum(one.linked.trades for one in group),
        mwh=_total(one.linked.mwh for one in group) or ZERO,
        result=_total(one.linked.result for one in group),
        per_mwh=mean,
        at_size=_total(one.at_size for one in group),
    )


def _total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum of those that are known; None without any."""
    known = [amount for amount in amounts if amount is not None]
    with localcontext(EXACT):
        return sum(known, ZERO) if known else None


_Key = TypeVar("_Key", bound=Hashable)


def ledgers(theories: Iterable[Theorised], keys: Callable[[Case], Iterable[_Key]]) -> dict[_Key, Ledger]:
    """A ledger for each key."""
    groups = in_groups(theories, lambda one: [(key, one.outcome) for key in keys(one.case)])
    sums: dict[_Key, dict[Outcome, Sum]] = {}
    for (key, outcome), group in groups.items():
        sums.setdefault(key, {})[outcome] = _sum(group)
    return {key: Ledger(of_key) for key, of_key in sums.items()}


def ledgers_by_month(theories: Iterable[Theorised]) -> dict[str, Ledger]:
    """A ledger for each month of delivery, as 2026-11."""
    return {month: ledger(group) for month, group in in_groups(theories, lambda one: [one.month]).items()}
