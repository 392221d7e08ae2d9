"""Judging: what waits for a price is frozen at the first one, what has its final gets its verdict, each exactly once.

It runs within the transaction that stores a price, for what is about that price, so that a final and its verdicts are
there together whatever is killed, and by a worker's round, which looks every second whether there is anything new: for
what is void by time, what could not be judged with its price, and what was being written down while its first price
came. What is missing is worked out from the stored history, so it makes no difference who is first, how often, or when;
unique constraints let each row in once. Rows are added in the order of their numbers, so that two that add the same
wait for each other and can't block each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import structlog
from django.db import connection, transaction

from dashboard.assumptions.models import FrozenPrice, VerdictRecord
from dashboard.assumptions.rules import NO_FINAL_AFTER, Claim, Judgement, Theory, Verdict, judgement
from dashboard.assumptions.signals import Change, announce
from market import clock
from market.tables import unless_missing
from prices.signals import StoredPrice, prices_storing

log = structlog.get_logger("dashboard.assumptions")

SWEEP_BACK = timedelta(days=14)
"""How far the sweep looks back: longer than the desk stands still. `check_assumptions` looks at everything."""
SWEEP_ANYWAY = 30.0
"""Seconds after which it is swept, whether or not anything is new."""

# Numbers are given before the commit: one that is committed late is counted. What time alone makes due is a gate that
# closed, or did so an hour ago.
_NEWS = """SELECT
    (SELECT (max(id), count(*))::text FROM (
        SELECT id FROM prices_referencepricehistory ORDER BY id DESC LIMIT 200) AS p
        WHERE id > (SELECT max(id) - 200 FROM prices_referencepricehistory)),
    (SELECT (max(id), count(*))::text FROM (
        SELECT id FROM dashboard_assumedperiod ORDER BY id DESC LIMIT 200) AS a
        WHERE id > (SELECT max(id) - 200 FROM dashboard_assumedperiod)),
    (SELECT max(gate_closes_at) FROM dashboard_assumedperiod WHERE gate_closes_at <= %(now)s),
    (SELECT max(gate_closes_at) FROM dashboard_assumedperiod WHERE gate_closes_at < %(now)s - %(in_time)s)"""

_OF_DAY = "(a.market_id, a.delivery_day) = (%(market)s, %(day)s)"
_OF_PRICE = "(a.market_id, p.reference_start, p.reference_end) = (%(market)s, %(start)s, %(end)s)"
_RECENT = "p.gate_closes_at > %(since)s"
_FROM = "FROM dashboard_assumedperiod AS p JOIN dashboard_assumption AS a ON a.id = p.assumption_id"
_HISTORY = """JOIN LATERAL (SELECT h.value, h.last_update FROM prices_referencepricehistory AS h
    WHERE h.market_id = a.market_id AND h.delivery_start = p.reference_start AND h.delivery_end = p.reference_end
        {} ORDER BY h.last_update) AS h ON true"""

_WAITING = f"""SELECT p.id, a.trader_id, a.market_id, a.delivery_day, first.value, first.last_update
    {_FROM} JOIN LATERAL (SELECT h.value, h.last_update FROM prices_referencepricehistory AS h
        WHERE h.market_id = a.market_id AND h.delivery_start = p.reference_start AND h.delivery_end = p.reference_end
        ORDER BY h.last_update LIMIT 1) AS first ON first.last_update < p.gate_closes_at
    WHERE {{}} AND NOT EXISTS (SELECT 1 FROM dashboard_frozenprice AS f WHERE f.period_id = p.id)
    ORDER BY p.id"""  # noqa: S608

_TO_JUDGE = f"""SELECT p.id, a.trader_id, a.market_id, a.delivery_day, a.claim, a.threshold, f.value,
        h.value, h.last_update
    {_FROM} LEFT JOIN dashboard_frozenprice AS f ON f.period_id = p.id
    {_HISTORY.format("AND h.last_update >= p.gate_closes_at")}
    WHERE {{}} AND p.gate_closes_at <= %(now)s AND NOT EXISTS (
        SELECT 1 FROM dashboard_verdictrecord AS v WHERE v.period_id = p.id AND v.final_updated_at = h.last_update)
    AND (f.period_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM prices_referencepricehistory AS e
        WHERE e.market_id = a.market_id AND e.delivery_start = p.reference_start AND e.delivery_end = p.reference_end
            AND e.last_update < p.gate_closes_at))
    ORDER BY p.id, h.last_update"""  # noqa: S608

# What was not frozen a moment ago and has a price by now is frozen first, by the next look.

_VOID = f"""SELECT p.id, a.trader_id, a.market_id, a.delivery_day {_FROM}
    WHERE {{}} AND p.gate_closes_at < %(now)s - %(in_time)s AND NOT EXISTS (
        SELECT 1 FROM dashboard_verdictrecord AS v WHERE v.period_id = p.id AND v.final_updated_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM prices_referencepricehistory AS h
        WHERE h.market_id = a.market_id AND h.delivery_start = p.reference_start AND h.delivery_end = p.reference_end
            AND h.last_update >= p.gate_closes_at AND h.arrived_at <= p.gate_closes_at + %(in_time)s)
    ORDER BY p.id"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class _Final:
    """A published final, as the rules ask of it."""

    value: Decimal
    last_update: datetime
    arrived_at: datetime


