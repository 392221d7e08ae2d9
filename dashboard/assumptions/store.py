"""Writing an assumption down, and withdrawing it: at the desk's time, frozen at the newest price, in one transaction.

The price's row is locked against changes until the assumption is committed: a price that is being stored meanwhile is
waited for, one that comes after waits (milliseconds). So none is committed between what was read and the assumption,
and no later assumption can hold an older one. A period without a price has no row to lock: it waits for the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from django.contrib.auth.models import User
from django.db import connection, transaction

from accounts.audit.log import hold_the_end, record
from accounts.audit.models import Action
from dashboard.assumptions.models import AssumedPeriod, Assumption, FrozenPrice, Withdrawal
from dashboard.assumptions.rules import is_late
from dashboard.assumptions.signals import announce
from dashboard.assumptions.wishes import AssumptionError, Wish, gate_of
from dashboard.figures.board import BoardRow, load_board
from dashboard.figures.readings import Reading
from market import clock
from market.periods import DeliveryPeriod
from trades.models import Trader


class TooLateError(AssumptionError):
    """A gate is closed: nothing is taken any more."""


@dataclass(frozen=True, slots=True)
class NewestPrice:
    """The newest price of a period, held until the transaction ends; `last_change` to the one stored before it."""

    value: Decimal
    last_update: datetime
    last_change: Decimal | None


def write_down(*, trader: Trader, author: User, wish: Wish, reading: Reading = Reading.PRODUCT) -> Assumption:
    """Store an assumption of `author`, who is `trader`. Raises TooLateError when a gate is closed."""
    gates = [gate_of(one.period, wish.day, wish.market) for one in wish.periods]
    references = {one.period: _reference(wish, one.period) for one in wish.periods}
    with transaction.atomic():
        hold_the_end()  # before the prices: who stores one never waits for the audit log
        prices = _held_prices(wish.market.pk, {period for period in references.values() if period})
        now = clock.now()
        for one, gate in zip(wish.periods, gates, strict=True):
            if gate <= now:
                raise TooLateError("the gate of %(period)s is closed", period=one.label)
        assumption = _assumption(wish, trader, author, reading, now, late=is_late(now, gates))
        rows = _own_rows(wish, trader, reading, now)
        for one, gate in zip(wish.periods, gates, strict=True):
            reference = references[one.period]
            period = _period(assumption, one.label, one.period, reference, gate, rows.get(one.period))
            price = prices.get(reference) if reference else None
            if price is not None and price.last_update < gate:
                FrozenPrice.objects.create(
                    period=period,
                    value=price.value,
                    last_update=price.last_update,
                    last_change=price.last_change,
                    frozen_at=now,
                )
        record(action=Action.ASSUMED, subject=_subject(assumption), details={"digest": digest_of(assumption)})
        announce({(trader.pk, wish.market.pk, wish.day)})
    return assumption


def withdraw(*, assumption: Assumption) -> None:
    """Its author stands by it no more. Raises TooLateError from its first gate closure on, or a second time."""
    with transaction.atomic():
        hold_the_end()
        now = clock.now()
        if assumption.periods.filter(gate_closes_at__lte=now).exists():
            raise TooLateError("a gate is closed: it can't be withdrawn any more")
        made, is_first = Withdrawal.objects.get_or_create(assumption=assumption, defaults={"made_at": now})
        if not is_first:
            raise TooLateError("it was withdrawn already")
        record(action=Action.WITHDRAWN, subject=_subject(assumption), details={"at": made.made_at.isoformat()})
        announce({(assumption.trader_id, assumption.market_id, assumption.delivery_day)})


def _reference(wish: Wish, period: DeliveryPeriod) -> DeliveryPeriod | None:
    """Whose price the assumption is about; a wish names no period that goes by several."""
    return next(iter(wish.market.reference_periods(wish.day, period)), None)


def digest_of(assumption: Assumption) -> str:
    """A digest of everything its author said: the audit log's chain holds it, so that not even an owner edits one."""
    facts = {field.attname: _plain(getattr(assumption, field.attname)) for field in assumption._meta.concrete_fields}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:.10f}"
    return value.isoformat() if hasattr(value, "isoformat") else value


def _subject(assumption: Assumption) -> str:
    return f"assumption {assumption.pk} of {assumption.trader} for {assumption.delivery_day}"


