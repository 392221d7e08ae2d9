"""Which products the provider answers for: what it never has a price for costs a request now and then. Pure.

The provider is asked for quarter and half hours as for hours; whether it has prices of them nobody says beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable

from market.periods import DeliveryPeriod
from market.rules import product_of
from prices.observations import Facts, Outcome

ASK_AGAIN = 900.0
"""Seconds between two requests for a product that was never answered: four an hour."""
HOUR_MINUTES = 60


def worth_asking(facts: Iterable[Facts], now: float) -> list[Facts]:
    """The facts without those of products that the provider does not answer for, but for one each that finds out.

    A product is a length in a market, or its blocks. Hours are always asked for. `now` is POSIX seconds.
    """
    kept, products = [], dict[tuple[int, int], list[Facts]]()
    for period in facts:
        product = product_of(DeliveryPeriod(period.key.start, period.key.end))
        if product == HOUR_MINUTES:
            kept.append(period)
        else:
            products.setdefault((period.key.market_id, product), []).append(period)
    for periods in products.values():
        kept += periods if is_answered(periods) else _feeler(periods, now)
    return kept


def is_answered(periods: Iterable[Facts]) -> bool:
    """Whether any of a product's periods has ever had a price, or an answer that brought one."""
    return any(p.last_update is not None or any(a.outcome is Outcome.NEWER for a in p.asks) for p in periods)


def _feeler(periods: list[Facts], now: float) -> list[Facts]:
    """The one that is asked for next, if it is time: whose price matters most, then whose gate is nearest."""
    asked = max((ask.sent_at for period in periods for ask in period.asks), default=float("-inf"))
    still_open = [period for period in periods if period.gate_closure > now]
    if asked > now - ASK_AGAIN or not still_open:
        return [period for period in periods if any(ask.outcome is Outcome.PENDING for ask in period.asks)]
    return [min(still_open, key=lambda period: (period.priority, period.gate_closure))]
