"""The tables of prices, for the register (market/tables.py)."""

from __future__ import annotations

from market.tables import Table

TABLES = (
    Table(
        "prices_referenceprice",
        figures="""SELECT coalesce(sum(r.revision), 0) FROM prices_referenceprice r
    WHERE r.market_id = %(market)s AND r.delivery_day = %(day)s""",
    ),
    Table("prices_referencepricehistory", kept=True, shows_nothing="a new price changes prices_referenceprice, too"),
    Table("prices_pricecorrection", kept=True, shows_nothing="what is restated stands in prices_referenceprice, too"),
    Table("prices_pricecheck", kept=True, shows_nothing="what comes of it is a new price"),
    Table("prices_providerrequest", shows_nothing="pages hear of the feed's state over their sockets"),
)
