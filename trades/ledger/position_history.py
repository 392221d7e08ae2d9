"""What became of each position over time: its trades summed by ten-minute slots of their execution.

Written in the transaction that changes the position, while its row is locked; so slots and position always agree, and
a board can show how its figures came about without reading trades (docs/decisions/0004-course-of-the-day.md).
"""

from __future__ import annotations

from django.db import connection
from django.db.backends.utils import CursorWrapper

from trades.effective_trades import IDENTITY, IS_POSITION, TRADES_OF_TRADERS_DAY, effective_trades
from trades.ledger.effective import PositionKey
from trades.queries import SLOT_SECONDS

_SUMS = f"""floor(extract(epoch FROM e.execution_time) / {SLOT_SECONDS})::bigint AS slot, count(*)::integer AS n,
    sum(e.quantity * extract(epoch FROM e.delivery_end - e.delivery_start) / 3600) AS mwh,
    sum(e.price * e.quantity * extract(epoch FROM e.delivery_end - e.delivery_start) / 3600) AS eur"""


def rebuild_slots(cursor: CursorWrapper, key: PositionKey) -> None:
    """Set a position's slots to what its trades add up to now, inside the transaction that holds its row's lock."""
    market_id, trader_pk, _, day, _, _ = key
    cursor.execute(
        f"""DELETE FROM trades_positionslot USING trades_position AS p
            WHERE position_id = p.id AND {IS_POSITION}""",  # noqa: S608 - our own text
        list(key),
    )
    cursor.execute(
        f"""INSERT INTO trades_positionslot (position_id, slot, trade_count, energy, turnover)
            SELECT p.id, {_SUMS} FROM trades_position AS p JOIN (
                {effective_trades(ids=TRADES_OF_TRADERS_DAY)}) AS e USING ({IDENTITY})
            WHERE {IS_POSITION} GROUP BY p.id, slot""",  # noqa: S608 - our own text
        [market_id, trader_pk, day, trader_pk, day, *key],
    )


def slot_differences() -> list[PositionKey]:
    """Positions whose slots are not what their trades add up to, from one snapshot; safe while trades arrive."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH t AS (SELECT {IDENTITY}, {_SUMS} FROM ({effective_trades()}) AS e GROUP BY {IDENTITY}, slot),
                s AS (SELECT {IDENTITY}, s.slot, s.trade_count, s.energy, s.turnover
                    FROM trades_positionslot AS s JOIN trades_position AS p ON p.id = s.position_id)
            SELECT DISTINCT {IDENTITY} FROM t FULL JOIN s USING ({IDENTITY}, slot)
            WHERE (t.n, t.mwh, t.eur) IS DISTINCT FROM (s.trade_count, s.energy, s.turnover)
            ORDER BY delivery_start, trader_id, direction"""  # noqa: S608 - our own text, no input
        )
        return [tuple(row) for row in cursor.fetchall()]
