"""How the desk's feeds and the provider's budget stand, for those who look after them. Exact values, no words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.figures.feed_status import FeedStates, load_feeds
from dashboard.figures.incidents import Facts, Incident, clock_incidents, incidents, standby_incidents
from market.clock_state import ClockState, state_of_clocks
from market.models import Market
from market.queries import active_markets
from market.statements.standby import StandbyState, standby
from prices import publications
from prices import queries as prices
from trades.feed import status as feed_status


@dataclass(frozen=True, slots=True)
class MarketStatus:
    """One market's feeds: `last_publication` as the provider stamped it and when it was here first."""

    market: Market
    feeds: FeedStates
    last_publication: publications.Publication | None
    last_hour: prices.LastHour
    chased_now: bool
    listeners: tuple[feed_status.ListenerState, ...]
    open_gaps: int
    quarantine: dict[str, int]
    """Frames kept aside that wait for a decision, by kind."""
    corrected_finals: int
    """Final prices that were changed within a day."""
    refusing_rules: dict[str, int]
    """Rules that have kept more than a handful of confirmations aside within ten minutes."""


@dataclass(frozen=True, slots=True)
class DeskStatus:
    """All markets, and the budget that they share, at `now` (UTC)."""

    now: datetime
    markets: tuple[MarketStatus, ...]
    budget: prices.BudgetUse
    paused_until: datetime | None
    clocks: ClockState
    standby: StandbyState | None = None
    """None where there is none."""

    @property
    def incidents(self) -> list[Incident]:
        """What is open now, in all markets."""
        refused = self.paused_until is not None and self.paused_until > self.now
        of_all = clock_incidents(self.clocks) + standby_incidents(self.standby)
        return of_all + [
            incident
            for m in self.markets
            for incident in incidents(
                Facts(
                    m.market.code,
                    m.feeds,
                    m.listeners,
                    m.open_gaps,
                    m.quarantine,
                    refused,
                    m.refusing_rules,
                    m.corrected_finals,
                )
            )
        ]


def load_status(*, now: datetime) -> DeskStatus:
    """The desk as it stands in the database: some ten bounded queries a market."""
    markets = active_markets()
    chased = prices.chased_now(market_ids=[market.pk for market in markets])
    return DeskStatus(
        now=now,
        markets=tuple(_market_status(market, now, market.pk in chased) for market in markets),
        budget=prices.budget_use(now=now),
        paused_until=prices.paused_until(now=now),
        clocks=state_of_clocks(now=now),
        standby=standby.state(),
    )


def _market_status(market: Market, now: datetime, chased: bool) -> MarketStatus:
    return MarketStatus(
        market=market,
        feeds=load_feeds(market=market, now=now),
        last_publication=prices.last_publication(market_id=market.pk),
        last_hour=prices.last_hour(market_id=market.pk, now=now),
        chased_now=chased,
        listeners=tuple(feed_status.connected_listeners(market_id=market.pk, now=now)),
        open_gaps=feed_status.open_gap_count(market_id=market.pk),
        quarantine=feed_status.open_quarantine_counts(market_id=market.pk),
        corrected_finals=prices.corrected_finals(market_id=market.pk, since=now - timedelta(days=1)),
        refusing_rules=feed_status.refusing_rules(market_id=market.pk, now=now),
    )
