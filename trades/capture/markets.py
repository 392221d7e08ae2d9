"""Which market a listener serves and where its exchange is, known also while PostgreSQL is away."""

from __future__ import annotations

import json
import time
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from market.models import Market
from market.queries import market_by_code

log = structlog.get_logger("trades.capture.markets")

MARKET_KEPT_SECONDS = 60.0

ADDRESS_FILE = "markets.json"


class Markets:
    """Markets by code from PostgreSQL, remembered for a minute; one instance per thread that reads them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Market]] = {}

    def __call__(self, code: str) -> Market:
        """Raises django.db.DatabaseError when PostgreSQL is away, MarketError for a market that isn't there."""
        kept = self._known.get(code)
        if kept is None or time.monotonic() - kept[0] > MARKET_KEPT_SECONDS:
            kept = (time.monotonic(), market_by_code(code))
            self._known[code] = kept
        return kept[1]


def market_and_address(directory: Path, wanted: str | None) -> tuple[str, str]:
    """The market's code and its exchange's address. With PostgreSQL away: as it was at the last start.

    Listening must begin even when the database can't be asked, because nothing pushed meanwhile ever comes again.
    At the very first start there is nothing to remember: then PostgreSQL is waited for.
    """
    remembered = directory / ADDRESS_FILE
    known: dict[str, str] = json.loads(remembered.read_text()) if remembered.exists() else {}
    tries = 0
    while True:
        try:
            market = market_by_code(wanted)
            break
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            code = wanted or (next(iter(known)) if len(known) == 1 else None)
            if code in known:
                log.warning("listening_without_database", market=code)
                return code, known[code] or settings.EXCHANGE_WS_URL
            if tries % 30 == 0:
                log.warning("waiting_for_database", error=str(error).splitlines()[0])
            tries += 1
            time.sleep(1)
    known[market.code] = market.exchange_ws_url
    remembered.write_text(json.dumps(known))
    return market.code, market.exchange_ws_url or settings.EXCHANGE_WS_URL
