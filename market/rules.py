"""What a market's dated rules say of a delivery day: each day keeps the rule of its time. Pure: no Django, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from market.periods import HOUR, Calendar, DeliveryPeriod, Marks

BLOCK = 0
"""In a product's place of minutes: blocks of whole hours, however long."""

PRODUCTS = (60, 30, 15, BLOCK)


def minutes_of(period: DeliveryPeriod) -> int:
    """A period's length in minutes."""
    return int(period.duration.total_seconds()) // 60


def product_of(period: DeliveryPeriod) -> int:
    """Which product a period is of: its minutes, or BLOCK."""
    return product_of_length(period.duration)


def product_of_length(length: timedelta) -> int:
    """The same for a period's length."""
    return BLOCK if length > HOUR else int(length.total_seconds()) // 60


# --- where a reference comes from -----------------------------------------------------------------------------------
class ReferenceSource(StrEnum):
    """Where the reference price of a product shorter or longer than an hour comes from."""

    OWN = "own"  # the provider answers for it
    HOUR = "hour"  # its hour's stands in, for a block the mean of its hours; marked as such wherever it is shown
    NONE = "none"  # it has none: its figures stay undefined


@dataclass(frozen=True, slots=True)
class DatedSource:
    """From this delivery day on the reference of a product (minutes, or BLOCK) comes from there."""

    valid_from: date
    minutes: int
    source: ReferenceSource


def source_of(rules: Iterable[DatedSource], *, day: date, minutes: int) -> ReferenceSource:
    """The rule of the delivery day for a product: the newest that has begun; OWN without any, and for hours."""
    begun = [rule for rule in rules if rule.minutes == minutes and rule.valid_from <= day]
    return max(begun, key=lambda rule: rule.valid_from).source if begun else ReferenceSource.OWN


