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

from django.db import connection

from dashboard.figures.performance import NOTHING, Figures
from dashboard.figures.readings import Reading
from market.models import Market
from market.periods import PeriodError, parse_day
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


_SUMS = """sum(energy), sum(turnover),
        sum(CASE direction WHEN 'sell' THEN turnover - energy * value ELSE energy * value - turnover END),
        coalesce(sum(energy) FILTER (WHERE value IS NOT NULL), 0),
        coalesce(sum(energy) FILTER (WHERE value IS NULL), 0),
        coalesce(sum(energy) FILTER (WHERE value IS NOT NULL AND source = 'hour'), 0)"""
"""MWh, EUR, result in EUR (NULL without any reference price), MWh with a reference price, without one, and with
their hour's as a stand-in."""

_OWN_PRICES = """(SELECT held.*, 'own' AS source, price.value FROM held LEFT JOIN prices_referenceprice AS price
        ON price.market_id = %(market)s AND price.delivery_day BETWEEN %(first)s AND %(last)s
        AND price.delivery_day = held.delivery_day
        AND price.delivery_start = held.delivery_start AND price.delivery_end = held.delivery_end) AS priced"""
_RULED_PRICES = """(SELECT held.*, rule.source, coalesce(price.value, mean.value) AS value FROM held
        LEFT JOIN LATERAL (SELECT source FROM market_referencerule AS r
            WHERE r.market_id = %(market)s AND r.valid_from <= held.delivery_day
                AND r.minutes = CASE WHEN held.delivery_end - held.delivery_start > interval '1 hour' THEN 0
                    ELSE extract(epoch FROM held.delivery_end - held.delivery_start) / 60 END
            ORDER BY r.valid_from DESC LIMIT 1) AS rule ON true
        LEFT JOIN prices_referenceprice AS price
        ON price.market_id = %(market)s AND price.delivery_day BETWEEN %(first)s AND %(last)s
        AND price.delivery_day = held.delivery_day AND rule.source IS DISTINCT FROM 'none'
        AND price.delivery_start = CASE rule.source WHEN 'hour' THEN date_trunc('hour', held.delivery_start, 'UTC')
            ELSE held.delivery_start END
        AND price.delivery_end = CASE rule.source
            WHEN 'hour' THEN date_trunc('hour', held.delivery_start, 'UTC') + interval '1 hour'
            ELSE held.delivery_end END
        AND (rule.source IS DISTINCT FROM 'hour' OR held.delivery_end <= price.delivery_end)
        LEFT JOIN LATERAL (SELECT round(sum(p.value) * 1.0000000000 / count(*), 10) AS value
            FROM prices_referenceprice AS p
            WHERE p.market_id = %(market)s AND p.delivery_day = held.delivery_day
                AND p.delivery_start >= held.delivery_start AND p.delivery_end <= held.delivery_end
                AND p.delivery_end - p.delivery_start = interval '1 hour'
            HAVING count(*) * interval '1 hour' = held.delivery_end - held.delivery_start) AS mean
        ON rule.source = 'hour' AND held.delivery_end - held.delivery_start > interval '1 hour') AS priced"""
"""Each position's reference: its own price, or by the market's rule of its day its hour's (a block's: the mean of its
hours', rounded as prices are stored: references.mean), or none."""

_PRODUCTS = "held AS (SELECT *, trades AS touching FROM products)"
_ROWS = """held AS (
        SELECT delivery_day, row AS delivery_start, row + %(length)s AS delivery_end, WHO direction,
            CASE WHEN row = first THEN trades ELSE 0 END AS trades,
            CASE WHEN row IN (first, date_trunc('hour', row, 'UTC')) THEN trades ELSE 0 END AS touching,
            energy * 1.0000000000 / parts AS energy, turnover * 1.0000000000 / parts AS turnover
        FROM (SELECT *, date_bin(%(length)s, delivery_start, 'epoch') AS first, greatest(1,
            extract(epoch FROM delivery_end - delivery_start)::int / extract(epoch FROM %(length)s)::int) AS parts
            FROM products) AS p, generate_series(first, delivery_end - interval '1 second', %(length)s) AS row
    )"""
"""What is read against the prices: the products, or the rows that they touch (readings.read), each with its equal part.
`trades` are with a product's first row, `touching` with its first of every hour. Ten more decimals than the energies
and turnovers have, so that PostgreSQL's quotients of parts of an hour are exact."""

