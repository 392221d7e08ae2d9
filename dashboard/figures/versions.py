"""How often the figures of boards have changed: what open boards and alerts compare with, in one statement."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from dashboard.figures.board_key import WHOLE_DESK
from market.statements.keyed import value_of_each

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
    """Of each the changes of its positions, and of its day's prices, as figures.board.board_version counts them.

    One query; without keys nothing is asked.
    """
    asked = {key: (_EVERYBODY if key[0] is WHOLE_DESK else key[0], *key[1:]) for key in keys}
    found = value_of_each(_CHANGES, set(asked.values()))
    return {key: (found[wanted][0], found[wanted][1]) for key, wanted in asked.items()}
