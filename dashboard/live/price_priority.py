"""Which periods' prices the desk waits for: those with a position, whoever's it is."""

from __future__ import annotations

from datetime import datetime, timedelta

from market.periods import DeliveryPeriod
from prices.observations import Priority
from prices.polling import priority
from trades.models import Position


def connect() -> None:
    """Tell the chase. Called once, when Django has started."""
    priority.register(positions_held)


def positions_held(market_id: int, now: datetime) -> dict[DeliveryPeriod, Priority]:
    """The periods that were traded of the days around `now`, in whatever zone the market is. One query."""
    days = [now.date() + timedelta(days=n) for n in (-2, -1, 0, 1, 2)]
    held = Position.objects.filter(market_id=market_id, delivery_day__in=days, trade_count__gt=0).order_by()
    periods = held.values_list("delivery_start", "delivery_end").distinct()
    return {DeliveryPeriod(start, end): Priority.POSITION for start, end in periods}
