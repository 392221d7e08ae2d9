"""The market that both simulators share: a reference price for any period at any moment, repeatable from a seed.

Pure: no clock, no state. The day has the shape of a sunny one (negative around noon, peaks in the morning and the
evening); prices walk from slot to slot, most of it together, some of it each period for itself. In a period's last
hours its price drifts, less and less, as the average of all trades does: it tends to go on as it last moved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from market.periods import Days, DeliveryPeriod, calendar_of, day_bounds, day_of

CENT = Decimal("0.01")
_HOURLY = (52, 48, 45, 44, 46, 55, 78, 96, 88, 55, 18, -8, -27, -34, -28, -9, 20, 62, 98, 118, 112, 92, 74, 60)
_DAY_LEVEL = 5.0
_TOGETHER = ((8 * 3600, 4.0), (2 * 3600, 3.0), (1800, 1.5))  # (seconds, EUR/MWh): slow to quick
_ALONE = ((3 * 3600, 3.0), (2400, 1.5), (600, 0.2))
_DRIFT, _DRIFTING, _LESS_AND_LESS = 16.0, 4 * 3600, 1.3
"""At most so many EUR/MWh over the last so many seconds. With these the sign of the last ten minutes' change is that of
what is still to come in about two of three cases, as on a real day."""


def chance(seed: int, *about: object) -> float:
    """A number in [0, 1) that depends on nothing but the seed and what it is about."""
    digest = hashlib.blake2b(repr((seed, *about)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def reference(seed: int, period: DeliveryPeriod, at: datetime, zone: ZoneInfo) -> Decimal:
    """The market's average price for this period at this moment, in EUR/MWh, two decimals."""
    seconds, own = at.timestamp(), (period.start.timestamp(), period.duration.seconds)
    level, drift = _of_period(seed, period, zone)
    walk = _together(seed, seconds) + _walk(seed, ("alone", *own), _ALONE, seconds)
    left = min(max(own[0] - seconds, 0) / _DRIFTING, 1)
    return Decimal(level + walk - drift * float(left**_LESS_AND_LESS)).quantize(CENT)


@lru_cache(maxsize=5_000)
def _of_period(seed: int, period: DeliveryPeriod, zone: ZoneInfo) -> tuple[float, float]:
    """What doesn't change with the moment: where its price lies, and how far it drifts in all."""
    level = _DAY_LEVEL * (2 * chance(seed, "day", day_of(period.start, zone)) - 1)
    drift = _DRIFT * (2 * chance(seed, "drift", period.start.timestamp(), period.duration.seconds) - 1)
    return _shape(period, zone) + level, drift


@lru_cache(maxsize=5_000)
def _together(seed: int, seconds: float) -> float:
    return _walk(seed, ("together",), _TOGETHER, seconds)


def _shape(period: DeliveryPeriod, zone: ZoneInfo) -> float:
    """The day's shape at the middle of the period, between the middles of the hours around it."""
    middle = (period.start + period.duration / 2).astimezone(zone)
    position = middle.hour + middle.minute / 60 + middle.second / 3600 - 0.5
    before = int(position // 1)
    part = position - before
    return _HOURLY[before % 24] * (1 - part) + _HOURLY[(before + 1) % 24] * part


def _walk(seed: int, who: tuple[object, ...], scales: tuple[tuple[int, float], ...], seconds: float) -> float:
    """Noise at several paces, each between -1 and 1 times its size, joined by straight lines."""
    total = 0.0
    for pace, size in scales:
        step = int(seconds // pace)
        part = seconds / pace - step
        total += size * (_node(seed, who, pace, step) * (1 - part) + _node(seed, who, pace, step + 1) * part)
    return total


@lru_cache(maxsize=20_000)
def _node(seed: int, who: tuple[object, ...], pace: int, step: int) -> float:
    return 2 * chance(seed, who, pace, step) - 1


def opening(period: DeliveryPeriod, days: Days) -> datetime:
    """When trading of a period begins to have a price: 15:00 local on the day before delivery."""
    midnight, _end = day_bounds(day_of(period.start, days), days)
    zone = calendar_of(days).zone
    day_before = (midnight - timedelta(hours=12)).astimezone(zone)
    return day_before.replace(hour=15, minute=0, second=0, microsecond=0)


def as_json(fields: Mapping[str, object]) -> str:
    """One JSON object; a Decimal keeps its digits."""
    parts = (f"{json.dumps(name)}: {_value(value)}" for name, value in fields.items())
    return "{" + ", ".join(parts) + "}"


def _value(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return as_json(value) if isinstance(value, Mapping) else json.dumps(value)
