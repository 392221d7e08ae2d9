"""Trades booked with their positions and slots: one statement, in which positions follow exactly what was inserted.

It is written out because Django's bulk_create can't say which rows a conflict left out. Everything is locked in one
order by everybody, so that two at once never wait in a circle: a journal's progress, the trades in the order of their
ids, then positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper

from market import clock
from market.models import Market
from market.periods import DeliveryPeriod
from market.rules import DayRules
from market.statements.columns import column_of
from trades.frames import FrameSource, JournalFrame
from trades.ledger.confirmations import TradeConfirmation, flags_of
from trades.queries import SLOT_SECONDS
from trades.signals import Change


@dataclass(frozen=True, slots=True)
class ConfirmedFrame:
    """A confirmation with the frame that it came in."""

    confirmation: TradeConfirmation
    frame: JournalFrame


@dataclass(frozen=True, slots=True)
class Step:
    """A journal's step from the frame with the number `after` to `until`; so many of the frames are kept aside."""

    after: int
    until: int
    aside: int


@dataclass(frozen=True, slots=True)
class Booked:
    """What was new: ids of trades, and the boards that moved."""

    ids: frozenset[str]
    changes: set[Change]


# Who trades, by their numbers in the batch: one row. Somebody unknown to the desk is no reason to stop, but has to be
# written down first: then nothing of the statement is done.
_WHO = """WITH who AS MATERIALIZED (
        SELECT count(*) AS n, array_agg(t.id ORDER BY w.n) AS ids, array_agg(t.is_known ORDER BY w.n) AS known
        FROM unnest(%s::text[]) WITH ORDINALITY AS w (trader_id, n) JOIN trades_trader AS t USING (trader_id)),"""
_ALL_KNOWN = """
    ready AS MATERIALIZED (SELECT FROM who WHERE n = %s),"""
# All trades count as stored; what was stored before is taken off afterwards, by whoever has looked at it. The row is
# locked before all others are, and until the transaction ends.
_STEPPED = """
    ready AS (UPDATE trades_journalprogress SET position = %s, received = received + %s, stored = stored + %s,
            quarantined = quarantined + %s, updated_at = %s
        WHERE journal = %s AND position = %s AND (SELECT n FROM who) = %s RETURNING 1),"""
# Of the few traders and periods of a batch each trade names its own by number. Rows come in the order of the columns.
_BOOK = f"""
    booked AS (
        INSERT INTO trades_trade (market_id, source, exchange_id, trader_id, direction, price, quantity, delivery_day,
            delivery_hour, delivery_start, delivery_end, execution_time, received_at, source_position, flags,
            second_side_of_id, stored_at)
        SELECT %s, %s, id, (SELECT ids FROM who)[trader], direction, price, quantity, (%s::date[])[period],
            (%s::text[])[period], (%s::timestamptz[])[period], (%s::timestamptz[])[period], executed, received,
            position, CASE WHEN (SELECT known FROM who)[trader] THEN '{{}}' ELSE '{{unknown_trader}}'::text[] END
                || string_to_array(flags, ','), %s::bigint, %s
        FROM unnest(%s::text[], %s::integer[], %s::text[], %s::numeric[], %s::numeric[], %s::integer[],
                %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::text[])
            AS t (id, trader, direction, price, quantity, period, executed, received, position, flags)
        WHERE EXISTS (SELECT FROM ready)
        ON CONFLICT (market_id, exchange_id) DO NOTHING
        RETURNING exchange_id, trader_id, direction, price, quantity, delivery_day, delivery_hour, delivery_start,
            delivery_end, execution_time),
    sums AS MATERIALIZED (
        SELECT *, (extract(epoch FROM tens) / {SLOT_SECONDS})::bigint AS slot, mw * seconds / 3600 AS mwh,
            paid * seconds / 3600 AS eur
        FROM (SELECT trader_id, direction, delivery_day, min(delivery_hour COLLATE "C") AS hour, delivery_start,
                delivery_end, date_bin('{SLOT_SECONDS} s', execution_time, '0001-01-01 00:00Z') AS tens,
                extract(epoch FROM delivery_end - delivery_start) AS seconds, count(*)::integer AS n,
                sum(quantity) AS mw, sum(price * quantity) AS paid
            FROM booked GROUP BY trader_id, direction, delivery_day, delivery_start, delivery_end, tens) AS s),
    moved AS (
        INSERT INTO trades_position AS p (market_id, trader_id, direction, delivery_day, delivery_hour,
            delivery_start, delivery_end, trade_count, quantity, energy, turnover, revision)
        SELECT %s, trader_id, direction, delivery_day, min(hour), delivery_start, delivery_end, sum(n), sum(mw),
            sum(mwh), sum(eur), 1
        FROM sums GROUP BY trader_id, direction, delivery_day, delivery_start, delivery_end
        ORDER BY trader_id, delivery_start, delivery_end, direction
        ON CONFLICT (trader_id, delivery_day, market_id, delivery_start, delivery_end, direction) DO UPDATE SET
            trade_count = p.trade_count + excluded.trade_count, quantity = p.quantity + excluded.quantity,
            energy = p.energy + excluded.energy, turnover = p.turnover + excluded.turnover,
            revision = p.revision + 1, updated_at = now()
        RETURNING id, trader_id, direction, delivery_day, delivery_start, delivery_end),
    slotted AS (
        INSERT INTO trades_positionslot AS s (position_id, slot, trade_count, energy, turnover)
        SELECT id, slot, n, mwh, eur
        FROM sums JOIN moved USING (trader_id, direction, delivery_day, delivery_start, delivery_end)
        ON CONFLICT (position_id, slot) DO UPDATE SET trade_count = s.trade_count + excluded.trade_count,
            energy = s.energy + excluded.energy, turnover = s.turnover + excluded.turnover)
    SELECT (SELECT count(*) FROM ready),
        (SELECT CASE WHEN count(*) < %s THEN coalesce(array_agg(exchange_id), '{{}}') END FROM booked),
        array_agg(trader_id), array_agg(delivery_day)
    FROM (SELECT DISTINCT trader_id, delivery_day FROM moved) AS boards"""  # noqa: S608 - our own text


