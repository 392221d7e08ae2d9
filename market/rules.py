"""What a market's dated rules say of a delivery day: each day keeps the rule of its time. Pure: no Django, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from market.periods import DeliveryPeriod

HOUR = timedelta(hours=1)


class ReferenceSource(StrEnum):
    """Where the reference price of a product shorter than an hour comes from."""

    OWN = "own"  # the provider answers for it
    HOUR = "hour"  # its hour's stands in, marked as such wherever it is shown
    NONE = "none"  # it has none: its figures stay undefined


@dataclass(frozen=True, slots=True)
class DatedSource:
    """From this delivery day on the reference of products of so many minutes comes from there."""

    valid_from: date
    minutes: int
    source: ReferenceSource


def source_of(rules: Iterable[DatedSource], *, day: date, minutes: int) -> ReferenceSource:
    """The rule of the delivery day for a product length: the newest that has begun; OWN without any, and for hours."""
    begun = [rule for rule in rules if rule.minutes == minutes and rule.valid_from <= day]
    return max(begun, key=lambda rule: rule.valid_from).source if begun else ReferenceSource.OWN


def reference_period(period: DeliveryPeriod, source: ReferenceSource) -> DeliveryPeriod | None:
    """The period whose price is the reference of `period`; None where it has none.

    Hours begin on whole hours of UTC, as all zones of the coupled markets are whole hours away from it.
    """
    if period.duration >= HOUR or source is ReferenceSource.OWN:
        return period
    if source is ReferenceSource.NONE:
        return None
    start = period.start.replace(minute=0, second=0, microsecond=0)
    return DeliveryPeriod(start, start + HOUR)


def minutes_of(period: DeliveryPeriod) -> int:
    """A period's length in minutes."""
    return int(period.duration.total_seconds()) // 60
