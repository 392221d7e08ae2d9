"""The tables of the dashboard, for the register (market/tables.py)."""

from __future__ import annotations

from market.tables import ROWS, Table

TABLES = (
    Table(
        "dashboard_traderlogin",
        frame=f"""SELECT {ROWS.format("l")} FROM dashboard_traderlogin l
      JOIN accounts_usersession s ON s.user_id = l.user_id WHERE s.session_key = %(session)s""",
    ),
    *(
        Table(f"dashboard_{name}", kept=True, shows_nothing="a board's page asks for assumptions apart")
        for name in ("assumption", "assumedperiod", "frozenprice", "verdictrecord", "withdrawal")
    ),
    Table("dashboard_assumptionpolicy", shows_nothing="a board's page asks for assumptions apart"),
    *(
        Table(f"dashboard_alert{name}", shows_nothing="a board's page asks for alerts apart")
        for name in ("", "rule", "target", "delivery", "watch", "sample")
    ),
    Table("dashboard_event", shows_nothing="programs read it, not pages"),
    Table("dashboard_eventcount", shows_nothing="programs read it, not pages"),
    Table("dashboard_likemoves", shows_nothing="a board's page goes by the day's ten minutes"),
    *(
        Table(f"dashboard_{name}", shows_nothing="a board's page has no history")
        for name in ("kepthistory", "keptsum", "historychange")
    ),
    Table("dashboard_firstvisit", shows_nothing="the first visit's cookie is part of the request"),
    Table("dashboard_hiddenmarks", shows_nothing="the marks' cookie is part of the request"),
    Table("dashboard_preference", shows_nothing="the language's cookie is part of the request"),
)
