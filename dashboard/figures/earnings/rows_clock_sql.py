"""The clock's statement for rows of one length: by hour, or by quarter hour. Our own text, no input.

What clock_sql.CLOCK says of them, at a third less: trades are held against the prices of their hour, all of them in one
row, instead of being cut into rows that each look for a price. The MWh and EUR of a row are the same part of MW and
MW x price for every product, so they are worked out once a cell.
"""

from __future__ import annotations

from collections.abc import Iterator

from dashboard.figures.earnings.clock_sql import COUNTED
from market.models import Market

_AN_HOUR = "date_trunc('hour', delivery_start, 'UTC')"
_LENGTH = "delivery_end - delivery_start"
_RULE = """(SELECT source FROM market_referencerule AS r WHERE r.market_id = %(market)s AND r.minutes = MINUTES
            AND r.valid_from <= prices.delivery_day ORDER BY r.valid_from DESC LIMIT 1)"""

_STATEMENT = f"""{COUNTED}, products AS (
        SELECT delivery_day, delivery_start, {_LENGTH} AS length, step, direction, count(*) AS trades,
            sum(quantity) AS mw, sum(quantity * price) AS worth
        FROM timed GROUP BY 1, 2, 3, 4, 5
    ), prices AS (
        SELECT delivery_day, {_AN_HOUR} AS starts, max(value) FILTER (WHERE {_LENGTH} = interval '1 hour') AS whole,
            FOUND
        FROM prices_referenceprice
        WHERE market_id = %(market)s AND delivery_day BETWEEN %(first)s AND %(last)s
            AND {_LENGTH} IN (interval '1 hour', %(length)s)
        GROUP BY 1, 2
    ), hours AS (SELECT delivery_day, starts, SOURCE AS source, VALUES FROM prices
    ), held AS (
        SELECT delivery_day, {_AN_HOUR} AS starts, extract(minute FROM delivery_start)::int / MINUTES AS place,
            CASE length WHEN interval '1 hour' THEN ROWS WHEN interval '30 minutes' THEN (ROWS + 1) / 2 ELSE 1 END AS n,
            least(PART, CASE length WHEN interval '15 minutes' THEN 0.25 WHEN interval '30 minutes' THEN 0.5 ELSE 1 END)
                AS part,
            step, direction, trades, trades AS touching, mw, worth
        FROM products WHERE length <= interval '1 hour'
        UNION ALL
        SELECT delivery_day, starts, 0, ROWS, PART, step, direction,
            CASE WHEN starts = delivery_start THEN trades ELSE 0 END, trades, mw, worth
        FROM products, generate_series(delivery_start, delivery_start + length - interval '1 hour', '1 hour') AS starts
        WHERE length > interval '1 hour'
    ), cells AS (
        SELECT extract(hour FROM starts AT TIME ZONE %(zone)s)::int AS hour, step, direction, source, part, n,
            KNOWN AS known, sum(touching) AS touching, sum(trades) AS trades, sum(mw) AS mw, sum(worth) AS worth,
            sum(mw * (VALUE)) AS market
        FROM held LEFT JOIN hours USING (delivery_day, starts) GROUP BY 1, 2, 3, 4, 5, 6, 7
    )
    SELECT hour, step, direction, (CASE GROUPING(hour) WHEN 0 THEN sum(touching) ELSE sum(trades) END)::bigint,
        sum(mw * n * part), sum(worth * n * part),
        sum(part * CASE direction WHEN 'sell' THEN worth * known - market ELSE market - worth * known END)
            FILTER (WHERE known > 0),
        coalesce(sum(mw * known * part), 0), coalesce(sum(mw * (n - known) * part), 0),
        coalesce(sum(mw * known * part) FILTER (WHERE source = 'hour'), 0)
    FROM cells GROUP BY GROUPING SETS ((1, 2, 3), (1, 3), (2, 3), (3))"""  # noqa: S608 - our own text
"""`n` rows of an hour from its `place` on, `known` of them with a price; `part`: a row's hours, or the product's where
that is shorter. `market`: MW by the sum of the prices of its rows."""


def rows_clock(market: Market, minutes: int) -> str:
    """The statement for rows of so many minutes, 15 or 60, by the market's rules; parameters as CLOCK's."""
    count, ruled = 60 // minutes, bool(market.dated.sources) and minutes < 60
    columns = [f"v{place}" for place in range(count)]
    found = (
        f"max(value) FILTER (WHERE {_LENGTH} = %(length)s AND extract(minute FROM delivery_start) = {place * minutes})"
        for place in range(count)
    )
    rule = "CASE source WHEN 'hour' THEN whole WHEN 'none' THEN NULL ELSE {0} END AS {0}"
    text = _STATEMENT
    for name, part in (
        ("FOUND", ", ".join(f"{one} AS {column}" for one, column in zip(found, columns, strict=True))),
        ("SOURCE AS source, VALUES FROM prices", _ruled(columns, rule) if ruled else _own(columns)),
        ("KNOWN", _of_rows(columns, "num_nonnulls({})", ", ")),
        ("VALUE", _of_rows([f"coalesce({column}, 0)" for column in columns], "{}", " + ")),
        ("MINUTES", str(minutes)),
        ("ROWS", str(count)),
        ("PART", "0.25" if minutes < 60 else "1"),
    ):
        text = text.replace(name, part)
    return text


def _own(columns: list[str]) -> str:
    return f"NULL::text AS source, {', '.join(columns)} FROM prices"


def _ruled(columns: list[str], rule: str) -> str:
    values = ", ".join(rule.format(column) for column in columns)
    return f"source, {values} FROM prices LEFT JOIN LATERAL {_RULE} AS rule ON true"


def _of_rows(columns: list[str], of_them: str, between: str) -> str:
    """What is said of the `n` columns from `place` on."""
    return f"CASE {' '.join(_cases(columns, of_them, between))} END"


def _cases(columns: list[str], of_them: str, between: str) -> Iterator[str]:
    count = len(columns)
    for n in sorted({1, (count + 1) // 2, count}, reverse=True):
        for place in range(0, count, n):
            some = of_them.format(between.join(columns[place : place + n]))
            yield f"WHEN (n, place) = ({n}, {place}) THEN {some}"