def reference_periods(period: DeliveryPeriod, source: ReferenceSource) -> tuple[DeliveryPeriod, ...]:
    """The periods whose price, or mean of prices, is the reference of `period`; none where it has none."""
    if period.duration == HOUR or source is ReferenceSource.OWN:
        return (period,)
    if source is ReferenceSource.NONE:
        return ()
    hours = max(1, period.duration // HOUR)
    starts = (period.hour_start + number * HOUR for number in range(hours))
    return tuple(DeliveryPeriod(start, start + HOUR) for start in starts)


# --- when a period can be traded ------------------------------------------------------------------------------------
class Phase(StrEnum):
    """Within which bounds a period can still be traded before its gate of the phase closes."""

    BORDERS = "borders"  # across the country's borders
    AREAS = "areas"  # across the areas of the country
    AREA = "area"  # inside one area


_PHASES = tuple(Phase)


@dataclass(frozen=True, slots=True)
class DatedGate:
    """From this delivery day on a phase closes `lead` before delivery; without a lead the phase exists no more.

    `product` (minutes, or BLOCK) is None for every product. `with_hour`: shorter products close with their hour.
    """

    valid_from: date
    product: int | None
    phase: Phase
    lead: timedelta | None
    with_hour: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """When (UTC) a period's gate of a phase closes."""

    phase: Phase
    closes_at: datetime


def gate_rules(
    rules: Iterable[DatedGate], *, day: date, product: int, default_lead: timedelta
) -> tuple[DatedGate, ...]:
    """The rule of each phase that a product (minutes, or BLOCK) has on a delivery day.

    A product's own rule goes before one for every product, and of these the newest that has begun holds. A phase
    without a rule doesn't exist, but there is always one: inside the area, `default_lead` before delivery.
    """
    begun = [rule for rule in rules if rule.valid_from <= day and rule.product in (product, None)]
    held: dict[Phase, DatedGate] = {}
    for rule in sorted(begun, key=lambda rule: (rule.product is not None, rule.valid_from)):
        held[rule.phase] = rule
    found = [rule for rule in held.values() if rule.lead is not None]
    if not found or Phase.AREA not in held:
        found.append(DatedGate(day, product, Phase.AREA, default_lead))
    return tuple(found)


def gates_of(rules: Iterable[DatedGate], period: DeliveryPeriod) -> tuple[Gate, ...]:
    """The gate closures of a period by its `gate_rules`, the first to close first; the last one is the gate closure."""
    found = (Gate(rule.phase, _closes_at(rule, period)) for rule in rules)
    return tuple(sorted(found, key=lambda gate: (gate.closes_at, _PHASES.index(gate.phase))))


def _closes_at(rule: DatedGate, period: DeliveryPeriod) -> datetime:
    start = period.hour_start if rule.with_hour and period.duration < HOUR else period.start
    return start - (rule.lead or timedelta())


@dataclass(frozen=True, slots=True)
class PeriodRules:
    """What a delivery day's rules say of one of its periods; times UTC."""

    label: str
    gates: tuple[Gate, ...]
    """The first to close first."""
    opens_at: datetime | None
    source: ReferenceSource
    referred: tuple[tuple[DeliveryPeriod, datetime], ...]
    """The periods whose price, or mean of prices, is the reference, each with its own gate closure."""


# --- everything else ------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class DayRules:
    """What else holds on a delivery day. Prices in the market's currency per MWh, `rhythm` in seconds.

    `opening` is when tomorrow's periods can be traded from, on the product zone's clock of the day before;
    `quarters_opening` the same for quarter hours, where they open later. None where nobody has said it.
    """

    zone: ZoneInfo
    currency: str
    day_start: time = time()
    display_zone: ZoneInfo | None = None
    marks: Marks = Marks.UPPER
    products: frozenset[int] = frozenset(PRODUCTS)
    opening: time | None = None
    quarters_opening: time | None = None
    lowest_price: Decimal | None = None
    highest_price: Decimal | None = None
    reference_name: str = ""
    rhythm: int | None = None

    @property
    def people_zone(self) -> ZoneInfo:
        """What the clocks of the market's people say."""
        return self.display_zone or self.zone

    @property
    def row_minutes(self) -> int:
        """The length of the rows that a day always shows: an hour, where it is traded."""
        within = [minutes for minutes in self.products if minutes]
        return max(within, default=60)

    def is_within_bounds(self, price: Decimal) -> bool:
        """Whether the exchange can have such a price."""
        too_low = self.lowest_price is not None and price < self.lowest_price
        return not too_low and not (self.highest_price is not None and price > self.highest_price)

    def opens_at(self, day: date, product: int) -> datetime | None:
        """From when on (UTC) a product of a delivery day can be traded; None where nobody has said it."""
        at = self.quarters_opening if product == 15 and self.quarters_opening else self.opening
        if at is None:
            return None
        return datetime.combine(day - timedelta(days=1), at, tzinfo=self.zone)


@dataclass(frozen=True, slots=True)
class DatedRules:
    """From this delivery day on these hold; what is None stays as it was."""

    valid_from: date
    zone: ZoneInfo | None = None
    currency: str | None = None
    day_start: time | None = None
    display_zone: ZoneInfo | None = None
    marks: Marks | None = None
    products: frozenset[int] | None = None
    opening: time | None = None
    quarters_opening: time | None = None
    lowest_price: Decimal | None = None
    highest_price: Decimal | None = None
    reference_name: str | None = None
    rhythm: int | None = None


def rules_on(first: DayRules, dated: Iterable[DatedRules], day: date) -> DayRules:
    """What holds on a delivery day: what held first, changed by every rule that has begun, in their order."""
    held = first
    for rule in sorted(dated, key=lambda rule: rule.valid_from):
        if rule.valid_from <= day:
            said = {f.name: getattr(rule, f.name) for f in fields(rule) if f.name != "valid_from"}
            held = replace(held, **{name: value for name, value in said.items() if value is not None})
    return held


def calendar_by(first: DayRules, dated: Iterable[DatedRules]) -> Calendar:
    """How the market counts its delivery days, with every change of it."""
    days = sorted({rule.valid_from for rule in dated})
    dated = tuple(dated)

    def plain(rules: DayRules) -> Calendar:
        return Calendar(rules.zone, rules.day_start, rules.marks)

    changes, before = [], plain(first)
    for day in days:
        calendar = plain(rules_on(first, dated, day))
        if calendar != before:
            changes.append((day, calendar))
        before = calendar
    return replace(plain(first), changes=tuple(changes))
