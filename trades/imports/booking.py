"""Every write that an exchange's file causes: one transaction a call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from market.models import Market
from trades.frames import FrameSource, JournalFrame
from trades.imports.files import FileLine
from trades.ledger.confirmations import TradeConfirmation
from trades.ledger.store import (
    ConfirmedFrame,
    FrameAside,
    add_to_positions,
    conflict_reason,
    insert_aside,
    insert_trades,
)
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
        stored = insert_trades(cursor, market, source, trades)
        changes = add_to_positions(cursor, market, [trades[key] for key in stored], stored)
        if changes:
            transaction.on_commit(lambda: announce_positions(changes), robust=True)
    return len(stored)


@transaction.atomic
def keep_file_conflicts(
    *, market: Market, source: FrameSource, different: Sequence[tuple[FileLine, list[str]]], now: datetime
) -> None:
    """Keep the file's lines that contradict stored trades aside, once per file and line."""
    aside = [
        FrameAside(
            JournalFrame(line.number, now, line.text.encode()),
            conflict_reason(line.parsed.exchange_id, differing),
            QuarantinedMessage.Kind.CONFLICT,
        )
        for line, differing in different
    ]
    with connection.cursor() as cursor:
        insert_aside(cursor, market, source, aside)


@transaction.atomic
def flag_as_not_in_file(*, market: Market, exchange_ids: Sequence[str]) -> None:
    """Flag stored trades that the exchange's file doesn't have; the facts stay, a person must look."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE trades_trade SET flags = flags || ARRAY['not_in_file']::varchar[]
               WHERE market_id = %s AND exchange_id = ANY(%s::text[]) AND NOT 'not_in_file' = ANY(flags)""",
            [market.pk, list(exchange_ids)],
        )
