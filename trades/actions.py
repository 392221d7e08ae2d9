"""Every write of trades, positions, quarantined frames and the feed's state: one transaction per call.

The statements are written out because Django's bulk_create can't say which rows a conflict left out, and positions
must follow exactly what was inserted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F

from market.locks import AdvisoryLock
from market.models import Market
from market.periods import DeliveryPeriod
from trades.confirmations import TradeConfirmation, Unusable, flags_of, parse_frame
from trades.failpoints import reach
from trades.files import FileLine
from trades.gaps import Heard, holes
from trades.journal import JournalFrame
from trades.models import FeedConnection, FeedGap, JournalProgress, QuarantinedMessage, Trader
from trades.positions import Sums, sums_by_key
from trades.queries import EFFECTIVE_TRADES, SUMS, PositionKey, stored_facts
from trades.signals import feed_changed, positions_changed
from trades.slots import ADD_TO_SLOTS, rebuild_slots, slot_rows

log = structlog.get_logger("trades.actions")

CERTAIN_AFTER = timedelta(seconds=12.5)
"""A connection that has not said a word for this long is dead; a board says so earlier (trades.queries.feed_state)."""

GAPS_LOOKED_BACK = timedelta(days=7)

Change = tuple[int, int, date]
"""(trader primary key, market primary key, delivery day): one board whose figures moved."""


@dataclass(frozen=True, slots=True)
class FrameSource:
    """Where frames come from: a journal's identity and the listener that wrote it."""

    journal: str
    listener: str


@dataclass(frozen=True, slots=True)
class ListenerHealth:
    """How a listener is doing at a moment: what people and alarms want to know of it."""

    at: datetime
    last_frame_at: datetime | None = None
    journal_failed: bool = False
    waiting: int = 0
    overflows: int = 0

    def columns(self) -> dict[str, Any]:
        """As FeedConnection keeps it."""
        return {
            "last_frame_at": self.last_frame_at,
            "journal_failed": self.journal_failed,
            "waiting": self.waiting,
            "overflows": self.overflows,
        }


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
class _Trade:
    """A confirmation with the frame that it came in."""

    confirmation: TradeConfirmation
    frame: JournalFrame


@dataclass(frozen=True, slots=True)
class _Aside:
    """A frame that is kept aside, and why."""

    frame: JournalFrame
    why: Unusable
    kind: str = QuarantinedMessage.Kind.UNUSABLE


@dataclass(slots=True)
class _Sorted:
    """A batch of frames by what is to become of them."""

    trades: dict[str, _Trade] = field(default_factory=dict)
    again: list[_Trade] = field(default_factory=list)
    aside: list[_Aside] = field(default_factory=list)


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
        reach("before_insert")
        stored = _insert_trades(cursor, market, source, batch.trades)
        known = [trade for key, trade in batch.trades.items() if key not in stored]
        duplicates, conflicts = _compare(market, known + batch.again)
        changes = _add_to_positions(cursor, market, [batch.trades[key] for key in stored], stored)
        _insert_aside(cursor, market, source, batch.aside + conflicts)
        reach("after_insert")
        result = StoreResult(len(fresh), len(stored), duplicates, len(conflicts), len(batch.aside), changes)
        _keep_progress(cursor, source, fresh[-1].number, result)
        if changes:
            transaction.on_commit(lambda: _announce(changes), robust=True)
        if conflicts:
            transaction.on_commit(lambda: _say_conflicts(market, source, conflicts), robust=True)
        reach("before_commit")
        return result


def _say_conflicts(market: Market, source: FrameSource, conflicts: list[_Aside]) -> None:
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


def _announce(changes: set[Change]) -> None:
    positions_changed.send_robust(sender=None, changes=frozenset(changes))


