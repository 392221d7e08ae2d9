"""What a closed day's sums go by besides positions and prices: whose clock its hours are, and its reference rules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from market.rules import DatedSource

VERSION = 1
"""Raised with every change of what the statements of keeping add up, so that nothing of before is read any more."""


class Basis(NamedTuple):
    """What holds on these delivery days, both included, in words that are the same exactly where all of it is."""

    first: date
    last: date
    words: str


def basis_on(sources: Iterable[DatedSource], zone: str, day: date) -> str:
    """The version, the zone, and of each product the newest rule that has begun on the delivery day."""
    begun = sorted((rule for rule in sources if rule.valid_from <= day), key=lambda rule: rule.valid_from)
    held = {rule.minutes: rule.source for rule in begun}
    return " ".join([str(VERSION), zone, *(f"{minutes}:{source.value}" for minutes, source in sorted(held.items()))])


def bases(sources: Iterable[DatedSource], zone: str, first: date, last: date) -> list[Basis]:
    """What holds on the days of a range, in order: one part, and one more where a rule begins within it."""
    rules = tuple(sources)
    begins = sorted({first, *(rule.valid_from for rule in rules if first < rule.valid_from <= last)})
    ends = [*(day - timedelta(days=1) for day in begins[1:]), last]
    return [Basis(one, end, basis_on(rules, zone, one)) for one, end in zip(begins, ends, strict=True)]
