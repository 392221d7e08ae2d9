"""How often a market's provider publishes: the one place that says so."""

from __future__ import annotations

from django.conf import settings

from market import clock
from market.models import Market


def interval_of(market: Market) -> float:
    """Seconds between two publications of the market's reference prices: by its rule of today, else by the setting."""
    said = market.rules_on(market.day_of(clock.now())).rhythm
    return float(said or settings.MARKET_DATA_UPDATE_INTERVAL)
