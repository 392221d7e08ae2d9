"""Every write that an exchange's file causes: one transaction a call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from market.models import Market
from trades.frames import FrameSource, JournalFrame
from trades.imports.files import FileLine
from trades.ledger.bookings import ConfirmedFrame, book_with_traders
from trades.ledger.confirmations import TradeConfirmation, Unusable
from trades.ledger.store import FrameAside, insert_aside
from trades.models import QuarantinedMessage
from trades.signals import announce_positions


def add_from_file(*, market: Market, source: FrameSource, lines: Sequence[FileLine], now: datetime) -> int:
    """Add trades that the exchange's file has and the desk hadn't, with their positions. Returns how many were new."""
    trades = {
        line.parsed.exchange_id: ConfirmedFrame(line.parsed, JournalFrame(line.number, now, line.text.encode()))
        for line in lines
        if isinstance(line.parsed, TradeConfirmation)
    }
    with transaction.atomic(), connection.cursor() as cursor:
        booked = book_with_traders(cursor, market, source, trades)
        if booked.changes:
            transaction.on_commit(lambda: announce_positions(booked.changes), robust=True)
    return len(booked.ids)


@transaction.atomic
def keep_file_conflicts(
    *, market: Market, source: FrameSource, aside: Sequence[tuple[FileLine, Unusable]], now: datetime
) -> None:
    """Keep the file's lines that contradict stored trades, or are their other sides, once per file and line."""
    frames = [
        FrameAside(JournalFrame(line.number, now, _as_frame(line)), why, QuarantinedMessage.Kind.CONFLICT)
        for line, why in aside
    ]
    with connection.cursor() as cursor:
        insert_aside(cursor, market, source, frames)


def _as_frame(line: FileLine) -> bytes:
    """The line as a confirmation that can be judged like one of the wire's, with the line itself beside it."""
    c = line.parsed
    assert isinstance(c, TradeConfirmation)
    fields = {
        "id": c.exchange_id,
        "price": float(c.price),
        "quantity": float(c.quantity),
        "direction": c.direction,
        "delivery_day": c.delivery_day.isoformat(),
        "delivery_hour": c.delivery_hour,
        "trader_id": c.trader_id,
        "execution_time": c.execution_time.isoformat(),
    }
    return json.dumps({"trade_confirmation": fields, "line": line.text}, ensure_ascii=False).encode()


@transaction.atomic
def flag_as_not_in_file(*, market: Market, exchange_ids: Sequence[str]) -> None:
    """Flag stored trades that the exchange's file doesn't have; the facts stay, a person must look."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE trades_trade SET flags = flags || ARRAY['not_in_file']::varchar[]
               WHERE market_id = %s AND exchange_id = ANY(%s::text[]) AND NOT 'not_in_file' = ANY(flags)""",
            [market.pk, list(exchange_ids)],
        )


@transaction.atomic
def unflag_found_in_file(*, market: Market, sides: Sequence[tuple[str, str]]) -> int:
    """Take the flag from trades that a later file has. Returns how many had it.

    `sides` are the file's ids and directions: a trade is in it by its id, a booked second side also by its first's id
    and its own direction.
    """
    ids, directions = [exchange_id for exchange_id, _ in sides], [direction for _, direction in sides]
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE trades_trade SET flags = array_remove(flags, 'not_in_file')
               WHERE 'not_in_file' = ANY(flags) AND id IN (
                   SELECT id FROM trades_trade WHERE market_id = %s AND exchange_id = ANY(%s::text[])
                   UNION ALL
                   SELECT two.id FROM unnest(%s::text[], %s::text[]) AS side (exchange_id, direction)
                   JOIN trades_trade AS one ON one.market_id = %s AND one.exchange_id = side.exchange_id
                   JOIN trades_trade AS two ON two.second_side_of_id = one.id AND two.direction = side.direction)""",
            [market.pk, ids, ids, directions, market.pk],
        )
        return int(cursor.rowcount)
