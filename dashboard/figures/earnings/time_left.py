"""How long before its last gate closure a trade was executed, in steps; the leads of each product by day. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from itertools import pairwise

from market.rules import BLOCK, PRODUCTS, DatedGate, gate_rules

LIMITS = tuple(timedelta(minutes=minutes) for minutes in (0, 5, 15, 30, 60, 120, 240, 720))
"""Where a step of time left begins; each holds its own beginning and ends before the next."""

_LONGEST = timedelta(hours=2)
"""What stands for every block: none is shorter, and no other product is as long."""


class Left(IntEnum):
    """A step of time left, by how many of LIMITS it has reached."""

    AFTER = 0  # executed after the gate: booked and flagged, never refused
    UNDER_5 = 1
    UNDER_15 = 2
    UNDER_30 = 3
    UNDER_60 = 4
    UNDER_120 = 5
    UNDER_240 = 6
    UNDER_720 = 7
    OVER_720 = 8


def left_of(time_left: timedelta) -> Left:
    """The step of a time left; at the gate itself trading is still possible."""
    return Left(sum(time_left >= limit for limit in LIMITS))


@dataclass(frozen=True, slots=True)
class Lead:
    """From one delivery day to before another: how long before its start, or its hour's, a product's last gate closes.

    `length` is the product's, 2 hours for every block. The later one of `own` and `hour` counts; one of them is None
    where every gate goes by the other.
    """

    length: timedelta
    valid_from: date
    until: date
    own: timedelta | None
    hour: timedelta | None


def leads(gates: Iterable[DatedGate], *, first: date, last: date, default_lead: timedelta) -> tuple[Lead, ...]:
    """Of each product, for every delivery day from `first` to `last`; `default_lead`: the market's without a rule."""
    gates = tuple(gates)
    changes = sorted({rule.valid_from for rule in gates if first < rule.valid_from <= last})
    stretches = list(pairwise((first, *changes, last + timedelta(days=1))))
    return tuple(_leads(gates, stretches, default_lead))


def _leads(gates: tuple[DatedGate, ...], stretches: list[tuple[date, date]], default: timedelta) -> Iterator[Lead]:
    for product in PRODUCTS:
        length = _LONGEST if product == BLOCK else timedelta(minutes=product)
        for begins, ends in stretches:
            rules = gate_rules(gates, day=begins, product=product, default_lead=default)
            shorter = product not in {BLOCK, 60}
            own = [rule.lead for rule in rules if rule.lead is not None and not (rule.with_hour and shorter)]
            hour = [rule.lead for rule in rules if rule.lead is not None and rule.with_hour and shorter]
            yield Lead(length, begins, ends, min(own, default=None), min(hour, default=None))
