"""By whose price a row's figures go: its own, its hour's, the mean of a block's hours, or none. Pure.

EUR/MWh, or the market's currency; times UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import accumulate

from market.periods import DeliveryPeriod
from market.rules import PeriodRules, ReferenceSource
from market.totals import EXACT, ZERO
from prices.queries import KnownPrice, PricePoint, PriceTimeline

STEP = Decimal("1e-10")
"""Prices are stored with ten decimals, and so is the mean of some."""

Prices = Mapping[DeliveryPeriod, KnownPrice]


@dataclass(frozen=True, slots=True)
class Reference:
    """A row's reference: whose price it is, and that price where it is known."""

    source: ReferenceSource
    price: KnownPrice | None
    is_final: bool
    """Whether it was published at or after the last gate closure of every period whose price it is."""


def reference_of(rules: PeriodRules, prices: Prices) -> Reference:
    """The reference of a period with these rules, among its day's known prices."""
    known, is_final = [], True
    for period, gate_closes_at in rules.referred:
        price = prices.get(period)
        if price is None:
            return Reference(rules.source, None, False)
        known.append(price)
        is_final = is_final and price.last_update >= gate_closes_at
    return Reference(rules.source, mean_of(known), is_final) if known else Reference(rules.source, None, False)


def mean_of(prices: Sequence[KnownPrice]) -> KnownPrice:
    """The plain mean of some prices, as one: as old as the oldest of them, arrived when the last one did."""
    if len(prices) == 1:
        return prices[0]
    return KnownPrice(
        value=mean(price.value for price in prices),
        last_update=min(price.last_update for price in prices),
        arrived_at=max(price.arrived_at for price in prices),
        revision=sum(price.revision for price in prices),
        restated=None,
    )


def mean(values: Iterable[Decimal]) -> Decimal:
    """The plain mean, rounded as prices are stored."""
    all_values = tuple(values)
    with localcontext(EXACT):
        total = sum(all_values, ZERO)
    return (total / len(all_values)).quantize(STEP, ROUND_HALF_UP)


def mean_path(paths: Sequence[Sequence[PricePoint]]) -> tuple[PricePoint, ...]:
    """The course of the mean of several prices, from the moment on when all of them were known; in order of arrival."""
    if len(paths) == 1:
        return tuple(paths[0])
    known: dict[int, PricePoint] = {}
    points = []
    arrivals = sorted(
        ((number, point) for number, path in enumerate(paths) for point in path), key=lambda one: one[1].arrived_at
    )
    for number, point in arrivals:
        known[number] = point
        if len(known) == len(paths):
            oldest = min(each.last_update for each in known.values())
            points.append(PricePoint(mean(each.value for each in known.values()), oldest, point.arrived_at))
    return tuple(points)


def mean_timeline(lines: Sequence[PriceTimeline | None]) -> PriceTimeline:
    """The same by slots; nothing where one of them has no price."""
    if len(lines) == 1 and lines[0] is not None:
        return lines[0]
    courses = [dict(zip(line.slots, line.values, strict=True)) for line in lines if line is not None]
    if not courses or len(courses) < len(lines):
        return PriceTimeline((), ())
    begins = max(min(course) for course in courses)
    slots = sorted({begins, *(slot for course in courses for slot in course if slot > begins)})
    held = [_held(course, slots) for course in courses]
    return PriceTimeline(tuple(slots), tuple(mean(values) for values in zip(*held, strict=True)))


def _held(course: Mapping[int, Decimal], slots: Sequence[int]) -> list[Decimal]:
    """The value that held at the end of each slot; the course has begun by the first."""
    first = course[max(slot for slot in course if slot <= slots[0])]
    return list(accumulate(slots, lambda held, slot: course.get(slot, held), initial=first))[1:]
