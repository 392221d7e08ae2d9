"""The states of the two feeds, as a board shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from market.models import Market
from prices import feed as price_feed
from prices.queries import unanswered_products
from prices.rhythms import interval_of
from trades.feed.status import ExchangeFeedState, feed_state, open_gaps

MOST_GAPS = 100
"""Open gaps are counted up to here; a board names the newest only."""


@dataclass(frozen=True, slots=True)
class Gap:
    """From when to when (UTC) no listener was connected."""

    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class FeedStates:
    """Exchange and price feed of one market at `now` (UTC), and the open gaps of the exchange's, newest first."""

    exchange: ExchangeFeedState
    prices: price_feed.PriceFeedState
    now: datetime
    gaps: tuple[Gap, ...] = ()
    unanswered_products: tuple[int, ...] = ()
    """Products (minutes, or BLOCK) that the provider is asked for and has no price of."""

    def same_as(self, other: FeedStates) -> bool:
        """Whether both say the same of the feeds, at whatever moment."""
        return (self.exchange, self.prices, self.gaps) == (other.exchange, other.prices, other.gaps)


def load_feeds(*, market: Market, now: datetime) -> FeedStates:
    """Both states and the gaps from the database, in a fixed number of small queries."""
    return FeedStates(
        exchange=feed_state(market_id=market.pk, now=now),
        prices=price_feed.feed_state(market=market, now=now, interval=interval_of(market)),
        now=now,
        gaps=tuple(Gap(*span) for span in open_gaps(market_id=market.pk, most=MOST_GAPS)),
        unanswered_products=unanswered_products(market_id=market.pk, now=now),
    )