class NotBookedError(DatabaseError):
    """A trader or a journal's progress was taken away while trades were to be booked: nothing is, and it can be tried
    again."""


def book(
    cursor: CursorWrapper,
    market: Market,
    source: FrameSource,
    trades: Mapping[str, ConfirmedFrame],
    *,
    step: Step | None = None,
    second_side_of: int | None = None,
) -> Booked | None:
    """Insert what is not there yet, add exactly that to positions and slots, and take the journal's step.

    None, and nothing is done, where the journal is not at the step's beginning or a trader is not written down yet.
    `second_side_of` is the trade (primary key) whose other side this is.
    """
    now, batch = clock.now(), _Batch.of(market, trades)
    values: tuple[Any, ...]
    if step is None:
        ready, values = _ALL_KNOWN, (len(batch.traders),)
    else:
        counts = (step.until, len(trades) + step.aside, len(trades), step.aside)
        ready, values = _STEPPED, (*counts, now, source.journal, step.after, len(batch.traders))
    booking = (market.pk, source.journal, *batch.periods, second_side_of, now, *batch.trades, market.pk, len(trades))
    cursor.execute(_WHO + ready + _BOOK, [column_of(batch.traders), *values, *booking])
    is_ready, new, traders, days = cursor.fetchone()
    if not is_ready:
        return None
    boards = zip(traders or (), days or (), strict=True)
    return Booked(frozenset(trades if new is None else new), {(trader, market.pk, day) for trader, day in boards})


def add_traders(cursor: CursorWrapper, trades: Mapping[str, ConfirmedFrame]) -> None:
    """Write down who was never heard of, as unknown."""
    cursor.execute(
        """INSERT INTO trades_trader (trader_id, name, is_bot, is_known, first_seen_at)
           SELECT wanted, '', false, false, now() FROM unnest(%s::text[]) AS wanted
           WHERE wanted NOT IN (SELECT trader_id FROM trades_trader WHERE trader_id = ANY(%s::text[]))
           ON CONFLICT (trader_id) DO NOTHING""",
        [column_of(sorted({trade.confirmation.trader_id for trade in trades.values()}))] * 2,
    )


def book_with_traders(
    cursor: CursorWrapper,
    market: Market,
    source: FrameSource,
    trades: Mapping[str, ConfirmedFrame],
    *,
    step: Step | None = None,
    second_side_of: int | None = None,
) -> Booked:
    """The same, whoever trades. With a step its journal's progress must be locked."""
    booked = book(cursor, market, source, trades, step=step, second_side_of=second_side_of)
    if booked is None:
        add_traders(cursor, trades)
        booked = book(cursor, market, source, trades, step=step, second_side_of=second_side_of)
    if booked is None:
        raise NotBookedError
    return booked


@dataclass(frozen=True, slots=True)
class _Period:
    """A period of the batch: its number there, and what the market's rules say of it."""

    number: int
    period: DeliveryPeriod
    gate_closes_at: datetime
    rules: DayRules


@dataclass(frozen=True, slots=True)
class _Batch:
    """Trades as columns, in the order of their ids: their traders, their periods, and their own."""

    traders: list[str]
    periods: list[Any]
    trades: list[Any]

    @classmethod
    def of(cls, market: Market, trades: Mapping[str, ConfirmedFrame]) -> _Batch:
        traders: dict[str, int] = {}
        periods: dict[tuple[date, str], _Period] = {}
        rows = []
        for exchange_id in sorted(trades):
            trade = trades[exchange_id]
            c, received_at = trade.confirmation, trade.frame.received_at
            trader = traders.setdefault(c.trader_id, len(traders) + 1)
            named = c.delivery_day, c.delivery_hour
            period = periods.get(named)
            if period is None:
                closes_at = market.period_rules(c.delivery_day, c.period).gates[-1].closes_at
                period = _Period(len(periods) + 1, c.period, closes_at, market.rules_on(c.delivery_day))
                periods[named] = period
            flags = flags_of(c, received_at=received_at, gate_closes_at=period.gate_closes_at, rules=period.rules)
            facts = (exchange_id, trader, c.direction, c.price, c.quantity, period.number)
            rows.append((*facts, c.execution_time, received_at, trade.frame.number, ",".join(flags)))
        of_periods = [(*named, of.period.start, of.period.end) for named, of in periods.items()]
        return cls(list(traders), _columns(of_periods, 4), _columns(rows, 10))


def _columns(rows: list[tuple[Any, ...]], count: int) -> list[Any]:
    return [column_of(column) for column in (zip(*rows, strict=True) if rows else [()] * count)]
