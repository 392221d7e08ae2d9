"""How often the figures of boards and of their rows have changed; open boards and alerts ask for many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from dashboard.figures.board_key import WHOLE_DESK
from dashboard.figures.readings import Reading, rows_of
from dashboard.figures.references import Prices
from market.periods import HOUR, DeliveryPeriod
from market.statements.keyed import value_of_each
from prices.queries import KnownPrice
from trades.queries import PositionRow

Key = tuple[int | None, int, date]
"""Trader (or WHOLE_DESK) and market by primary key, and the delivery day."""

_EVERYBODY = 0
"""In place of a trader's primary key: the whole desk."""
# One statement of what belongs to two apps: every web process asks each second.
_CHANGES = f"""WITH wanted AS MATERIALIZED
        (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::date[]) AS w (trader, market, day)),
    days AS (SELECT DISTINCT market, day FROM wanted),
    priced AS MATERIALIZED (SELECT d.market, d.day, (SELECT coalesce(sum(r.revision), 0)
        FROM prices_referenceprice AS r WHERE r.market_id = d.market AND r.delivery_day = d.day)::bigint AS changes
        FROM days AS d)
    SELECT w.trader, w.market, w.day, ARRAY[CASE w.trader
        WHEN {_EVERYBODY} THEN (SELECT coalesce(sum(p.revision), 0) FROM trades_position AS p
            WHERE p.market_id = w.market AND p.delivery_day = w.day)
        ELSE (SELECT coalesce(sum(p.revision), 0) FROM trades_position AS p
            WHERE p.trader_id = w.trader AND p.market_id = w.market AND p.delivery_day = w.day)
        END::bigint, priced.changes]
    FROM wanted AS w JOIN priced USING (market, day)"""  # noqa: S608 - our own text, no input


def changes_of(keys: Collection[Key]) -> dict[Key, tuple[int, int]]:
    """Of each the changes of its positions, and of its day's prices, as `board_version` counts them.

    One query; without keys nothing is asked.
    """
    asked = {key: (_EVERYBODY if key[0] is WHOLE_DESK else key[0], *key[1:]) for key in keys}
    found = value_of_each(_CHANGES, set(asked.values()))
    return {key: (found[wanted][0], found[wanted][1]) for key, wanted in asked.items()}


def board_version(positions: Iterable[PositionRow], prices: Iterable[KnownPrice]) -> str:
    """A text that changes with every committed change of the figures, and never returns to an earlier one.

    Each position and price counts its own changes under its row lock, so the two sums only ever grow, in whichever
    order concurrent transactions commit.
    """
    return f"{sum(p.revision for p in positions)}.{sum(p.revision for p in prices)}"


def row_revisions(positions: list[PositionRow], reading: Reading, prices: Prices) -> dict[DeliveryPeriod, int]:
    """The changes of each row's positions; of an hour also those of the prices of what it holds."""
    revisions: dict[DeliveryPeriod, int] = {}
    for p in positions:
        for row in rows_of(p.period, reading):
            revisions[row] = revisions.get(row, 0) + p.revision
    if reading is Reading.HOUR:
        _add_what_it_holds(revisions, {p.period for p in positions if p.period.is_block}, prices)
    return revisions


def _add_what_it_holds(revisions: dict[DeliveryPeriod, int], blocks: set[DeliveryPeriod], prices: Prices) -> None:
    """An opened hour shows its quarters and the blocks that it is part of: their prices count."""
    for period, price in prices.items():
        shown_in = () if period.duration >= HOUR else rows_of(period, Reading.HOUR)
        in_blocks = (row for block in blocks if _lies_in(period, block) for row in rows_of(block, Reading.HOUR))
        for row in {*shown_in, *in_blocks}:
            revisions[row] = revisions.get(row, 0) + price.revision


def _lies_in(period: DeliveryPeriod, block: DeliveryPeriod) -> bool:
    return block.start <= period.start and period.end <= block.end
