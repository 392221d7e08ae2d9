"""The one statement for a trade as it counts: its own facts, or those of its newest correction. Text only, no I/O.

The trade's own row never changes. What people decided of it stands in trades_tradechange; the newest decision holds.
Moments are of when we knew: a trade counts from its `received_at`, a change from its `made_at`. A frame that was kept
aside counts from when a person let it be booked: until then no board had it.
"""

from __future__ import annotations

IDENTITY = "market_id, trader_id, direction, delivery_day, delivery_start, delivery_end"
"""The columns that name a position, in the order of `trades.ledger.effective.PositionKey`."""

IS_POSITION = f"({IDENTITY}) = (%s, %s, %s, %s, %s, %s)"
"""Takes a PositionKey."""

KNOWN_SINCE = """CASE WHEN starts_with(t.source, 'quarantine-') THEN greatest(t.received_at, t.stored_at)
    ELSE t.received_at END"""
"""When a trade of the alias t began to count here."""

TRADES_OF_TRADERS_DAY = """SELECT id FROM trades_trade WHERE market_id = %s AND trader_id = %s AND delivery_day = %s
    UNION SELECT trade_id FROM trades_tradechange WHERE trader_id = %s AND delivery_day = %s"""
"""Ids of all trades that are or ever were of a trader's day; takes market, trader, day, trader, day."""


def effective_trades(ids: str = "", *, moment: str = "", cancelled_too: bool = False) -> str:
    """The SELECT of trades as they count: facts as they are now, and `kind`, `reason`, `change` of the newest change.

    `ids` is a SELECT of the trades' primary keys (all of them without it), `moment` an SQL expression: the trades as
    they counted then. A cancelled trade is left out, or keeps the facts that it had. Parameters of `ids` come once,
    those of `moment` three times with `ids`, twice without, in the order of the text.
    """
    known = f"made_at <= {moment}" if moment else ""
    kept = _where(
        "" if cancelled_too else "n.kind IS DISTINCT FROM 'cancelled'", f"{KNOWN_SINCE} <= {moment}" if moment else ""
    )
    columns = f"""t.id, t.exchange_id, t.market_id, {_FACTS}, t.execution_time, t.received_at, t.flags,
        coalesce(n.kind, '') AS kind, coalesce(n.reason, '') AS reason, n.id AS change"""
    return _of_some(ids, known, columns, kept) if ids else _of_all(known, columns, kept)


def _of_some(ids: str, known: str, columns: str, kept: str) -> str:
    """By index, a look or two a trade: how many of them have changes PostgreSQL can't know."""
    of_trade = "SELECT {} FROM trades_tradechange WHERE trade_id = t.id{} ORDER BY id DESC LIMIT 1"
    condition = f" AND {known}" if known else ""
    newest = of_trade.format("id, kind, reason", condition)
    facts = of_trade.format("*", f" AND kind = 'corrected'{condition}")
    return f"""WITH candidates AS ({ids}) SELECT {columns} FROM candidates JOIN trades_trade AS t USING (id)
        LEFT JOIN LATERAL ({newest}) AS n ON true LEFT JOIN LATERAL ({facts}) AS f ON true {kept}"""  # noqa: S608


def _of_all(known: str, columns: str, kept: str) -> str:
    """All changes, of which there are few, joined to all trades."""
    return f"""WITH changes AS (SELECT * FROM trades_tradechange {_where(known)}),
        newest AS (SELECT DISTINCT ON (trade_id) trade_id, id, kind, reason FROM changes ORDER BY trade_id, id DESC),
        facts AS (SELECT DISTINCT ON (trade_id) * FROM changes WHERE kind = 'corrected' ORDER BY trade_id, id DESC)
    SELECT {columns} FROM trades_trade AS t
        LEFT JOIN newest AS n ON n.trade_id = t.id LEFT JOIN facts AS f ON f.trade_id = t.id {kept}"""  # noqa: S608


_FACTS = ", ".join(
    f"coalesce({f'nullif(f.{name}, {empty!r})' if empty is not None else f'f.{name}'}, t.{name}) AS {name}"
    for name, empty in (
        ("trader_id", None),
        ("direction", ""),
        ("price", None),
        ("quantity", None),
        ("delivery_day", None),
        ("delivery_hour", ""),
        ("delivery_start", None),
        ("delivery_end", None),
    )
)


def _where(*conditions: str) -> str:
    wanted = " AND ".join(condition for condition in conditions if condition)
    return f"WHERE {wanted}" if wanted else ""
