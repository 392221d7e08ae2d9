"""Which periods matter to somebody: asked of whoever knows, without knowing who that is.

Another app registers a function when Django has started (positions are not this app's business). Without one, or
while it fails, periods go by their gates alone: interest decides about the order, never about whether to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import structlog

from market.periods import DeliveryPeriod
from prices.observations import PeriodKey, Priority

log = structlog.get_logger(__name__)

Provider = Callable[[int, datetime], Mapping[DeliveryPeriod, Priority]]
"""(market primary key, now in UTC) -> interest by (delivery_start, delivery_end); what is left out is of none."""

_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Ask this function, too, from now on; a second time changes nothing."""
    if provider not in _providers:
        _providers.append(provider)


def unregister(provider: Provider) -> None:
    """Don't ask it any more."""
    if provider in _providers:
        _providers.remove(provider)


def wanted(*, market_id: int, now: datetime) -> set[DeliveryPeriod]:
    """Every period of the market that somebody has an interest in, of whatever length."""
    return {period for told in _told(market_id, now) for period, level in told.items() if level is not Priority.NONE}


def priorities(*, market_id: int, now: datetime, keys: list[PeriodKey]) -> dict[PeriodKey, Priority]:
    """The strongest interest in each of the market's periods at `now` (UTC). Never raises for a provider's failure."""
    strongest: dict[PeriodKey, Priority] = {}
    for told in _told(market_id, now):
        for key in keys:
            interest = told.get(DeliveryPeriod(key.start, key.end), Priority.NONE)
            strongest[key] = min(strongest.get(key, Priority.NONE), interest)
    return strongest


def _told(market_id: int, now: datetime) -> Iterator[Mapping[DeliveryPeriod, Priority]]:
    """What each of those who know says; one that fails is left out."""
    for provider in _providers:
        try:
            yield provider(market_id, now)
        except Exception as error:
            log.warning("interest_unknown", market_id=market_id, error=str(error) or type(error).__name__)
