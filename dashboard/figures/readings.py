"""A board's three readings: how what was traded is grouped, by product, by hour or by quarter hour. Pure, exact.

An hour trade is the same as four quarter-hour trades of the same MW and price, a half hour as two: energy and turnover
are split by duration, and nothing is rounded. MWh, turnover, net and cash are the same in every reading; results
differ, because the references do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from market.periods import DeliveryPeriod
from market.totals import EXACT, ZERO, Total

_HOUR, _QUARTER_MINUTES = timedelta(hours=1), 15
_QUARTERS = tuple(timedelta(minutes=minutes) for minutes in (0, 15, 30, 45))
_NOTHING = Total()
Legs = Mapping[DeliveryPeriod, Mapping[str, Total]]
"""Period -> side -> what was traded of it."""


class Reading(StrEnum):
    """What a row of the board is."""

    PRODUCT = "product"  # each product against its own reference
    HOUR = "hour"  # all that is delivered in the hour, against the hour's reference
    QUARTER = "quarter"  # all that is delivered in the quarter, against the quarter's reference

    @property
    def minutes(self) -> int | None:
        """The length of every row; None where rows are as long as their product."""
        return _MINUTES[self]


_MINUTES = {Reading.PRODUCT: None, Reading.HOUR: 60, Reading.QUARTER: _QUARTER_MINUTES}


def known_reading(word: str) -> Reading:
    """The reading of that word; by product where there is none."""
    return Reading(word) if word in tuple(Reading) else Reading.PRODUCT


def read(legs: Legs, reading: Reading) -> dict[DeliveryPeriod, dict[str, Total]]:
    """The same trades in another reading. A row counts each trade that touches it."""
    if reading is Reading.PRODUCT:
        return {period: dict(sides) for period, sides in legs.items()}
    rows: dict[DeliveryPeriod, dict[str, Total]] = {}
    for period, sides in legs.items():
        touched, parts = _rows_of(period, reading.minutes)
        for row in touched:
            for side, total in sides.items():
                so_far = rows.setdefault(row, {}).get(side, Total())
                rows[row][side] = so_far + part_of(total, parts)
    return rows


def net_by_quarter(legs: Legs) -> dict[datetime, Decimal]:
    """By its start what is delivered in each quarter hour that a trade touches, bought minus sold, in MWh."""
    found: dict[datetime, Decimal] = {}
    for period, sides in legs.items():
        touched, parts = _rows_of(period, _QUARTER_MINUTES)
        bought, sold = (sides.get(side, _NOTHING).energy for side in ("buy", "sell"))
        net = EXACT.subtract(bought, sold)
        part = EXACT.divide(net, parts) if parts > 1 else net
        for quarter in touched:
            start = quarter.start
            found[start] = EXACT.add(found[start], part) if start in found else part
    return found


def quarters_of(hour: DeliveryPeriod, nets: Mapping[datetime, Decimal]) -> tuple[Decimal, ...]:
    """The net MWh of an hour's four quarters; nothing for another length, or where nobody has traded."""
    if hour.duration != _HOUR:
        return ()
    found = [nets.get(hour.start + offset) for offset in _QUARTERS]
    return tuple(ZERO if one is None else one for one in found) if any(one is not None for one in found) else ()


def counted_once(legs: Legs, side: str) -> int:
    """How many trades of a side there are; in a row-by-row sum one would count as often as it has rows."""
    return sum(sides[side].trade_count for sides in legs.values() if side in sides)


def rows_of(period: DeliveryPeriod, reading: Reading) -> tuple[DeliveryPeriod, ...]:
    """The rows that a product touches."""
    return _rows_of(period, reading.minutes)[0]


def parts_of(period: DeliveryPeriod, reading: Reading) -> int:
    """Into how many equal rows a product is split; 1 where one row has all of it."""
    return _rows_of(period, reading.minutes)[1]


def fitting(reading: Reading, period: DeliveryPeriod) -> Reading:
    """The reading that was asked for if the period is a row of it, else by product."""
    return reading if period.duration == timedelta(minutes=reading.minutes or 0) else Reading.PRODUCT


@lru_cache(maxsize=16_384)
def _rows_of(period: DeliveryPeriod, minutes: int | None) -> tuple[tuple[DeliveryPeriod, ...], int]:
    """The rows that a product touches, and into how many equal parts it is split."""
    if not minutes:
        return (period,), 1
    length = timedelta(minutes=minutes)
    if period.duration <= length:
        return (_row_with(period, length),), 1
    count = period.duration // length
    starts = (period.start + number * length for number in range(count))
    return tuple(DeliveryPeriod(start, start + length) for start in starts), count


def _row_with(period: DeliveryPeriod, length: timedelta) -> DeliveryPeriod:
    """The row of that length that holds a shorter period; rows begin on whole hours of UTC or parts of them."""
    seconds = int(length.total_seconds())
    past = int(period.start.timestamp()) % seconds
    start = period.start - timedelta(seconds=past)
    return DeliveryPeriod(start, start + length)


def part_of(total: Total, parts: int) -> Total:
    """One of equal parts: power is the same in each, and so is the number of trades that touch it."""
    if parts == 1:
        return total
    by = Decimal(parts)
    return Total(total.trade_count, EXACT.divide(total.energy, by), EXACT.divide(total.turnover, by), total.quantity)
