"""The statements that keep closed days' sums, compare them, and add them up. Our own text, no input."""

from __future__ import annotations

from dashboard.figures.history_sql import SUMS

NUMBERS = ("trades", "energy", "turnover", "result", "priced", "unpriced", "stand_in")
"""As a history's rows have them, in this order."""
_ARRAYS = ("hours", *(f"hour_{name}" for name in NUMBERS))
_COLUMNS = ", ".join(("trader", "direction", *NUMBERS, *_ARRAYS))
_IN_ALL = ", ".join(f"max({name}) FILTER (WHERE hour IS NULL) AS {name}" for name in NUMBERS)
_BY_HOUR = ", ".join(
    f"array_agg({name} ORDER BY hour) FILTER (WHERE hour IS NOT NULL) AS {array}"
    for name, array in zip(("hour", *NUMBERS), _ARRAYS, strict=True)
)
_ONE_ROW = f"trader, direction, {_IN_ALL}, {_BY_HOUR}"
_SUM = ", ".join(f"sum({name})::bigint" if name == "trades" else f"sum({name})" for name in NUMBERS)
_EACH_HOUR = f"unnest({', '.join(_ARRAYS)}) AS by_hour (hour, {', '.join(NUMBERS)})"
_OF_BOTH = _EACH_HOUR.replace("(hours", "(one.hours").replace(", hour_", ", one.hour_")

_OF_DAY = """FROM trades_position
        WHERE market_id = %(market)s AND delivery_day BETWEEN %(first)s AND %(last)s AND trade_count > 0"""
_FRESH = f"""products AS (
        SELECT delivery_day, delivery_start, delivery_end, trader_id, direction, trade_count AS trades, energy, turnover
        {_OF_DAY}
        UNION ALL
        SELECT delivery_day, delivery_start, delivery_end, 0, direction, sum(trade_count), sum(energy), sum(turnover)
        {_OF_DAY} GROUP BY 1, 2, 3, 5
    ), HELD, sums (trader, direction, hour, {", ".join(NUMBERS)}) AS (
        SELECT trader_id, direction, hour,
            (CASE GROUPING(hour) WHEN 0 THEN sum(touching) ELSE sum(trades) END)::bigint, {SUMS}
        FROM (SELECT *, extract(hour FROM delivery_start AT TIME ZONE %(zone)s)::smallint AS hour FROM PRICES) AS timed
        GROUP BY GROUPING SETS ((1, 2, 3), (1, 2))
    )"""  # noqa: S608 - our own text
"""A day's, as the statements of history_sql.py have them for a trader and, as trader 0, for the desk together."""

KEEP_DAY = f"""INSERT INTO dashboard_keptsum (kept_id, minutes, {_COLUMNS})
    WITH {_FRESH}
    SELECT %(kept)s, %(minutes)s, {_ONE_ROW} FROM sums GROUP BY trader, direction"""  # noqa: S608 - our own text

_MONTH = f"""one AS MATERIALIZED (SELECT * FROM dashboard_keptsum WHERE kept_id IN ({{}})),
    sums (minutes, trader, direction, hour, {", ".join(NUMBERS)}) AS (
        SELECT minutes, trader, direction, NULL::smallint, {_SUM} FROM one GROUP BY 1, 2, 3
        UNION ALL
        SELECT minutes, trader, direction, by_hour.hour, {_SUM.replace("sum(", "sum(by_hour.")}
        FROM one, {_OF_BOTH} GROUP BY 1, 2, 3, 4
    )"""  # noqa: S608 - our own text

KEEP_MONTH = f"""INSERT INTO dashboard_keptsum (kept_id, minutes, {_COLUMNS})
    WITH {_MONTH.format("SELECT unnest(%(days)s::bigint[])")}
    SELECT %(kept)s, minutes, {_ONE_ROW} FROM sums GROUP BY minutes, trader, direction"""  # noqa: S608

HOLDS = """NOT EXISTS (SELECT 1 FROM dashboard_historychange AS c
            WHERE c.market_id = k.market_id AND c.delivery_day BETWEEN k.first_day AND k.last_day)"""
_KEPT_ROWS = f"SELECT {_COLUMNS} FROM dashboard_keptsum WHERE kept_id = %(kept)s AND minutes = %(minutes)s"  # noqa: S608
DIFFERENCES = f"""WITH {_FRESH}, fresh AS (SELECT {_ONE_ROW} FROM sums GROUP BY trader, direction),
    kept AS ({_KEPT_ROWS})
    SELECT count(*) FROM ((TABLE fresh EXCEPT ALL TABLE kept) UNION ALL (TABLE kept EXCEPT ALL TABLE fresh)) AS other
    WHERE EXISTS (SELECT 1 FROM dashboard_kepthistory AS k WHERE k.id = %(kept)s AND {HOLDS})"""  # noqa: S608
"""How many of a kept day's rows of a reading are not what positions and prices give; 0 where they hold no more."""

_ITS_DAYS = """SELECT id FROM dashboard_kepthistory
        WHERE market_id = %(market)s AND first_day = last_day AND first_day BETWEEN %(first)s AND %(last)s"""