_BY_PERIOD = f"""
    WITH products AS (
        SELECT delivery_day, delivery_start, delivery_end, direction,
            sum(trade_count) AS trades, sum(energy) AS energy, sum(turnover) AS turnover
        FROM trades_position
        WHERE market_id = %(market)s AND delivery_day BETWEEN %(first)s AND %(last)s AND trade_count > 0
            AND (%(trader)s::bigint IS NULL OR trader_id = %(trader)s)
        GROUP BY 1, 2, 3, 4
    ), HELD
    SELECT delivery_day, hour, direction,
        (CASE GROUPING(hour) WHEN 0 THEN sum(touching) ELSE sum(trades) END)::bigint, {_SUMS}
    FROM (SELECT *, extract(hour FROM delivery_start AT TIME ZONE %(zone)s)::int AS hour FROM PRICES) AS by_hour
    GROUP BY GROUPING SETS ((1, 3), (2, 3), (3))"""  # noqa: S608 - our own text, no input
"""Positions of all traders are added up per period first: they share its reference price."""

_BY_TRADER = f"""
    WITH products AS (
        SELECT delivery_day, delivery_start, delivery_end, trader_id, direction, trade_count AS trades, energy, turnover
        FROM trades_position
        WHERE market_id = %(market)s AND delivery_day BETWEEN %(first)s AND %(last)s AND trade_count > 0
    ), HELD
    SELECT trader_id, direction, sum(trades)::bigint, {_SUMS} FROM PRICES GROUP BY 1, 2"""  # noqa: S608 - our own text, no input


_RESTATED = """
    SELECT delivery_day, count(DISTINCT (delivery_start, delivery_end)), max(arrived_at)
    FROM prices_pricecorrection AS correction
    WHERE market_id = %(market)s AND delivery_day BETWEEN %(first)s AND %(last)s AND EXISTS (
        SELECT 1 FROM trades_position AS held
        WHERE (held.market_id, held.delivery_start, held.delivery_end)
                = (correction.market_id, correction.delivery_start, correction.delivery_end)
            AND held.delivery_day = correction.delivery_day AND held.trade_count > 0
            AND (%(trader)s::bigint IS NULL OR held.trader_id = %(trader)s))
    GROUP BY 1"""


def load_history(
    *, market: Market, trader: Trader | None, days: DayRange, reading: Reading = Reading.PRODUCT
) -> History:
    """Two queries for a trader; four for the whole desk (its traders' names and sums), beside the market's rules."""
    asked = {
        "market": market.pk,
        "trader": trader.pk if trader else None,
        "first": days.first,
        "last": days.last,
        "zone": market.rules_on(days.last).zone.key,
        "length": timedelta(minutes=reading.minutes or 0),
    }
    prices = _RULED_PRICES if market.dated.sources else _OWN_PRICES
    held = _ROWS if reading.minutes else _PRODUCTS
    by_period, by_trader = (
        statement.replace("HELD", held.replace("WHO", who)).replace("PRICES", prices)
        for statement, who in ((_BY_PERIOD, ""), (_BY_TRADER, "trader_id,"))
    )
    rows = _read(by_period, asked)
    total = _slices((None, *row[2:]) for row in rows if row[0] is None and row[1] is None)
    return History(
        market=market,
        trader=trader,
        range=days,
        days=_ordered((row[0], *row[2:]) for row in rows if row[0] is not None),
        hours=_ordered((row[1], *row[2:]) for row in rows if row[1] is not None),
        traders=() if trader is not None else _traders(by_trader, asked),
        total=total.get(None, Slice()),
        restated=_restated(asked),
        reading=reading,
    )


def _restated(asked: dict[str, Any]) -> dict[date, tuple[int, datetime]]:
    """None where an update has not brought the table yet."""
    rows: list[tuple[Any, ...]] = unless_missing(lambda: _read(_RESTATED, asked), [])
    return {day: (periods, at) for day, periods, at in rows}


def _traders(statement: str, asked: dict[str, Any]) -> tuple[tuple[Trader, Slice], ...]:
    """People before bots, each by id."""
    slices = _slices(_read(statement, asked))
    traders = Trader.objects.filter(pk__in=slices)
    return tuple((t, slices[t.pk]) for t in sorted(traders, key=lambda t: (t.is_bot, t.trader_id)))


def _read(statement: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return list(cursor.fetchall())


def _slices(rows: Iterable[tuple[Any, ...]]) -> dict[Any, Slice]:
    """Rows (key, direction, sums) to one slice a key."""
    sides: dict[Any, dict[str, Side]] = {}
    for key, direction, count, energy, turnover, result, *parts in rows:
        leg = Total(count, energy, turnover)
        sides.setdefault(key, {})[direction] = Side(leg, result, *map(Decimal, parts))
    return {key: Slice(of_side.get("sell", Side()), of_side.get("buy", Side())) for key, of_side in sides.items()}


def _ordered(rows: Iterable[tuple[Any, ...]]) -> tuple[tuple[Any, Slice], ...]:
    return tuple(sorted(_slices(rows).items()))
