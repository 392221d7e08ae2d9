"""Which periods' prices the desk waits for: those with a position, whoever's it is, and what boards are read by."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists

from dashboard.figures.readings import Reading, rows_of
from dashboard.models import Preference
from market.periods import DeliveryPeriod
from prices.observations import Priority
from prices.polling import priority
from trades.models import Position


def connect() -> None:
    """Tell the chase. Called once, when Django has started."""
    priority.register(positions_held)


def positions_held(market_id: int, now: datetime) -> dict[DeliveryPeriod, Priority]:
    """The periods that were traded of the days around `now`, in whatever zone the market is. One query.

    While somebody reads boards by quarter hour, the quarters of longer ones are looked at: each has its own price.
    """
    days = [now.date() + timedelta(days=n) for n in (-2, -1, 0, 1, 2)]
    by_quarter = Exists(Preference.objects.filter(reading=Reading.QUARTER))
    held = Position.objects.filter(market_id=market_id, delivery_day__in=days, trade_count__gt=0).order_by()
    rows = held.annotate(by_quarter=by_quarter).values_list("delivery_start", "delivery_end", "by_quarter").distinct()
    wanted: dict[DeliveryPeriod, Priority] = {}
    for start, end, quarters_too in rows:
        period = DeliveryPeriod(start, end)
        for quarter in rows_of(period, Reading.QUARTER) if quarters_too else ():
            wanted.setdefault(quarter, Priority.VIEWED)
        wanted[period] = Priority.POSITION
    return wanted