_WANTED = """JOIN unnest(%s::timestamptz[], %s::timestamptz[]) AS wanted (starts, ends)
    ON p.delivery_start = wanted.starts AND p.delivery_end = wanted.ends"""
_HOLD = f"""SELECT p.delivery_start, p.delivery_end FROM prices_referenceprice AS p {_WANTED}
    WHERE p.market_id = %s ORDER BY p.id FOR SHARE OF p"""  # noqa: S608
_NEWEST_TWO = """SELECT wanted.starts, wanted.ends, newest.last_update, newest.value
    FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS wanted (starts, ends)
    CROSS JOIN LATERAL (SELECT h.last_update, h.value FROM prices_referencepricehistory AS h
        WHERE h.market_id = %s AND h.delivery_start = wanted.starts AND h.delivery_end = wanted.ends
        ORDER BY h.last_update DESC LIMIT 2) AS newest
    ORDER BY wanted.starts, wanted.ends, newest.last_update DESC"""


# --- the newest price -------------------------------------------------------------------------------------------------
def _held_prices(market_pk: int, periods: set[DeliveryPeriod]) -> Mapping[DeliveryPeriod, NewestPrice]:
    """The newest price of each; in the order of their numbers, so that two that hold several can't block each other."""
    starts, ends = [period.start for period in periods], [period.end for period in periods]
    held: set[DeliveryPeriod] = set()
    newest: dict[DeliveryPeriod, NewestPrice] = {}
    with connection.cursor() as cursor:
        while not held or newest.keys() - held:  # a period's first price may come between the two statements
            cursor.execute(_HOLD, [starts, ends, market_pk])
            held = {DeliveryPeriod(*row) for row in cursor.fetchall()}
            cursor.execute(_NEWEST_TWO, [starts, ends, market_pk])  # sees what was committed while the first waited
            newest = _newest(cursor.fetchall())
            if not newest:
                break
    return newest


def _newest(rows: list[tuple[datetime, datetime, datetime, Decimal]]) -> dict[DeliveryPeriod, NewestPrice]:
    """Of each period the first of its rows, with what it changed by if there is a second."""
    newest: dict[DeliveryPeriod, NewestPrice] = {}
    for row, after in pairwise([*rows, None]):
        assert row is not None
        period = DeliveryPeriod(row[0], row[1])
        before = after[3] if after is not None and after[:2] == row[:2] else None
        change = None if before is None else row[3] - before
        newest.setdefault(period, NewestPrice(row[3], row[2], change))
    return newest


# --- the rows ---------------------------------------------------------------------------------------------------------
def _assumption(wish: Wish, trader: Trader, author: User, reading: Reading, now: datetime, *, late: bool) -> Assumption:
    return Assumption.objects.create(
        market=wish.market,
        trader=trader,
        author=author,
        created_at=now,
        delivery_day=wish.day,
        reading=reading.value,
        claim=wish.theory.claim.value,
        threshold=wish.theory.threshold,
        broken_at=wish.theory.broken_at,
        confidence=wish.confidence,
        quantity=wish.quantity,
        tags=list(wish.tags),
        reason=wish.reason,
        late=late,
    )


def _period(
    assumption: Assumption,
    label: str,
    period: DeliveryPeriod,
    reference: DeliveryPeriod | None,
    gate: datetime,
    row: BoardRow | None,
) -> AssumedPeriod:
    return AssumedPeriod.objects.create(
        assumption=assumption,
        delivery_hour=label,
        delivery_start=period.start,
        delivery_end=period.end,
        reference_start=reference.start if reference else None,
        reference_end=reference.end if reference else None,
        gate_closes_at=gate,
        net_mwh=row.figures.net_mwh if row else Decimal(0),
        average_price=row.figures.average_price if row else None,
    )


def _own_rows(wish: Wish, trader: Trader, reading: Reading, now: datetime) -> dict[DeliveryPeriod, BoardRow]:
    """The author's row of each period as the board was read, or by product where that reading has none."""

    def rows(wanted: Reading) -> dict[DeliveryPeriod, BoardRow]:
        board = load_board(trader=trader, market=wish.market, delivery_day=wish.day, now=now, prices={}, reading=wanted)
        return {row.period: row for row in board.rows}

    found = rows(reading)
    if reading is not Reading.PRODUCT and any(one.period not in found for one in wish.periods):
        return rows(Reading.PRODUCT) | found
    return found
