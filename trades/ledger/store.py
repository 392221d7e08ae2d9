"""What becomes of frames: booked (bookings.py), counted as duplicates, or kept aside. One transaction a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from market.models import Market
from trades.frames import FrameSource, JournalFrame
from trades.ledger.bookings import Booked, ConfirmedFrame, Step, book, book_with_traders
from trades.ledger.confirmations import TradeConfirmation, Unusable, parse_frame
from trades.ledger.effective import judged_facts, stored_facts
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
class FrameAside:
    """A frame that is kept aside, and why."""

    frame: JournalFrame
    why: Unusable
    kind: str = QuarantinedMessage.Kind.UNUSABLE


@dataclass(slots=True)
class _Sorted:
    """A batch of frames, from number to number, by what is to become of them."""

    first: int
    last: int
    trades: dict[str, ConfirmedFrame] = field(default_factory=dict)
    again: list[ConfirmedFrame] = field(default_factory=list)
    aside: list[FrameAside] = field(default_factory=list)

    def step(self, after: int) -> Step:
        """The journal's step with these frames, from where it is."""
        return Step(after, self.last, len(self.aside))


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
    if not frames:
        return StoreResult()
    batch = _sort(frames, market, refused)
    with transaction.atomic(), connection.cursor() as cursor:
        done = _book(cursor, market, source, batch)
        if isinstance(done, Booked):
            return _settle(cursor, market, source, batch, done)
    return _store(market, source, [frame for frame in frames if frame.number > done], refused)


def _book(cursor: CursorWrapper, market: Market, source: FrameSource, batch: _Sorted) -> Booked | int:
    """Book the batch; where the journal is already, and nothing is done, if that is further than before the batch."""
    if batch.first > 1:  # a journal's first frames find no progress yet
        booked = book(cursor, market, source, batch.trades, step=batch.step(batch.first - 1))
        if booked is not None:
            return booked
    position = _lock_progress(cursor, market, source)
    if position >= batch.first:
        return position
    return book_with_traders(cursor, market, source, batch.trades, step=batch.step(position))


def _settle(cursor: CursorWrapper, market: Market, source: FrameSource, batch: _Sorted, booked: Booked) -> StoreResult:
    """What is not new is a duplicate or a conflict; keep aside what is to be, and have the news sent."""
    known = [trade for key, trade in batch.trades.items() if key not in booked.ids]
    duplicates, conflicts = _compare(market, known + batch.again)
    if known or batch.again:
        _correct_progress(cursor, source, -len(known), duplicates, len(conflicts))
    insert_aside(cursor, market, source, batch.aside + conflicts)
    changes = booked.changes
    if changes:
        transaction.on_commit(lambda: announce_positions(changes), robust=True)
    if conflicts:
        transaction.on_commit(lambda: _say_conflicts(market, source, conflicts), robust=True)
    received = len(batch.trades) + len(batch.again) + len(batch.aside)
    return StoreResult(received, len(booked.ids), duplicates, len(conflicts), len(batch.aside), changes)


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
    batch = _Sorted(frames[0].number, frames[-1].number)
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


def _correct_progress(cursor: CursorWrapper, source: FrameSource, stored: int, duplicates: int, conflicts: int) -> None:
    """Count differently what was counted as stored when it was booked (bookings.py), and what was left to be judged."""
    cursor.execute(
        """UPDATE trades_journalprogress SET received = received + %s, stored = stored + %s,
               duplicates = duplicates + %s, conflicts = conflicts + %s
           WHERE journal = %s""",
        [stored + duplicates + conflicts, stored, duplicates, conflicts, source.journal],
    )


def _compare(market: Market, trades: list[ConfirmedFrame]) -> tuple[int, list[FrameAside]]:
    """Trades whose id is stored already: the number of true duplicates, and the conflicts to keep aside."""
    if not trades:
        return 0, []
    first = stored_facts(market_id=market.pk, exchange_ids=(t.confirmation.exchange_id for t in trades))
    other = [trade for trade in trades if first[trade.confirmation.exchange_id].differences(trade.confirmation)]
    if not other:  # nearly always: nobody has to be asked what was corrected
        return len(trades), []
    judged = judged_facts(market_id=market.pk, exchange_ids=(t.confirmation.exchange_id for t in other))
    conflicts = []
    for trade in other:
        facts = judged[trade.confirmation.exchange_id]
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
) -> bool:
    """Book one confirmation that a person has judged, with its position; False, and nothing is done, where a trade has
    its id already."""
    trade = ConfirmedFrame(confirmation, JournalFrame(1, received_at, b""))
    with transaction.atomic(), connection.cursor() as cursor:
        booked = book_with_traders(
            cursor, market, source, {confirmation.exchange_id: trade}, second_side_of=second_side_of
        )
        transaction.on_commit(lambda: announce_positions(booked.changes), robust=True)
    return bool(booked.ids)


def complete_journal(*, market: Market, source: FrameSource) -> None:
    """Note that all of a journal is stored and nobody writes to it any more, so that no start reads it again."""
    JournalProgress.objects.update_or_create(
        journal=source.journal,
        defaults={"complete": True},
        create_defaults={"market": market, "listener": source.listener, "complete": True},
    )
