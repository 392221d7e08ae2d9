"""Performance over a range of delivery days: by day, by hour of the day, by trader and by side. No HTML.

By product, hour or quarter hour, as a board is read (readings.py). Read from positions, never from trades, and added up
by PostgreSQL in exact numerics, so that a year costs what its positions cost, however many trades stand behind them.
Positions without a reference price count their energy apart: they are in no result. One market at a time: currencies
are never added.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, TypeVar

from dashboard.figures.history_sql import CORRECTED, HELD
from dashboard.figures.kept.sums import load_sums, read
from dashboard.figures.performance import NOTHING, Figures
from dashboard.figures.readings import Reading, rows_of
from market.models import Market
from market.periods import DeliveryPeriod, PeriodError, parse_day
from market.tables import unless_missing
from market.totals import EXACT, ZERO, Total
from trades.models import Trader

LONGEST_RANGE = 366
"""Days. A year is what one looks at; more is a matter for the exports of several ranges."""

_Key = TypeVar("_Key", bound=Hashable)


class RangeError(PeriodError):
    """Two delivery days that make no range to show."""


@dataclass(frozen=True, slots=True)
class DayRange:
    """Delivery days, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a slice. `result`: EUR against the reference, None while undefined; `unpriced`: MWh in no result."""

    leg: Total = NOTHING
    result: Decimal | None = None
    priced: Decimal = ZERO
    unpriced: Decimal = ZERO
    stand_in: Decimal = ZERO
    """MWh whose result goes by their hour's price, by the market's rule of their day."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the range, or all of it."""

    sold: Side = Side()
    bought: Side = Side()

    @property
    def figures(self) -> Figures:
        """Both sides together, as a board's row."""
        known = [side.result for side in (self.sold, self.bought) if side.result is not None]
        with localcontext(EXACT):
            result = sum(known, ZERO) if known else None
            priced = self.sold.priced + self.bought.priced
        return Figures(self.sold.leg, self.bought.leg, None, result, priced)

    @property
    def unpriced(self) -> Decimal:
        """MWh that were traded and have no reference price."""
        return self.sold.unpriced + self.bought.unpriced

    @property
    def stand_in(self) -> Decimal:
        """MWh of shorter periods whose result goes by their hour's price."""
        return self.sold.stand_in + self.bought.stand_in


@dataclass(frozen=True, slots=True)
class History:
    """What a trader (None: the whole desk) made of a range. Only what was traded is listed, in order.

    Days, hours (0 to 23, by the market's clock at delivery start) and, for the whole desk, traders each add up to
    `total`, exactly; an hour counts each trade that touches it, everything else each trade once.
    """

    market: Market
    trader: Trader | None
    range: DayRange
    days: tuple[tuple[date, Slice], ...]
    hours: tuple[tuple[int, Slice], ...]
    traders: tuple[tuple[Trader, Slice], ...]
    total: Slice
    restated: Mapping[date, tuple[int, datetime]] = field(default_factory=dict)
    """By day how many traded periods' final prices changed afterwards, and when the last one did (UTC)."""
    reading: Reading = Reading.PRODUCT

    @property
    def currency(self) -> str:
        """The market's, the same on every day of the range."""
        return self.market.rules_on(self.range.last).currency


def day_range(*, first: str, last: str) -> DayRange:
    """Two days as people write them; PeriodError for what is no day, RangeError for what is no range."""
    days = DayRange(parse_day(first), parse_day(last))
    if days.days < 1:
        raise RangeError("the range ends on %(last)s, before it begins on %(first)s", first=first, last=last)
    if days.days > LONGEST_RANGE:
        raise RangeError("a range has at most %(most)s days; this one has %(days)s", most=LONGEST_RANGE, days=days.days)
    return days


def last_days(days: int, today: date) -> DayRange:
    """The `days` days that end with today."""
    return DayRange(today - timedelta(days=days - 1), today)


def of_one_currency(market: Market, days: DayRange) -> list[tuple[str, DayRange]]:
    """The range in its parts of one currency each, in order: nothing is added over two of them."""
    said = sorted({rule.valid_from for rule in market.dated.rules if rule.currency})
    parts: list[tuple[str, DayRange]] = []
    for first in (days.first, *(day for day in said if days.first < day <= days.last)):
        currency = market.rules_on(first).currency
        if not parts or parts[-1][0] != currency:
            if parts:
                parts[-1] = (parts[-1][0], DayRange(parts[-1][1].first, first - timedelta(days=1)))
            parts.append((currency, DayRange(first, days.last)))
    return parts


