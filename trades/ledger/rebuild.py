"""Positions computed anew from the trades as they count now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from trades.effective_trades import IDENTITY, IS_POSITION, TRADES_OF_TRADERS_DAY, effective_trades
from trades.ledger.effective import SUMS, PositionKey
from trades.ledger.position_history import rebuild_slots
from trades.signals import announce_positions

_TRADES_OF_POSITION = f"""(SELECT {IDENTITY}, {SUMS} FROM ({effective_trades(ids=TRADES_OF_TRADERS_DAY)}) AS e
    WHERE {IS_POSITION} GROUP BY {IDENTITY}) AS s"""  # noqa: S608 - our own text


def rebuild_positions(*, keys: Sequence[PositionKey]) -> int:
    """Set each position to what its trades add up to, one transaction a position, while trades go on arriving.

    The row is locked before the trades are read: a transaction that is adding to it has either committed, and is
    read, or waits and adds afterwards.
    """
    for key in keys:
        _rebuild_position(key)
    return len(keys)


def _rebuild_position(key: PositionKey) -> None:
    """Lock the position's row (making one if there is none), then set it to what its trades add up to now."""
    market_id, trader_pk, _, day, _, _ = key
    of_position: list[Any] = [market_id, trader_pk, day, trader_pk, day, *key]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO trades_position ({IDENTITY}, delivery_hour, trade_count, quantity, energy, turnover,
                   revision)
               SELECT {IDENTITY}, hour, 0, 0, 0, 0, 0 FROM {_TRADES_OF_POSITION} ON CONFLICT DO NOTHING""",  # noqa: S608
            of_position,
        )
        cursor.execute(
            f"SELECT 1 FROM trades_position WHERE {IS_POSITION} FOR UPDATE",  # noqa: S608
            list(key),
        )
        cursor.execute(
            f"""UPDATE trades_position AS p SET trade_count = coalesce(a.n, 0), quantity = coalesce(a.mw, 0),
                   energy = coalesce(a.mwh, 0), turnover = coalesce(a.eur, 0), revision = p.revision + 1,
                   updated_at = now()
               FROM (SELECT sum(n)::integer AS n, sum(mw) AS mw, sum(mwh) AS mwh, sum(eur) AS eur
                   FROM {_TRADES_OF_POSITION}) AS a
               WHERE {IS_POSITION}""",  # noqa: S608 - our own text
            [*of_position, *key],
        )
        rebuild_slots(cursor, key)
        transaction.on_commit(lambda: announce_positions({(trader_pk, market_id, day)}), robust=True)
