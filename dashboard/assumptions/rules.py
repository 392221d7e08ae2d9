"""What an assumption claims of a reference, and what became of it. Pure: no Django, no clock, no database.

Prices, moves and thresholds are EUR/MWh (the market's currency), moments are aware UTC datetimes. An assumption is
judged period by period. Undefined is None, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from market.totals import EXACT, ZERO

LEAST_MOVE = Decimal("0.01")
"""What up and down must move at least, where the author says nothing else."""

BROKEN_AT = Decimal(5)
"""How far against it a reference goes until it is broken, where the author says nothing else."""

LATE = timedelta(minutes=10)
"""Written down so shortly before a gate closure, it is marked and left out of all rates."""

NO_FINAL_AFTER = timedelta(minutes=60)
"""After the last gate closure: by then a final must be here, or it is void."""


class Claim(StrEnum):
    """What the reference does, seen from the frozen price (up, down, within) or from a bound (above, below)."""

    UP = "up"
    DOWN = "down"
    WITHIN = "within"
    ABOVE = "above"
    BELOW = "below"


NEEDS_THRESHOLD = frozenset({Claim.WITHIN, Claim.ABOVE, Claim.BELOW})
SIDES = {Claim.UP: "buy", Claim.DOWN: "sell"}
"""The side of a trade that follows a claim."""


class Verdict(StrEnum):
    """What the final says of a claim; waiting for a price, and open, before it is here."""

    WAITING = "waiting"
    OPEN = "open"
    RIGHT = "right"
    WRONG = "wrong"
    FLAT = "flat"
    VOID = "void"


COUNTED = frozenset({Verdict.RIGHT, Verdict.WRONG})


class Published(Protocol):
    """One published value of a reference."""

    @property
    def value(self) -> Decimal: ...
    @property
    def last_update(self) -> datetime: ...
    @property
    def arrived_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Theory:
    """A claim with its figures. `threshold`: least move (up, down), half width (within) or bound (above, below)."""

    claim: Claim
    threshold: Decimal | None = None
    broken_at: Decimal = BROKEN_AT

    @property
    def figure(self) -> Decimal:
        """The threshold, or the least move that holds without one."""
        return LEAST_MOVE if self.threshold is None else self.threshold

    def in_favour(self, frozen: Decimal, price: Decimal) -> Decimal:
        """How far `price` is on the claim's side; below zero: against it."""
        move = EXACT.subtract(price, frozen)
        if self.claim is Claim.UP:
            return move
        if self.claim is Claim.DOWN:
            return -move
        if self.claim is Claim.WITHIN:
            return EXACT.subtract(self.figure, abs(move))
        beyond = EXACT.subtract(price, self.figure)
        return beyond if self.claim is Claim.ABOVE else -beyond

    def is_broken(self, frozen: Decimal, since: Iterable[Decimal]) -> bool:
        """Whether any price since it was frozen went so far against it.

        A bound that the reference had not reached yet is no breach: what counts is how far it has gone away since.
        """
        at_first = min(ZERO, self.in_favour(frozen, frozen))
        return any(EXACT.subtract(self.in_favour(frozen, price), at_first) <= -self.broken_at for price in since)

    def verdict(self, frozen: Decimal | None, final: Decimal) -> Verdict:
        """What the final says; void without a frozen price."""
        if frozen is None:
            return Verdict.VOID
        favour = self.in_favour(frozen, final)
        if self.claim is Claim.WITHIN:
            return Verdict.RIGHT if favour >= ZERO else Verdict.WRONG
        if self.claim in NEEDS_THRESHOLD:
            return _by_sign(favour)
        return _by_sign(favour) if abs(favour) >= self.figure else Verdict.FLAT


def _by_sign(favour: Decimal) -> Verdict:
    if not favour:
        return Verdict.FLAT
    return Verdict.RIGHT if favour > ZERO else Verdict.WRONG


_OPPOSITE = {Verdict.RIGHT: Verdict.WRONG, Verdict.WRONG: Verdict.RIGHT}
"""What the other side of the same least move is."""


def goes_on(theory: Theory, last_change: Decimal | None, frozen: Decimal, final: Decimal) -> Verdict | None:
    """What the final says of the dumb rule “it goes on as it last moved” at the same moment, for up and down alone.

    None where it says nothing: another claim, no last change, or one of zero, which has no sign.
    """
    if theory.claim not in SIDES or not last_change:
        return None
    said = theory.verdict(frozen, final)
    return said if (last_change > ZERO) == (theory.claim is Claim.UP) else _OPPOSITE.get(said, said)


# --- moments ----------------------------------------------------------------------------------------------------------
def is_late(now: datetime, gates: Iterable[datetime]) -> bool:
    """Whether one of its gates closes within ten minutes."""
    return any(gate - now <= LATE for gate in gates)


def minutes_left(created_at: datetime, gate: datetime) -> int:
    """Whole minutes from its writing to the gate closure."""
    return (gate - created_at) // timedelta(minutes=1)


def first_to_freeze(path: Iterable[Published], gate: datetime) -> Published | None:
    """The price that one without a price waits for: the first; a final is none, as nothing is left to be expected."""
    first = min(path, key=lambda point: point.last_update, default=None)
    return first if first is not None and first.last_update < gate else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be on record: by which final (None: none came in time), and what it says."""

    verdict: Verdict
    final_price: Decimal | None = None
    final_updated_at: datetime | None = None
    move: Decimal | None = None


def judgements(
    theory: Theory, frozen: Decimal | None, gate: datetime, path: Sequence[Published], now: datetime
) -> Iterator[Judgement]:
    """All that must be on record at `now`, in order: void in time without a final, then one for each final."""
    finals = sorted((point for point in path if point.last_update >= gate), key=lambda point: point.last_update)
    in_time = any(point.arrived_at <= gate + NO_FINAL_AFTER for point in finals)
    if not in_time and now > gate + NO_FINAL_AFTER:
        yield Judgement(Verdict.VOID)
    for final in finals:
        yield judgement(theory, frozen, final)


def judgement(theory: Theory, frozen: Decimal | None, final: Published) -> Judgement:
    """What one final says."""
    move = None if frozen is None else EXACT.subtract(final.value, frozen)
    return Judgement(theory.verdict(frozen, final.value), final.value, final.last_update, move)


# --- from a theory to trades ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Expected:
    """One period of an assumption, as trades are linked to it: open from `begins` until `ends`."""

    number: int
    claim: Claim
    begins: datetime
    ends: datetime


def followed(side: str, executed_at: datetime, of_period: Iterable[Expected]) -> Expected | None:
    """The newest of the period's that was open when the trade was executed and whose side it follows; or none."""
    followed_ones = (e for e in of_period if SIDES.get(e.claim) == side and e.begins <= executed_at < e.ends)
    return max(followed_ones, key=lambda one: (one.begins, one.number), default=None)
