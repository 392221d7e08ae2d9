"""How firm a result is: order statistics of what references still moved in like cases. No model, no chance. Pure.

A case is one closed period at one time left to its gate; its move is the final reference less the one known then
(EUR/MWh). Cases are alike that share product length, time left and part of the day; where they are too few, any part.
Time left counts from the beginning of the running ten minutes, because references are published every ten.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum

from market.totals import EXACT

FEWEST = 30
"""With fewer like cases nothing is said."""
DAYS = 60
SLOT = timedelta(minutes=10)
LEFT = tuple(timedelta(minutes=minutes) for minutes in (0, 10, 20, 30, 60, 120, 240, 480, 720, 1440, 2880))
"""A time left belongs to the first of these that is not below it: after the gate, up to 10 minutes, up to 20, …"""
PARTS = (6, 10, 16, 20, 24)
"""A part of the day ends before this hour of the market's clock: night, morning, noon, evening, late."""
ANY = -1
"""In a part's place: of the whole day."""
FIRM, LEANING = Decimal("0.1"), Decimal("0.3")
"""Up to these shares of turned signs a result is called firm, and leaning."""
WIDE, NARROW = Decimal("0.8"), Decimal("0.5")


class Word(StrEnum):
    """How firm a result is, in one word."""

    OPEN = "open"
    LEANING = "leaning"
    FIRM = "firm"
    LOCKED = "locked"  # equal volumes: it moves with no reference
    FINAL = "final"
    TOO_FEW = "too few"


SURE = (Word.FIRM, Word.LOCKED, Word.FINAL)


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """Which cases are alike: product length in minutes, the number of LEFT, and the part of the day, or ANY."""

    minutes: int
    left: int
    part: int = ANY


@dataclass(frozen=True, slots=True)
class Band:
    """From where to where (EUR or EUR/MWh)."""

    low: Decimal
    high: Decimal

    @property
    def width(self) -> Decimal:
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Firmness:
    """What `cases` like cases say of a row: bands of its result (EUR) and of its reference (EUR/MWh), `wide` for 8 in
    10, `narrow` for 5 in 10, and the share in which the result's sign turned. None where there is nothing to say."""

    word: Word
    cases: int = 0
    turned: Decimal | None = None
    wide: Band | None = None
    narrow: Band | None = None
    reference_wide: Band | None = None
    reference_narrow: Band | None = None


FINAL, LOCKED = Firmness(Word.FINAL), Firmness(Word.LOCKED)


def left_of(gate: datetime, now: datetime) -> int | None:
    """The number of LEFT for a gate that closes then; None for longer than the longest."""
    seconds = int(now.timestamp())
    begun = seconds - seconds % int(SLOT.total_seconds())
    number = bisect_left(LEFT, timedelta(seconds=gate.timestamp() - begun))
    return number if number < len(LEFT) else None


def part_of_day(hour: int) -> int:
    """The part of the day of an hour of the market's clock."""
    return bisect_right(PARTS, hour)


def band_of(moves: Sequence[Decimal], share: Decimal) -> Band:
    """Where `share` of new cases would lie if they are like these (ascending): between the k-th and the k-th last.

    Of n exchangeable cases a new one lies below the k-th in k of n + 1: so k is (1 - share) / 2 of n + 1.
    """
    rank = max(1, int((1 - share) / 2 * (len(moves) + 1)))
    return Band(moves[rank - 1], moves[-rank])


def turned_share(moves: Sequence[Decimal], result: Decimal, net: Decimal) -> Decimal | None:
    """The share of moves (ascending) after which a result (EUR) with this net (MWh) has the other sign; None for 0."""
    if not result:
        return None
    with localcontext(EXACT):
        turns = -result / net  # the move at which the result is 0
    below = (result > 0) is (net > 0)  # whether it turns by a lower reference
    count = bisect_left(moves, turns) if below else len(moves) - bisect_right(moves, turns)
    return Decimal(count) / len(moves)


def firmness_of(
    moves: Sequence[Decimal], *, result: Decimal, net: Decimal, reference: Decimal, is_final: bool
) -> Firmness:
    """What like cases (their moves, ascending) say of a result in EUR with this net in MWh."""
    if is_final:
        return FINAL
    if not net:
        return LOCKED
    if len(moves) < FEWEST:
        return Firmness(Word.TOO_FEW, len(moves))
    turned, wide, narrow = turned_share(moves, result, net), band_of(moves, WIDE), band_of(moves, NARROW)
    return Firmness(
        word_of(turned),
        len(moves),
        turned,
        *(_moved(band, by=net, of=result) for band in (wide, narrow)),
        *(_moved(band, by=Decimal(1), of=reference) for band in (wide, narrow)),
    )


def word_of(turned: Decimal | None) -> Word:
    """In one word what a share of turned signs means; a result of 0 is open."""
    if turned is None or turned > LEANING:
        return Word.OPEN
    return Word.LEANING if turned > FIRM else Word.FIRM


def _moved(band: Band, *, by: Decimal, of: Decimal) -> Band:
    """A band of moves as one of what moves `by` so much with each EUR/MWh."""
    with localcontext(EXACT):
        ends = sorted((of + by * band.low, of + by * band.high))
    return Band(*ends)


def sure_share(rows: Sequence[tuple[Word, Decimal]]) -> Decimal | None:
    """The share of results (EUR, whatever their sign) that are firm, locked in or final; None without any result."""
    with localcontext(EXACT):
        whole = sum((abs(result) for _, result in rows), Decimal(0))
        sure = sum((abs(result) for word, result in rows if word in SURE), Decimal(0))
        return sure / whole if whole else None