def _sort(frames: Sequence[JournalFrame], market: Market, refused: str | None) -> _Sorted:
    batch = _Sorted()
    zone = market.zone
    for frame in frames:
        parsed: TradeConfirmation | Unusable = parse_frame(frame.frame, zone)
        if refused is not None and isinstance(parsed, TradeConfirmation):
            parsed = Unusable("refused_by_database", refused[:500], parsed.exchange_id)
        if isinstance(parsed, Unusable):
            batch.aside.append(_Aside(frame, parsed))
        elif parsed.exchange_id in batch.trades:
            batch.again.append(_Trade(parsed, frame))
        else:
            batch.trades[parsed.exchange_id] = _Trade(parsed, frame)
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
               updated_at = now()
           WHERE journal = %s""",
        [
            position,
            result.received,
            result.stored,
            result.duplicates,
            result.conflicts,
            result.quarantined,
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


def _insert_trades(
    cursor: CursorWrapper, market: Market, source: FrameSource, trades: dict[str, _Trade]
) -> dict[str, int]:
    """Insert what is not there yet, in the order of the ids (two listeners at once then never wait in a circle).

    Returns exchange_id -> trader primary key of the rows that were really inserted.
    """
    if not trades:
        return {}
    traders = _traders(cursor, sorted({t.confirmation.trader_id for t in trades.values()}))
    rows = [_row(trades[key], market, traders) for key in sorted(trades)]
    cursor.execute(
        """INSERT INTO trades_trade (market_id, source, exchange_id, trader_id, direction, price, quantity,
               delivery_day, delivery_hour, delivery_start, delivery_end, execution_time, received_at,
               source_position, flags)
           SELECT %s, %s, id, trader, direction, price, quantity, day, hour, starts, ends, executed, received,
               position, string_to_array(flags, ',')
           FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::numeric[], %s::numeric[], %s::date[], %s::text[],
               %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::text[])
               AS t (id, trader, direction, price, quantity, day, hour, starts, ends, executed, received, position,
               flags)
           ON CONFLICT (market_id, exchange_id) DO NOTHING RETURNING exchange_id, trader_id""",
        [market.pk, source.journal, *_columns(rows)],
    )
    return dict(cursor.fetchall())


def _row(trade: _Trade, market: Market, traders: dict[str, tuple[int, bool]]) -> tuple[Any, ...]:
    c = trade.confirmation
    trader_pk, known = traders[c.trader_id]
    flags = flags_of(
        c,
        received_at=trade.frame.received_at,
        gate_closure_lead=market.gate_closure_lead,
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


def _compare(market: Market, trades: list[_Trade]) -> tuple[int, list[_Aside]]:
    """Trades whose id is stored already: the number of true duplicates, and the conflicts to keep aside."""
    if not trades:
        return 0, []
    first = stored_facts(market_id=market.pk, exchange_ids=(t.confirmation.exchange_id for t in trades))
    conflicts = []
    for trade in trades:
        differing = first[trade.confirmation.exchange_id].differences(trade.confirmation)
        if differing:
            why = conflict_reason(trade.confirmation.exchange_id, differing)
            conflicts.append(_Aside(trade.frame, why, QuarantinedMessage.Kind.CONFLICT))
    return len(trades) - len(conflicts), conflicts


def conflict_reason(exchange_id: str, differing: list[str]) -> Unusable:
    """Why a confirmation of a stored trade is kept aside: it says something else."""
    return Unusable("conflict", f"trade {exchange_id[:100]} is stored with another {', '.join(differing)}", exchange_id)


def _add_to_positions(
    cursor: CursorWrapper, market: Market, trades: list[_Trade], traders: dict[str, int]
) -> set[Change]:
    """Add the inserted trades to positions and slots, in one order for everybody; returns the boards that moved."""
    if not trades:
        return set()
    labels = {t.confirmation.period: (t.confirmation.delivery_day, t.confirmation.delivery_hour) for t in trades}
    confirmed = [
        ((traders[c.exchange_id], c.period, c.direction), c.execution_time, c) for c in (t.confirmation for t in trades)
    ]
    sums = sums_by_key((key, confirmation) for key, _, confirmation in confirmed)
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
        [market.pk, *_columns(rows), *_columns(slot_rows(confirmed))],
    )
    return {(key[0], market.pk, labels[key[1]][0]) for key in sums}


def _columns(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _position_row(key: tuple[int, DeliveryPeriod, str], sums: Sums, label: tuple[date, str]) -> tuple[Any, ...]:
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


def _insert_aside(cursor: CursorWrapper, market: Market, source: FrameSource, aside: list[_Aside]) -> None:
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


def add_from_file(*, market: Market, source: FrameSource, lines: Sequence[FileLine], now: datetime) -> int:
    """Add trades that the exchange's file has and the desk hadn't, with their positions. Returns how many were new."""
    trades = {
        line.parsed.exchange_id: _Trade(line.parsed, JournalFrame(line.number, now, line.text.encode()))
        for line in lines
        if isinstance(line.parsed, TradeConfirmation)
    }
    with transaction.atomic(), connection.cursor() as cursor:
        stored = _insert_trades(cursor, market, source, trades)
        changes = _add_to_positions(cursor, market, [trades[key] for key in stored], stored)
        if changes:
            transaction.on_commit(lambda: _announce(changes), robust=True)
    return len(stored)


def book_confirmation(
    *, market: Market, source: FrameSource, confirmation: TradeConfirmation, received_at: datetime
) -> None:
    """Book one confirmation that a person has judged, with its position."""
    trade = _Trade(confirmation, JournalFrame(1, received_at, b""))
    with transaction.atomic(), connection.cursor() as cursor:
        stored = _insert_trades(cursor, market, source, {confirmation.exchange_id: trade})
        changes = _add_to_positions(cursor, market, [trade] if stored else [], stored)
        transaction.on_commit(lambda: _announce(changes), robust=True)


@transaction.atomic
def keep_file_conflicts(
    *, market: Market, source: FrameSource, different: Sequence[tuple[FileLine, list[str]]], now: datetime
) -> None:
    """Keep the file's lines that contradict stored trades aside, once per file and line."""
    aside = [
        _Aside(
            JournalFrame(line.number, now, line.text.encode()),
            conflict_reason(line.parsed.exchange_id, differing),
            QuarantinedMessage.Kind.CONFLICT,
        )
        for line, differing in different
    ]
    with connection.cursor() as cursor:
        _insert_aside(cursor, market, source, aside)


