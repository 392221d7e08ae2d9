"""Keeping the sums of closed days: a worker does it in the background, a few days at a time, the newest first.

A day is worked out anew in one transaction, alone with it: triggers of its positions and prices hold the day's lock
together until their transaction has ended, and this one takes it alone before it reads. So whatever is not in the sums
comes after their commit, and says then that they hold no more. Rules that find prices can't change meanwhile. Nothing
here waits for a lock: a day that somebody is at is left for the next time.
"""

from __future__ import annotations

import calendar
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.db import OperationalError, connection, transaction

from dashboard.figures.history_sql import priced
from dashboard.figures.kept import kept_sql
from dashboard.figures.kept.basis import basis_on
from dashboard.figures.readings import Reading
from market.locks import AdvisoryLock
from market.models import Market
from market.queries import active_markets
from market.statements.planning import planned_by_values

CLOSED_AFTER = timedelta(days=2)
"""From a day on to when it is kept: its last trades, and the checks of its final prices, have come by then."""
MOST_DAYS = 5 * 366
"""Older ones are worked out when somebody asks for them; so is what a mistyped day of 1926 would add."""
SECONDS = 5.0
"""How long a look may go on: a year that has never been kept takes a worker some minutes of looks."""
_A_DAY = timedelta(days=1)
_ALONE_AT_MARKET = "SELECT pg_try_advisory_xact_lock(%(keeper)s, %(market)s::int)"
_ALONE_AT_DAY = """SELECT pg_try_advisory_xact_lock(%(of_day)s,
    ((%(market)s::bigint * 31 + (%(first)s::date - DATE '2000-01-01')) & 511)::int)"""
"""The day's slot, as the triggers of dashboard/migrations/0013_kept_history.py have it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A day, or a month, whose sums hold."""

    first: date
    last: date
    basis: str
    pk: int

    @property
    def is_month(self) -> bool:
        return self.first < self.last


def keep_some(now: datetime, seconds: float = SECONDS) -> int:
    """Keep what is closed and not kept, of every active market, until the time is up; how many days and months."""
    until, count = time.monotonic() + seconds, 0
    for market in active_markets():
        for keep, find in ((keep_day, partial(days_to_keep, now=now)), (keep_month, months_to_keep)):
            for day in find(market):
                if time.monotonic() >= until:
                    return count
                count += keep(market, day)
    return count


def days_to_keep(market: Market, now: datetime) -> list[date]:
    """The closed days since the first trade whose sums don't hold or were never kept, the newest first."""
    first = _rows(kept_sql.FIRST_DAY, market=market.pk)[0][0]
    if first is None:
        return []
    holding = {one.first for one in kept_of(market) if not one.is_month and one.basis == basis_of(market, one.first)}
    last = market.day_of(now) - CLOSED_AFTER
    days = (last - number * _A_DAY for number in range(min((last - first).days + 1, MOST_DAYS)))
    return [day for day in days if day not in holding]


def months_to_keep(market: Market) -> list[date]:
    """The first days of the months all of whose days are kept by one basis, and which are not."""
    kept = kept_of(market)
    there = {(one.first, one.basis) for one in kept if one.is_month}
    return [first for first, basis, _ in _whole_months(kept) if (first, basis) not in there]


def kept_of(market: Market) -> list[Kept]:
    """The days and months of a market whose sums hold, in order. One query."""
    return [Kept(*row) for row in _rows(kept_sql.DAYS, market=market.pk)]


def keep_day(market: Market, day: date) -> bool:
    """Work the day's sums out and keep them; False where somebody is at the day, its market, or the rules."""
    try:
        with transaction.atomic():
            return _keep_day(market, day)
    except OperationalError as error:  # the rules are being changed
        if getattr(error.__cause__, "sqlstate", "") != "55P03":
            raise
        return False


def _keep_day(market: Market, day: date) -> bool:
    asked: dict[str, Any] = {"market": market.pk, "first": day, "last": day}
    if not (_is_alone_at_market(market) and _is_alone_at_day(asked)):
        return False
    _run("LOCK TABLE market_referencerule IN SHARE MODE NOWAIT")
    market = Market.objects.get(pk=market.pk)  # its rules as they are from here on
    _run(kept_sql.FORGET, **asked)
    kept = _rows(kept_sql.KEPT, **asked, basis=basis_of(market, day))[0][0]
    for reading in Reading:
        _run(priced(kept_sql.KEEP_DAY, market, reading, beside="trader_id,"), **of_day(market, day, reading, kept))
    return True


def of_day(market: Market, day: date, reading: Reading, kept: int) -> dict[str, Any]:
    """The parameters that a day's sums of a reading are worked out with."""
    return {
        "market": market.pk,
        "first": day,
        "last": day,
        "zone": market.rules_on(day).zone.key,
        "length": timedelta(minutes=reading.minutes or 0),
        "minutes": reading.minutes or 0,
        "kept": kept,
    }


def keep_month(market: Market, first: date) -> bool:
    """Add the kept days of a month up; False where somebody is at the market, or where a day holds no more."""
    with transaction.atomic():
        if not _is_alone_at_market(market):
            return False
        asked = {"market": market.pk, "first": first, "last": _last_of_month(first)}
        kept = kept_of(market)
        for month, basis, days in _whole_months(kept):
            if month == first:
                _forget([one.pk for one in kept if one.is_month and one.first == first])
                pk = _rows(kept_sql.KEPT, **asked, basis=basis)[0][0]
                _run(kept_sql.KEEP_MONTH, kept=pk, days=days)
                return True
    return False


def drop(kept: Kept) -> None:
    """Forget one that is not right."""
    with transaction.atomic():
        _forget([kept.pk])


def _forget(pks: list[int]) -> None:
    _run("DELETE FROM dashboard_keptsum WHERE kept_id = ANY(%(kept)s)", kept=pks)
    _run("DELETE FROM dashboard_kepthistory WHERE id = ANY(%(kept)s)", kept=pks)


def _whole_months(kept: list[Kept]) -> Iterator[tuple[date, str, list[int]]]:
    """First day, basis, and the days by primary key of each month all of whose days are kept by one basis."""
    days: dict[tuple[date, str], list[int]] = defaultdict(list)
    for one in kept:
        if not one.is_month:
            days[one.first.replace(day=1), one.basis].append(one.pk)
    for (first, basis), pks in days.items():
        if len(pks) == _last_of_month(first).day:
            yield first, basis, pks


def _last_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def basis_of(market: Market, day: date) -> str:
    """What the day's sums go by besides its positions and prices, by the rules as they are."""
    return basis_on(market.dated.sources, market.rules_on(day).zone.key, day)


def _is_alone_at_market(market: Market) -> bool:
    """Nobody else keeps anything of the market, until this transaction ends."""
    return bool(_rows(_ALONE_AT_MARKET, keeper=AdvisoryLock.HISTORY_KEEPER, market=market.pk)[0][0])


def _is_alone_at_day(asked: dict[str, Any]) -> bool:
    """No transaction that changes the first day is under way, nor comes to its end before this one."""
    return bool(_rows(_ALONE_AT_DAY, **asked, of_day=AdvisoryLock.HISTORY_DAY)[0][0])


def _run(statement: str, **asked: Any) -> None:
    with planned_by_values(), connection.cursor() as cursor:
        cursor.execute(statement, asked or None)


def _rows(statement: str, **asked: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return list(cursor.fetchall())
