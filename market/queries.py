"""Reads of markets."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from market import clock
from market.models import Market


class MarketError(LookupError):
    """No such market, or none chosen among several; the message, `pattern % values`, is one sentence for people."""

    def __init__(self, pattern: str, **values: object) -> None:
        super().__init__(pattern % values)
        self.pattern = pattern
        self.values = values


def active_markets() -> list[Market]:
    """Markets that are listened to and priced, by code."""
    return list(Market.objects.filter(is_active=True))


def clock_zone(market: Market) -> ZoneInfo:
    """What the clocks of the market's people say today."""
    return market.people_zone(market.day_of(clock.now()))


def currency_now(market: Market) -> str:
    """The currency that the market trades in today."""
    return market.rules_on(market.day_of(clock.now())).currency


def market_by_code(code: str | None) -> Market:
    """The market with this code, or the only active one without a code; MarketError otherwise."""
    markets = active_markets()
    if code is None and len(markets) == 1:
        return markets[0]
    known = ", ".join(m.code for m in markets) or "none"
    if code is None:
        raise MarketError("name one of the active markets: %(known)s", known=known)
    for market in markets:
        if market.code == code:
            return market
    raise MarketError("no active market is called “%(code)s”; known: %(known)s", code=code, known=known)