@transaction.atomic
def flag_as_not_in_file(*, market: Market, exchange_ids: Sequence[str]) -> None:
    """Flag stored trades that the exchange's file doesn't have; the facts stay, a person must look."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE trades_trade SET flags = flags || ARRAY['not_in_file']::varchar[]
               WHERE market_id = %s AND exchange_id = ANY(%s::text[]) AND NOT 'not_in_file' = ANY(flags)""",
            [market.pk, list(exchange_ids)],
        )


def rebuild_positions(*, keys: Sequence[PositionKey]) -> int:
    """Set each position to what its trades add up to, one transaction a position, while trades go on arriving.

    The row is locked before the trades are read: a transaction that is adding to it has either committed, and is
    read, or waits and adds afterwards.
    """
    for key in keys:
        _rebuild_position(key)
    return len(keys)


_IDENTITY = "market_id, trader_id, direction, delivery_day, delivery_start, delivery_end"
_TRADES_OF_POSITION = f"""(SELECT {_IDENTITY}, {SUMS} FROM (
        {EFFECTIVE_TRADES} AND t.id IN (
            SELECT id FROM trades_trade WHERE market_id = %s AND trader_id = %s AND delivery_day = %s
            UNION SELECT trade_id FROM trades_tradechange WHERE trader_id = %s AND delivery_day = %s)
    ) AS e WHERE ({_IDENTITY}) = (%s, %s, %s, %s, %s, %s) GROUP BY {_IDENTITY}) AS s"""  # noqa: S608 - our own text


