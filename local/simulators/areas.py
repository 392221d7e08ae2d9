"""What the stand-ins play: the delivery days, products, gate, opening and money of one area. Pure."""

from __future__ import annotations

from argparse import ArgumentTypeError
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from local.simulators.arguments import market_zone
from market.areas.presets import PRESETS
from market.periods import Calendar, DeliveryPeriod, day_of, day_periods
from market.rules import BLOCK, DayRules, Phase


@dataclass(frozen=True, slots=True)
class Area:
    """One area. Without an `opening` tomorrow can be traded all day."""

    calendar: Calendar = field(default_factory=lambda: Calendar(ZoneInfo("Europe/Berlin")))
    products: tuple[int, ...] = (60, 30, 15, BLOCK)
    gate_closure: timedelta = timedelta(minutes=5)
    opening: time | None = None
    unit: str = "euro"

    @property
    def zone(self) -> ZoneInfo:
        return self.calendar.zone

    @property
    def shorter(self) -> tuple[int, ...]:
        """Products shorter than an hour, the usual ones twice as often."""
        found = [minutes for minutes in self.products if 0 < minutes < 60]
        return tuple(sorted([*found, min(found)])) if found else ()

    def is_open(self, period: DeliveryPeriod, now: datetime) -> bool:
        """Whether trading of the period has been opened."""
        return self._is_day_open(day_of(period.start, self.calendar), now)

    def tradable(self, now: datetime, minutes: int) -> list[DeliveryPeriod]:
        """The periods of this length that can be traded now, up to the end of tomorrow, in order."""
        today, closed = day_of(now, self.calendar), now + self.gate_closure
        found: list[DeliveryPeriod] = []
        for day in (today, today + timedelta(days=1)):
            if self._is_day_open(day, now):
                periods = day_periods(day, self.calendar, minutes)
                found += periods[bisect_right(periods, closed, key=lambda period: period.start) :]
        return found

    def _is_day_open(self, day: date, now: datetime) -> bool:
        opens_at = DayRules(self.zone, "EUR", opening=self.opening).opens_at(day, 60)
        return opens_at is None or opens_at <= now


def played_area(options: Mapping[str, Any]) -> Area:
    """The area of a command line: by its code, or by its zone and gate alone."""
    if options["area"] is not None:
        return known_area(options["area"])
    zone, minutes = market_zone(options["market_zone"]), options["gate_closure_minutes"]
    return Area(Calendar(zone), gate_closure=timedelta(minutes=minutes))


def known_area(code: str | Area) -> Area:
    """What is known of an area, by its code."""
    if isinstance(code, Area):
        return code
    preset = PRESETS.get(code)
    if preset is None:
        raise ArgumentTypeError(f"nothing is known of “{code}”; known: {', '.join(sorted(PRESETS))}")
    gate = next(closure.minutes for closure in preset.closures if closure.phase is Phase.AREA)
    return Area(
        Calendar(ZoneInfo(preset.zone), preset.day_start or time(), preset.marks),
        preset.products,
        timedelta(minutes=gate),
        preset.opening,
        "euro" if preset.currency == "EUR" else f"{preset.currency}/MWh",
    )
