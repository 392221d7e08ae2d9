"""Which periods' prices the desk waits for: those with a position, whoever's it is, what boards are read by, and what
assumptions are about.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dashboard.access.preferences import is_read_by_quarter
from dashboard.assumptions.queries import unsettled_references
from dashboard.figures.readings import Reading, rows_of
from market.models import Market
from market.periods import DeliveryPeriod
from prices.observations import Priority
from prices.polling import priority
from trades.models import Position


def connect() -> None:
    """Tell the chase. Called once, when Django has started."""
    priority.register(positions_held)
    priority.register(assumed)


def positions_held(market_id: int, now: datetime) -> dict[DeliveryPeriod, Priority]:
    """The periods that were traded of the days around `now`, in whatever zone the market is. Two queries.

    While somebody reads boards by quarter hour, the quarters of longer ones are looked at: each has its own price.
    """
    days = [now.date() + timedelta(days=n) for n in (-2, -1, 0, 1, 2)]
    held = Position.objects.filter(market_id=market_id, delivery_day__in=days, trade_count__gt=0).order_by()
    periods = [DeliveryPeriod(*ends) for ends in held.values_list("delivery_start", "delivery_end").distinct()]
    wanted: dict[DeliveryPeriod, Priority] = {}
    if periods and is_read_by_quarter():
        wanted = {quarter: Priority.VIEWED for period in periods for quarter in rows_of(period, Reading.QUARTER)}
    return wanted | dict.fromkeys(periods, Priority.POSITION)


def assumed(market_id: int, now: datetime) -> dict[DeliveryPeriod, Priority]:
    """The periods by whose prices assumptions are judged, until these are void without one. One query; two more for
    the market and its rules where there are any.

    Nobody need have traded them: without this a quarter hour that nobody trades would never be asked for. Before the
    market's opening nothing is, but for what somebody holds.
    """
    periods = unsettled_references(market_id=market_id, now=now)
    if not periods:
        return {}
    market = Market.objects.get(pk=market_id)
    opens = {period: market.opens_at(market.day_of(period.start), period) for period in periods}
    return {period: Priority.VIEWED for period, at in opens.items() if at is None or at <= now}