def load_history(
    *, market: Market, trader: Trader | None, days: DayRange, reading: Reading = Reading.PRODUCT
) -> History:
    """Two queries for a trader; four for the whole desk (its traders' names and sums), beside the market's rules; one
    more where some of its days are kept and some not.

    Raises RangeError for days of two currencies.
    """
    asked = asked_with(market, trader, days, reading)
    sums = load_sums(market, asked, reading)
    return History(
        market=market,
        trader=trader,
        range=days,
        days=_ordered(sums.days),
        hours=_ordered(sums.hours),
        traders=() if trader is not None else _traders(sums.traders),
        total=slices(sums.total).get(None, Slice()),
        restated=_restated(market, asked, reading),
        reading=reading,
    )


def load_total(
    *, market: Market, days: DayRange, trader: Trader | None = None, reading: Reading = Reading.PRODUCT
) -> Slice:
    """The total alone, a trader's or the whole desk's. One query, beside the market's rules; RangeError as above."""
    sums = load_sums(market, asked_with(market, trader, days, reading), reading, total_alone=True)
    return slices(sums.total).get(None, Slice())


def asked_with(market: Market, trader: Trader | None, days: DayRange, reading: Reading) -> dict[str, Any]:
    """The parameters of the statements of history_sql.py; RangeError for days of two currencies."""
    parts = of_one_currency(market, days)
    if len(parts) > 1:
        raise RangeError(
            "the market trades in %(first)s up to %(until)s and in %(then)s afterwards: ask for these days apart",
            first=parts[0][0],
            until=parts[0][1].last,
            then=parts[1][0],
        )
    return {
        "market": market.pk,
        "trader": trader.pk if trader else None,
        "first": days.first,
        "last": days.last,
        "days": None,
        "zone": market.rules_on(days.last).zone.key,
        "length": timedelta(minutes=reading.minutes or 0),
    }


def _restated(market: Market, asked: dict[str, Any], reading: Reading) -> dict[date, tuple[int, datetime]]:
    """Of each day how many final prices that its results go by were changed, and when one last was.

    By the rules that boards have: a quarter may go by its hour's, a block by many. One query more where there is any;
    none where an update has not brought the table yet.
    """
    rows: list[tuple[Any, ...]] = unless_missing(lambda: read(CORRECTED, asked), [])
    changed: dict[date, dict[DeliveryPeriod, datetime]] = {}
    for day, start, end, at in rows:
        changed.setdefault(day, {})[DeliveryPeriod(start, end)] = at
    found: dict[date, dict[DeliveryPeriod, datetime]] = {}
    for day, start, end in read(HELD, {**asked, "days": list(changed)}) if changed else ():
        for row in rows_of(DeliveryPeriod(start, end), reading):
            referred = [period for period in market.reference_periods(day, row) if period in changed[day]]
            found.setdefault(day, {}).update((period, changed[day][period]) for period in referred)
    return {day: (len(periods), max(periods.values())) for day, periods in found.items() if periods}


def _traders(rows: Iterable[tuple[Any, ...]]) -> tuple[tuple[Trader, Slice], ...]:
    """People before bots, each by id."""
    of_trader = slices(rows)
    traders = Trader.objects.filter(pk__in=of_trader)
    return tuple((t, of_trader[t.pk]) for t in sorted(traders, key=lambda t: (t.is_bot, t.trader_id)))


def slices(rows: Iterable[tuple[Any, ...]]) -> dict[Any, Slice]:
    """Rows (key, direction, sums) to one slice a key."""
    sides: dict[Any, dict[str, Side]] = {}
    for key, direction, count, energy, turnover, result, *parts in rows:
        leg = Total(count, energy, turnover)
        sides.setdefault(key, {})[direction] = Side(leg, result, *map(Decimal, parts))
    return {key: Slice(of_side.get("sell", Side()), of_side.get("buy", Side())) for key, of_side in sides.items()}


def _ordered(rows: Iterable[tuple[Any, ...]]) -> tuple[tuple[Any, Slice], ...]:
    return tuple(sorted(slices(rows).items()))