def _rebuild_position(key: PositionKey) -> None:
    """Lock the position's row (making one if there is none), then set it to what its trades add up to now."""
    market_id, trader_pk, _, day, _, _ = key
    of_position: list[Any] = [market_id, trader_pk, day, trader_pk, day, *key]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO trades_position ({_IDENTITY}, delivery_hour, trade_count, quantity, energy, turnover,
                   revision)
               SELECT {_IDENTITY}, hour, 0, 0, 0, 0, 0 FROM {_TRADES_OF_POSITION} ON CONFLICT DO NOTHING""",  # noqa: S608
            of_position,
        )
        cursor.execute(
            f"SELECT 1 FROM trades_position WHERE ({_IDENTITY}) = (%s, %s, %s, %s, %s, %s) FOR UPDATE",  # noqa: S608
            list(key),
        )
        cursor.execute(
            f"""UPDATE trades_position AS p SET trade_count = coalesce(a.n, 0), quantity = coalesce(a.mw, 0),
                   energy = coalesce(a.mwh, 0), turnover = coalesce(a.eur, 0), revision = p.revision + 1,
                   updated_at = now()
               FROM (SELECT sum(n)::integer AS n, sum(mw) AS mw, sum(mwh) AS mwh, sum(eur) AS eur
                   FROM {_TRADES_OF_POSITION}) AS a
               WHERE ({_IDENTITY}) = (%s, %s, %s, %s, %s, %s)""",  # noqa: S608 - our own text
            [*of_position, *key],
        )
        rebuild_slots(cursor, key)
        transaction.on_commit(lambda: _announce({(trader_pk, market_id, day)}), robust=True)


def complete_journal(*, market: Market, source: FrameSource) -> None:
    """Note that all of a journal is stored and nobody writes to it any more, so that no start reads it again."""
    JournalProgress.objects.update_or_create(
        journal=source.journal,
        defaults={"complete": True},
        create_defaults={"market": market, "listener": source.listener, "complete": True},
    )


def ensure_trader(*, trader_id: str) -> Trader:
    """The trader with this id, added or confirmed as known."""
    trader, _ = Trader.objects.get_or_create(trader_id=trader_id)
    if not trader.is_known:
        trader.is_known = True
        trader.save(update_fields=["is_known"])
    return trader


def open_connection(*, market: Market, listener: str, at: datetime) -> int:
    """Record that a listener is connected since `at`; returns the record's primary key.

    Its own earlier records that are still open belong to a process that died: nobody else can have its name. They end
    with the last moment at which that process said that it was alive, so the time since then is a gap.
    """
    FeedConnection.objects.filter(market=market, listener=listener, disconnected_at=None).update(
        disconnected_at=F("alive_at"), reason="the process ended without a word"
    )
    row = FeedConnection.objects.create(market=market, listener=listener, connected_at=at, alive_at=at)
    record_gaps(market_id=market.pk, now=at)
    feed_changed.send_robust(sender=None, market_id=market.pk)
    return int(row.pk)


def keep_connection_alive(*, connection_pk: int, health: ListenerHealth) -> None:
    """Record that the connection is up, and how its listener is doing."""
    FeedConnection.objects.filter(pk=connection_pk).update(alive_at=health.at, **health.columns())


def say_silent(*, market: Market, connection_pk: int, since: datetime | None) -> None:
    """Record since when an open connection has not been heard from, by as much as a ping's answer; None: it is again.

    For people's eyes alone. Gaps follow only what becomes of the connection.
    """
    FeedConnection.objects.filter(pk=connection_pk).update(silent_since=since)
    feed_changed.send_robust(sender=None, market_id=market.pk)


def close_connection(*, market: Market, connection_pk: int, at: datetime, health: ListenerHealth, reason: str) -> None:
    """Record that the connection ended at `at`, and why."""
    FeedConnection.objects.filter(pk=connection_pk).update(
        alive_at=at, disconnected_at=at, reason=reason[:200], **health.columns()
    )
    feed_changed.send_robust(sender=None, market_id=market.pk)


@transaction.atomic
def record_gaps(*, market_id: int, now: datetime) -> int:
    """Write down the holes between the connections that are certain by now; returns how many were new.

    Another listener may be at it: then this call leaves it to that one. A listener's sign of life comes with this look,
    so it must not wait for anybody; the next one is a moment away.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [AdvisoryLock.FEED_GAPS, market_id])
        if not cursor.fetchone()[0]:
            return 0
    newest = FeedGap.objects.filter(market_id=market_id).order_by("-ended_at").first()
    since = max(newest.ended_at, now - GAPS_LOOKED_BACK) if newest else now - GAPS_LOOKED_BACK
    connections = [
        Heard(c.connected_at, c.alive_at, c.disconnected_at is not None)
        for c in FeedConnection.objects.filter(market_id=market_id, alive_at__gte=since)
    ]
    found = holes(connections, now=now, certain_after=CERTAIN_AFTER)
    rows = [FeedGap(market_id=market_id, started_at=hole.start, ended_at=hole.end) for hole in found]
    known = set(FeedGap.objects.filter(market_id=market_id, started_at__gte=since).values_list("started_at", flat=True))
    new = [row for row in rows if row.started_at not in known]
    FeedGap.objects.bulk_create(new)
    if new:
        transaction.on_commit(lambda: _announce_feed(market_id), robust=True)
    return len(new)


def _announce_feed(market_id: int) -> None:
    feed_changed.send_robust(sender=None, market_id=market_id)