def judge_day(*, market_pk: int, day: date) -> int:
    """Freeze and judge what a day's stored prices allow; how many rows were added."""
    return _judge(_OF_DAY, {"market": market_pk, "day": day})


def judge_price(price: StoredPrice) -> int:
    """The same for one that was just stored: where it isn't the first of its period, nobody waits for it."""
    values = {"market": price.market_pk, "start": price.period.start, "end": price.period.end}
    return _judge(_OF_PRICE, values, may_wait=price.is_first)


def sweep() -> int:
    """The same for everything recent, and void where no final came in time."""
    return _judge(_RECENT, {"since": clock.now() - SWEEP_BACK})


@dataclass(slots=True)
class Sweeper:
    """Sweeps where prices, assumptions or gates that closed are others than at its last look."""

    _seen: tuple[Any, ...] | None = None
    _anyway_at: float = 0.0

    def look(self, timer: float) -> int:
        """One look, at a moment of the monotonic clock (seconds); how many rows were added."""
        news = _rows(_NEWS, {"now": clock.now(), "in_time": NO_FINAL_AFTER})[0]
        if news == self._seen and timer < self._anyway_at:
            return 0
        added = sweep()
        self._seen, self._anyway_at = news, timer + SWEEP_ANYWAY
        return added


def connect_signals() -> None:
    """Judge where prices are stored. Called once, when Django has started."""
    prices_storing.connect(_on_prices_storing, dispatch_uid="dashboard.assumptions.judging")


def _on_prices_storing(changes: frozenset[tuple[int, date]], price: StoredPrice | None, **_kwargs: Any) -> None:
    days = [partial(judge_day, market_pk=market_pk, day=day) for market_pk, day in changes]
    for judge in days if price is None else [partial(judge_price, price)]:
        unless_missing(judge, 0)  # a savepoint's end: the prices stay


def _judge(which: str, values: dict[str, Any], *, may_wait: bool = True) -> int:
    now = clock.now()
    values = {**values, "now": now, "in_time": NO_FINAL_AFTER}
    changes: set[Change] = set()
    added = 0
    with transaction.atomic():
        rows = _rows(_WAITING.format(which), values) if may_wait else []
        added += _added(FrozenPrice, [_frozen(row, now) for row in rows], rows, changes)
        rows = _rows(_VOID.format(which), values)
        added += _added(VerdictRecord, [_record(row[0], Judgement(Verdict.VOID), now) for row in rows], rows, changes)
        rows = _rows(_TO_JUDGE.format(which), values)
        added += _added(VerdictRecord, [_record(row[0], _judged(row), now) for row in rows], rows, changes)
        announce(changes)
    if added:
        log.info("assumptions_judged", rows=added)
    return added


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _added(
    model: type[FrozenPrice] | type[VerdictRecord],
    objects: list[Any],
    rows: Iterable[tuple[Any, ...]],
    changes: set[Change],
) -> int:
    """Those that another process has added meanwhile stay as they are."""
    model._default_manager.bulk_create(objects, ignore_conflicts=True)
    changes.update((trader, market, day) for _, trader, market, day, *_ in rows)
    return len(objects)


def _frozen(row: tuple[Any, ...], now: datetime) -> FrozenPrice:
    """The first price has no last change."""
    return FrozenPrice(period_id=row[0], value=row[4], last_update=row[5], last_change=None, frozen_at=now)


def _judged(row: tuple[Any, ...]) -> Judgement:
    claim, threshold, frozen, value, updated = row[4:9]
    return judgement(Theory(Claim(claim), threshold), frozen, _Final(value, updated, updated))


def _record(period_pk: int, said: Judgement, now: datetime) -> VerdictRecord:
    return VerdictRecord(
        period_id=period_pk,
        verdict=said.verdict.value,
        final_price=said.final_price,
        final_updated_at=said.final_updated_at,
        move=said.move,
        judged_at=now,
    )
