"""Every write of trades, positions, quarantined frames and the feed's state: one transaction per call.

The statements are written out because Django's bulk_create can't say which rows a conflict left out, and positions
must follow exactly what was inserted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from market import clock
from market.models import Market
from market.periods import DeliveryPeriod
from market.statements.columns import column_of
from market.totals import Total
from trades.frames import FrameSource, JournalFrame
from trades.ledger.confirmations import TradeConfirmation, Unusable, flags_of, parse_frame
from trades.ledger.effective import stored_facts
from trades.ledger.position_history import ADD_TO_SLOTS, position_sums, slot_rows, slot_sums
from trades.models import Direction, JournalProgress, QuarantinedMessage
from trades.signals import Change, announce_positions

log = structlog.get_logger("trades.ledger.store")

BOTH_SIDES = "both_sides"
"""The reason of a frame that is the other side of a stored trade, under the same id."""


@dataclass(slots=True)
class StoreResult:
    """What became of a batch: received = stored + duplicates + conflicts + quarantined; the rest was stored before."""

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    changes: set[Change] = field(default_factory=set)

    def add(self, other: StoreResult) -> None:
        """Count another batch's frames in."""
        for name in ("received", "stored", "duplicates", "conflicts", "quarantined"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.changes |= other.changes


@dataclass(frozen=True, slots=True)
class ConfirmedFrame:
    """A confirmation with the frame that it came in."""

    confirmation: TradeConfirmation
    frame: JournalFrame


@dataclass(frozen=True, slots=True)
class FrameAside:
    """A frame that is kept aside, and why."""

    frame: JournalFrame
    why: Unusable
    kind: str = QuarantinedMessage.Kind.UNUSABLE


@dataclass(slots=True)
class _Sorted:
    """A batch of frames by what is to become of them."""

    trades: dict[str, ConfirmedFrame] = field(default_factory=dict)
    again: list[ConfirmedFrame] = field(default_factory=list)
    aside: list[FrameAside] = field(default_factory=list)


def store_frames(*, market: Market, source: FrameSource, frames: Sequence[JournalFrame]) -> StoreResult:
    """Store each frame once: as a trade with its position, as a counted duplicate, or kept aside with its reason.

    Safe to repeat and to run beside others: the journal's progress is locked and kept in the same transaction, so a
    frame that is stored already is not looked at again. Sends `positions_changed` once committed. A frame that the
    database refuses is kept aside alone. Raises django.db.DatabaseError when the database can't take any.
    """
    try:
        return _store(market, source, frames)
    except (DataError, IntegrityError) as error:
        if len(frames) > 1:
            result = StoreResult()
            for frame in frames:
                result.add(store_frames(market=market, source=source, frames=[frame]))
            return result
        return _store(market, source, frames, refused=str(error).splitlines()[0])


def _store(
    market: Market, source: FrameSource, frames: Sequence[JournalFrame], refused: str | None = None
) -> StoreResult:
    with transaction.atomic(), connection.cursor() as cursor:
        position = _lock_progress(cursor, market, source)
        fresh = [frame for frame in frames if frame.number > position]
        if not fresh:
            return StoreResult()
        batch = _sort(fresh, market, refused)
        stored = insert_trades(cursor, market, source, batch.trades)
        known = [trade for key, trade in batch.trades.items() if key not in stored]
        duplicates, conflicts = _compare(market, known + batch.again)
        changes = add_to_positions(cursor, market, [batch.trades[key] for key in stored], stored)
        insert_aside(cursor, market, source, batch.aside + conflicts)
        result = StoreResult(len(fresh), len(stored), duplicates, len(conflicts), len(batch.aside), changes)
        _keep_progress(cursor, source, fresh[-1].number, result)
        if changes:
            transaction.on_commit(lambda: announce_positions(changes), robust=True)
        if conflicts:
            transaction.on_commit(lambda: _say_conflicts(market, source, conflicts), robust=True)
        return result


def _say_conflicts(market: Market, source: FrameSource, conflicts: list[FrameAside]) -> None:
    """Which trade, and where in which journal the other facts are: the first of them, and how many."""
    first = conflicts[0]
    log.warning(
        "trade_conflict",
        market=market.code,
        listener=source.listener,
        trade=first.why.exchange_id,
        journal=source.journal,
        position=first.frame.number,
        count=len(conflicts),
    )


def _sort(frames: Sequence[JournalFrame], market: Market, refused: str | None) -> _Sorted:
    batch = _Sorted()
    days = market.calendar
    for frame in frames:
        parsed: TradeConfirmation | Unusable = parse_frame(frame.frame, days)
        if refused is not None and isinstance(parsed, TradeConfirmation):
            parsed = Unusable("refused_by_database", refused[:500], parsed.exchange_id)
        if isinstance(parsed, Unusable):
            batch.aside.append(FrameAside(frame, parsed))
        elif parsed.exchange_id in batch.trades:
            batch.again.append(ConfirmedFrame(parsed, frame))
        else:
            batch.trades[parsed.exchange_id] = ConfirmedFrame(parsed, frame)
    return batch


def _lock_progress(cursor: CursorWrapper, market: Market, source: FrameSource) -> int:
    """The journal's position, its row locked until the transaction ends."""
    cursor.execute("SELECT position FROM trades_journalprogress WHERE journal = %s FOR UPDATE", [source.journal])
    known = cursor.fetchone()
    if known is not None:
        return int(known[0])
    cursor.execute(
        """INSERT INTO trades_journalprogress AS p (market_id, journal, listener, position, complete,
               received, stored, duplicates, conflicts, quarantined)
           VALUES (%s, %s, %s, 0, false, 0, 0, 0, 0, 0)
           ON CONFLICT (journal) DO UPDATE SET updated_at = p.updated_at RETURNING position""",
        [market.pk, source.journal, source.listener],
    )
    return int(cursor.fetchone()[0])


def _keep_progress(cursor: CursorWrapper, source: FrameSource, position: int, result: StoreResult) -> None:
    cursor.execute(
        """UPDATE trades_journalprogress SET position = %s, received = received + %s, stored = stored + %s,
               duplicates = duplicates + %s, conflicts = conflicts + %s, quarantined = quarantined + %s,
               updated_at = %s
           WHERE journal = %s""",
        [
            position,
            result.received,
            result.stored,
            result.duplicates,
            result.conflicts,
            result.quarantined,
            clock.now(),
            source.journal,
        ],
    )


def _traders(cursor: CursorWrapper, trader_ids: list[str]) -> dict[str, tuple[int, bool]]:
    """trader_id -> (primary key, known); traders never heard of are added as unknown."""
    known = _known_traders(cursor, trader_ids)
    if len(known) == len(trader_ids):
        return known
    cursor.execute(
        """INSERT INTO trades_trader (trader_id, name, is_bot, is_known, first_seen_at)
           SELECT wanted, '', false, false, now() FROM unnest(%s::text[]) AS wanted
           ON CONFLICT (trader_id) DO NOTHING""",
        [[trader_id for trader_id in trader_ids if trader_id not in known]],
    )
    return _known_traders(cursor, trader_ids)


def _known_traders(cursor: CursorWrapper, trader_ids: list[str]) -> dict[str, tuple[int, bool]]:
    cursor.execute("SELECT trader_id, id, is_known FROM trades_trader WHERE trader_id = ANY(%s::text[])", [trader_ids])
    return {trader_id: (pk, known) for trader_id, pk, known in cursor.fetchall()}


def insert_trades(
    cursor: CursorWrapper,
    market: Market,
    source: FrameSource,
    trades: dict[str, ConfirmedFrame],
    second_side_of: int | None = None,
) -> dict[str, int]:
    """Insert what is not there yet, in the order of the ids (two listeners at once then never wait in a circle).

    `second_side_of` is the trade (primary key) whose other side this is. Returns exchange_id -> trader primary key of
    the rows that were really inserted.
    """
    if not trades:
        return {}
    traders = _traders(cursor, sorted({t.confirmation.trader_id for t in trades.values()}))
    rows = [_row(trades[key], market, traders) for key in sorted(trades)]
    cursor.execute(
        """INSERT INTO trades_trade (market_id, source, exchange_id, trader_id, direction, price, quantity,
               delivery_day, delivery_hour, delivery_start, delivery_end, execution_time, received_at,
               source_position, flags, second_side_of_id, stored_at)
           SELECT %s, %s, id, trader, direction, price, quantity, day, hour, starts, ends, executed, received,
               position, string_to_array(flags, ','), %s::bigint, %s
           FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::numeric[], %s::numeric[], %s::date[], %s::text[],
               %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::text[])
               AS t (id, trader, direction, price, quantity, day, hour, starts, ends, executed, received, position,
               flags)
           ON CONFLICT (market_id, exchange_id) DO NOTHING RETURNING exchange_id, trader_id""",
        [market.pk, source.journal, second_side_of, clock.now(), *_columns(rows)],
    )
    return dict(cursor.fetchall())


def _row(trade: ConfirmedFrame, market: Market, traders: dict[str, tuple[int, bool]]) -> tuple[Any, ...]:
    c = trade.confirmation
    trader_pk, known = traders[c.trader_id]
    flags = flags_of(
        c,
        received_at=trade.frame.received_at,
        gate_closes_at=market.period_rules(c.delivery_day, c.period).gates[-1].closes_at,
        rules=market.rules_on(c.delivery_day),
        trader_is_known=known,
    )
    return (
        c.exchange_id,
        trader_pk,
        c.direction,
        c.price,
        c.quantity,
        c.delivery_day,
        c.delivery_hour,
        c.period.start,
        c.period.end,
        c.execution_time,
        trade.frame.received_at,
        trade.frame.number,
        ",".join(flags),
    )


def _compare(market: Market, trades: list[ConfirmedFrame]) -> tuple[int, list[FrameAside]]:
    """Trades whose id is stored already: the number of true duplicates, and the conflicts to keep aside."""
    if not trades:
        return 0, []
    first = stored_facts(market_id=market.pk, exchange_ids=(t.confirmation.exchange_id for t in trades))
    conflicts = []
    for trade in trades:
        facts = first[trade.confirmation.exchange_id]
        differing = facts.differences(trade.confirmation)
        if differing:
            why = (
                both_sides_reason(trade.confirmation)
                if facts.has_other_side(trade.confirmation)
                else conflict_reason(trade.confirmation.exchange_id, differing)
            )
            conflicts.append(FrameAside(trade.frame, why, QuarantinedMessage.Kind.CONFLICT))
    return len(trades) - len(conflicts), conflicts


def conflict_reason(exchange_id: str, differing: list[str]) -> Unusable:
    """Why a confirmation of a stored trade is kept aside: it says something else."""
    return Unusable("conflict", f"trade {exchange_id[:100]} is stored with another {', '.join(differing)}", exchange_id)


def both_sides_reason(c: TradeConfirmation) -> Unusable:
    """Why the second side of a trade of the desk with itself is kept aside: a person books it beside the first."""
    other = Direction.SELL if c.direction == Direction.BUY else Direction.BUY
    detail = (
        f"both sides of one trade: {c.exchange_id[:100]} is stored as a {other.value}, and this is its {c.direction}"
    )
    return Unusable(BOTH_SIDES, detail, c.exchange_id)


def add_to_positions(
    cursor: CursorWrapper, market: Market, trades: list[ConfirmedFrame], traders: dict[str, int]
) -> set[Change]:
    """Add the inserted trades to positions and slots, in one order for everybody; returns the boards that moved."""
    if not trades:
        return set()
    labels = {t.confirmation.period: (t.confirmation.delivery_day, t.confirmation.delivery_hour) for t in trades}
    slots = slot_sums(
        ((traders[c.exchange_id], c.period, c.direction), c.execution_time, c) for c in (t.confirmation for t in trades)
    )
    sums = position_sums(slots)
    rows = [_position_row(key, sums[key], labels[key[1]]) for key in sorted(sums)]
    cursor.execute(
        f"""WITH changed AS (
           INSERT INTO trades_position AS p (market_id, trader_id, direction, delivery_day, delivery_hour,
               delivery_start, delivery_end, trade_count, quantity, energy, turnover, revision)
           SELECT %s, t.*, 1 FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::text[], %s::timestamptz[],
               %s::timestamptz[], %s::integer[], %s::numeric[], %s::numeric[], %s::numeric[]) AS t
           ON CONFLICT (trader_id, delivery_day, market_id, delivery_start, delivery_end, direction) DO UPDATE SET
               trade_count = p.trade_count + excluded.trade_count, quantity = p.quantity + excluded.quantity,
               energy = p.energy + excluded.energy, turnover = p.turnover + excluded.turnover,
               revision = p.revision + 1, updated_at = now()
           RETURNING id, trader_id, delivery_start, delivery_end, direction)
           {ADD_TO_SLOTS}""",  # noqa: S608 - our own text
        [market.pk, *_columns(rows), *_columns(slot_rows(slots))],
    )
    return {(key[0], market.pk, labels[key[1]][0]) for key in sums}


def _columns(rows: list[tuple[Any, ...]]) -> list[Any]:
    return [column_of(column) for column in zip(*rows, strict=True)]


def _position_row(key: tuple[int, DeliveryPeriod, str], sums: Total, label: tuple[date, str]) -> tuple[Any, ...]:
    trader_pk, period, direction = key
    return (
        trader_pk,
        direction,
        *label,
        period.start,
        period.end,
        sums.trade_count,
        sums.quantity,
        sums.energy,
        sums.turnover,
    )


def insert_aside(cursor: CursorWrapper, market: Market, source: FrameSource, aside: list[FrameAside]) -> None:
    if not aside:
        return
    cursor.executemany(
        """INSERT INTO trades_quarantinedmessage (market_id, kind, reason, detail, exchange_id, raw, listener,
               received_at, source, source_position)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (source, source_position) DO NOTHING""",
        [
            (
                market.pk,
                a.kind,
                a.why.reason,
                a.why.detail[:500],
                a.why.exchange_id,
                a.frame.frame,
                source.listener,
                a.frame.received_at,
                source.journal,
                a.frame.number,
            )
            for a in aside
        ],
    )


def book_confirmation(
    *,
    market: Market,
    source: FrameSource,
    confirmation: TradeConfirmation,
    received_at: datetime,
    second_side_of: int | None = None,
) -> None:
    """Book one confirmation that a person has judged, with its position."""
    trade = ConfirmedFrame(confirmation, JournalFrame(1, received_at, b""))
    with transaction.atomic(), connection.cursor() as cursor:
        stored = insert_trades(cursor, market, source, {confirmation.exchange_id: trade}, second_side_of)
        changes = add_to_positions(cursor, market, [trade] if stored else [], stored)
        transaction.on_commit(lambda: announce_positions(changes), robust=True)


def complete_journal(*, market: Market, source: FrameSource) -> None:
    """Note that all of a journal is stored and nobody writes to it any more, so that no start reads it again."""
    JournalProgress.objects.update_or_create(
        journal=source.journal,
        defaults={"complete": True},
        create_defaults={"market": market, "listener": source.listener, "complete": True},
    )
