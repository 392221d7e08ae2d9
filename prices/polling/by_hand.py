"""Final prices that people want asked for again: which periods, and since when."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from market.models import Market
from market.periods import HOUR, DeliveryPeriod
from market.tables import unless_missing
from prices.models import PriceCheck, ReferencePrice
from prices.observations import PeriodKey

OPEN_FOR = timedelta(hours=24)
"""What the budget did not allow by then is not asked for any more."""


def wanted_checks(markets: Collection[Market], now: datetime) -> dict[PeriodKey, datetime]:
    """By period the newest moment (UTC) at which somebody wanted it asked for again. One query, without a wish."""
    by_id = {market.pk: market for market in markets}
    since = now - OPEN_FOR
    checks: list[PriceCheck] = unless_missing(
        lambda: list(PriceCheck.objects.filter(market__in=by_id, asked_at__gt=since).order_by("asked_at")), []
    )
    return {
        PeriodKey(check.market_id, check.delivery_day, period.start, period.end): check.asked_at
        for check in checks
        for period in _periods(check, by_id[check.market_id])
    }


def _periods(check: PriceCheck, market: Market) -> Iterator[DeliveryPeriod]:
    """The one period; or every hour of the day, and what else of it has a price."""
    if check.delivery_start is not None and check.delivery_end is not None:
        yield DeliveryPeriod(check.delivery_start, check.delivery_end)
        return
    yield from market.day_periods(check.delivery_day, 60)
    known = ReferencePrice.objects.filter(market=market, delivery_day=check.delivery_day)
    for start, end in known.values_list("delivery_start", "delivery_end"):
        if end - start != HOUR:
            yield DeliveryPeriod(start, end)
