"""The states of the two feeds, as a board shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from market.models import Market
from prices import queries as prices
from trades import queries as trades


@dataclass(frozen=True, slots=True)
class FeedStates:
    """Exchange and price feed of one market at `now` (UTC)."""

    exchange: trades.ExchangeFeedState
    prices: prices.PriceFeedState
    now: datetime

    def same_as(self, other: FeedStates) -> bool:
        """Whether both say the same of the feeds, at whatever moment."""
        return (self.exchange, self.prices) == (other.exchange, other.prices)


def load_feeds(*, market: Market, now: datetime) -> FeedStates:
    """Both states from the database, in a fixed number of small queries."""
    return FeedStates(
        exchange=trades.feed_state(market_id=market.pk, now=now),
        prices=prices.feed_state(market_id=market.pk, now=now, interval=settings.MARKET_DATA_UPDATE_INTERVAL),
        now=now,
    )