MONTH_DIFFERENCES = f"""WITH {_MONTH.format(_ITS_DAYS)},
    fresh AS (SELECT minutes, {_ONE_ROW} FROM sums GROUP BY minutes, trader, direction),
    kept AS (SELECT minutes, {_COLUMNS} FROM dashboard_keptsum WHERE kept_id = %(kept)s)
    SELECT count(*) FROM ((TABLE fresh EXCEPT ALL TABLE kept) UNION ALL (TABLE kept EXCEPT ALL TABLE fresh)) AS other
    WHERE EXISTS (SELECT 1 FROM dashboard_kepthistory AS k WHERE k.id = %(kept)s AND {HOLDS})"""  # noqa: S608

# --- reading --------------------------------------------------------------------------------------------------------
_PARTS = f"""WITH kept AS MATERIALIZED (
        SELECT k.id, k.first_day, k.last_day FROM dashboard_kepthistory AS k
        JOIN unnest(%(from)s::date[], %(until)s::date[], %(bases)s::text[]) AS rule (first_day, last_day, words)
            ON k.first_day >= rule.first_day AND k.last_day <= rule.last_day AND k.basis = rule.words
        WHERE k.market_id = %(market)s AND k.first_day BETWEEN %(first)s AND %(last)s AND {HOLDS}
    ), days AS MATERIALIZED (SELECT id, first_day AS day FROM kept WHERE first_day = last_day
    ), months AS MATERIALIZED (
        SELECT id, first_day, last_day FROM kept WHERE first_day < last_day
            AND (SELECT count(*) FROM days WHERE day BETWEEN first_day AND last_day) = last_day - first_day + 1
    ), parts AS MATERIALIZED (
        SELECT id FROM months UNION ALL SELECT id FROM days
        WHERE NOT EXISTS (SELECT 1 FROM months WHERE day BETWEEN first_day AND last_day)
    ), own AS MATERIALIZED (
        SELECT one.* FROM parts JOIN dashboard_keptsum AS one ON kept_id = parts.id
            AND minutes = %(minutes)s AND trader = coalesce(%(trader)s::bigint, 0)
    )"""  # noqa: S608 - our own text
"""Whole months where they are kept, days beside them; all of it of one snapshot."""
_NOTHING = ", ".join(["NULL::bigint", *["NULL::numeric"] * (len(NUMBERS) - 1)])
_COVERED = f"SELECT 'kept', day, NULL::bigint, NULL::text, {_NOTHING} FROM days"  # noqa: S608
_TOTAL = f"SELECT 'total', NULL::date, NULL::bigint, direction, {_SUM} FROM own GROUP BY direction"  # noqa: S608

TOTAL = f"{_PARTS} {_COVERED} UNION ALL {_TOTAL}"
ALL = f"""{_PARTS}
    {_COVERED} UNION ALL {_TOTAL}
    UNION ALL SELECT 'day', day, NULL, direction, {", ".join(NUMBERS)}
    FROM days JOIN dashboard_keptsum ON kept_id = days.id
        AND minutes = %(minutes)s AND trader = coalesce(%(trader)s::bigint, 0)
    UNION ALL SELECT 'hour', NULL, by_hour.hour, direction, {_SUM.replace("sum(", "sum(by_hour.")}
    FROM own AS one, {_OF_BOTH} GROUP BY by_hour.hour, direction
    UNION ALL SELECT 'trader', NULL, one.trader, direction, {_SUM}
    FROM parts JOIN dashboard_keptsum AS one ON kept_id = parts.id AND minutes = %(minutes)s AND trader > 0
    WHERE %(trader)s::bigint IS NULL GROUP BY one.trader, direction"""  # noqa: S608 - our own text
"""Rows (of what, day, hour or trader, direction, NUMBERS); `kept` names the days that are in all the others."""

# --- keeping --------------------------------------------------------------------------------------------------------
FORGET = """WITH gone AS (
        DELETE FROM dashboard_historychange WHERE market_id = %(market)s AND delivery_day = %(first)s
    ), past AS (
        SELECT id FROM dashboard_kepthistory
        WHERE market_id = %(market)s AND %(first)s BETWEEN first_day AND last_day
    ), sums AS (
        DELETE FROM dashboard_keptsum WHERE kept_id IN (SELECT id FROM past)
    )
    DELETE FROM dashboard_kepthistory WHERE id IN (SELECT id FROM past)"""
"""A day's, and those of the month that it is in."""
KEPT = """INSERT INTO dashboard_kepthistory (market_id, first_day, last_day, basis)
    VALUES (%(market)s, %(first)s, %(last)s, %(basis)s) RETURNING id"""
DAYS = f"""SELECT k.first_day, k.last_day, k.basis, k.id FROM dashboard_kepthistory AS k
    WHERE k.market_id = %(market)s AND {HOLDS} ORDER BY k.first_day"""  # noqa: S608
FIRST_DAY = "SELECT min(delivery_day) FROM trades_position WHERE market_id = %(market)s"
