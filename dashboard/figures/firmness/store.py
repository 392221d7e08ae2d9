"""The table of like cases: built from the prices on record, a delivery day at a time, and read for a moment.

A day's cases are made of what had arrived six hours after it, whenever they are made; a moment goes by the days that
were over eight hours before it. So nothing that became known later is used, and what a past moment is shown with is
what was there then, as long as a day is built in the two hours between.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction

from dashboard.figures.firmness.cases import ClosedPeriod, moves_of
from dashboard.figures.firmness.rules import ANY, DAYS, FEWEST, Kind, part_of_day
from dashboard.models import LikeMoves
from market.models import Market
from market.rules import minutes_of
from market.tables import unless_missing
from prices.past import paths_of_day

SETTLED_AFTER, USED_AFTER = timedelta(hours=6), timedelta(hours=8)
_ONE_DAY = timedelta(days=1)
MOST_KEPT = 8
"""Windows of sixty days that a process remembers: today's, and some of past moments."""

_READ = """SELECT minutes, time_left, part, string_agg(array_to_string(moves, ' '), ' ')
    FROM dashboard_likemoves WHERE market_id = %s AND delivery_day BETWEEN %s AND %s GROUP BY 1, 2, 3"""
_VERSION = """SELECT count(*), coalesce(max(id), 0) FROM dashboard_likemoves
    WHERE market_id = %s AND delivery_day BETWEEN %s AND %s"""


class LikeCases:
    """The moves of like cases, ascending, of the sixty days before a moment. One is the same as itself alone."""

    def __init__(self, texts: dict[Kind, str]) -> None:
        self._texts = texts
        self._moves: dict[Kind, tuple[Decimal, ...]] = {}

    def moves(self, kind: Kind) -> tuple[Decimal, ...]:
        """Those of the kind; where they are too few, of the same at any part of the day."""
        found = self._of(kind)
        return found if len(found) >= FEWEST else self._of(Kind(kind.minutes, kind.left))

    def _of(self, kind: Kind) -> tuple[Decimal, ...]:
        if kind not in self._moves:  # read as text and made numbers of where a board asks for them
            alike = [text for one, text in self._texts.items() if _is_of(one, kind)]
            self._moves[kind] = tuple(sorted(Decimal(number) for text in alike for number in text.split()))
        return self._moves[kind]


def _is_of(one: Kind, kind: Kind) -> bool:
    return (one.minutes, one.left) == (kind.minutes, kind.left) and kind.part in {one.part, ANY}


NONE = LikeCases({})


@dataclass(frozen=True, slots=True)
class _Kept:
    version: tuple[int, int]
    cases: LikeCases


_kept: OrderedDict[tuple[int, date], _Kept] = OrderedDict()


def like_cases(market: Market, moment: datetime) -> LikeCases:
    """What is known at a moment (UTC): one small query, and one more when this process has not read it yet.

    None where an update has not brought the table yet.
    """
    first, last = window(market, moment)
    return unless_missing(lambda: _read(market.pk, first, last), NONE)


def window(market: Market, moment: datetime) -> tuple[date, date]:
    """The first and the last delivery day whose cases count at a moment (UTC)."""
    last = market.day_of(moment - USED_AFTER) - _ONE_DAY
    return last - (DAYS - 1) * _ONE_DAY, last


def _read(market_pk: int, first: date, last: date) -> LikeCases:
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, [market_pk, first, last])
        version = cursor.fetchone()
        kept = _kept.get((market_pk, last))
        if kept is None or kept.version != version:
            cursor.execute(_READ, [market_pk, first, last])
            kept = _Kept(version, LikeCases({Kind(*row[:3]): row[3] for row in cursor.fetchall()}))
            _kept[market_pk, last] = kept
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return kept.cases


# --- building -----------------------------------------------------------------------------------------------------
def build_day(market: Market, day: date) -> int:
    """Make a delivery day's cases anew from the prices on record, in one transaction. Returns how many there are."""
    until = market.day_bounds(day)[1] + SETTLED_AFTER
    periods = [
        ClosedPeriod(
            minutes_of(period),
            part_of_day(period.start.astimezone(market.zone).hour),
            market.gate_closure(day, period).timestamp(),
            path,
        )
        for period, path in paths_of_day(market_id=market.pk, day=day, until=until)
    ]
    moves = moves_of(periods, until.timestamp())
    rows = [
        LikeMoves(
            market=market, delivery_day=day, minutes=kind.minutes, time_left=kind.left, part=kind.part, moves=found
        )
        for kind, found in moves.items()
    ]
    with transaction.atomic():
        LikeMoves.objects.filter(market=market, delivery_day=day).delete()
        LikeMoves.objects.bulk_create(rows)
    return sum(map(len, moves.values()))


def days_to_build(market: Market, now: datetime, *, anew: bool = False) -> list[date]:
    """The days of the window that are settled and not built yet; `anew`: all of them. One query."""
    settled = market.day_of(now - SETTLED_AFTER) - _ONE_DAY
    days = [settled - number * _ONE_DAY for number in range(DAYS)]
    if anew:
        return days
    built = set(
        LikeMoves.objects.filter(market=market, delivery_day__in=days).values_list("delivery_day", flat=True).distinct()
    )
    return [day for day in days if day not in built]
