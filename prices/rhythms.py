"""How often a market's provider publishes: the one place that says so."""

from __future__ import annotations

from django.conf import settings

from market.models import Market


def interval_of(market: Market) -> float:
    """Seconds between two publications of the market's reference prices."""
    return float(settings.MARKET_DATA_UPDATE_INTERVAL)
