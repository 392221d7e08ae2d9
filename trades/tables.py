"""The tables of trades, for the register (market/tables.py)."""

from __future__ import annotations

from market.tables import ROWS, Table

TABLES = (
    Table("trades_trader", frame=f"SELECT {ROWS.format('t')} FROM trades_trader t"),
    Table("trades_trade", kept=True, may_change=("flags",), shows_nothing="a board reads positions"),
    Table("trades_tradechange", kept=True, shows_nothing="a board reads positions"),
    Table(
        "trades_position",
        figures="""SELECT coalesce(sum(p.revision), 0) FROM trades_position p
    WHERE p.trader_id = %(trader)s AND p.market_id = %(market)s AND p.delivery_day = %(day)s""",
    ),
    Table("trades_positionslot", shows_nothing="it changes with its position's revision"),
    Table(
        "trades_quarantinedmessage",
        kept=True,
        may_change=("status", "handled_by_id", "handled_at", "note"),
        shows_nothing="frames kept aside are the status page's",
    ),
    Table("trades_journalprogress", shows_nothing="how far journals are stored is the status page's"),
    Table(
        "trades_feedconnection",
        # Without the word that a listener gives every moment: pages hear of that over their sockets.
        frame="""SELECT max(connected_at) || ':' || count(disconnected_at) FROM (
      SELECT * FROM trades_feedconnection WHERE market_id = %(market)s ORDER BY alive_at DESC LIMIT 16) f""",
    ),
    Table(
        "trades_feedgap",
        kept=True,
        may_change=("closed_at", "closed_by_id", "note", "covered"),
        frame=f"SELECT {ROWS.format('o')} FROM trades_feedgap o WHERE o.market_id = %(market)s AND o.closed_at IS NULL",
    ),
)
