"""Assumptions and prices for tests, stored as the product stores them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import time_machine
from django.contrib.auth.models import User

from dashboard.assumptions.models import Assumption
from dashboard.assumptions.store import withdraw, write_down
from dashboard.assumptions.wishes import understood
from dashboard.models import TraderLogin
from market.labels import parse_period
from market.models import Market
from prices import request_ledger
from prices.observations import PeriodKey, Published
from prices.store import Arrival, store_answer
from tests.dashboard.people import a_trader
from tests.trades.frames import germany

DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""10:00 on the market's clock: the gate of 12-13 closes in 115 minutes."""
GATE = datetime(2026, 11, 23, 10, 55, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def publish(
    value: str,
    at: datetime,
    *,
    label: str = "12-13",
    day: date = DAY,
    arrived: datetime | None = None,
    market: Market | None = None,
) -> None:
    """A price (Germany's, if no other market is named) by the product's own way in: row, history and news of it."""
    market = market or germany()
    parsed = parse_period(day, label, market.calendar)
    key = PeriodKey(market.pk, day, parsed.period.start, parsed.period.end)
    came = arrived or at + timedelta(seconds=3)
    with time_machine.travel(came, tick=False):
        reservation = request_ledger.reserve(key)
        assert isinstance(reservation, request_ledger.Reservation)
        store_answer(Arrival(reservation.request_id, key, parsed.label, Published(Decimal(value), at), came))


def said(**changes: Any) -> dict[str, Any]:
    """A request's words."""
    return {
        "market": "DE",
        "delivery_day": DAY.isoformat(),
        "delivery_hours": ["12-13"],
        "claim": "up",
        **changes,
    }


def written(user: User | None = None, *, at: datetime = NOW, **changes: Any) -> Assumption:
    """An assumption of the user's, or of a new trader's, written at that moment."""
    germany()
    author = user or User.objects.filter(username="anna").first() or a_trader()
    trader = TraderLogin.objects.select_related("trader").get(user=author).trader
    with time_machine.travel(at, tick=False):
        return write_down(trader=trader, author=author, wish=understood(said(**changes)))


def a_judged_and_withdrawn_assumption() -> Assumption:
    """A row in each of the tables."""
    publish("50", NOW - 10 * MINUTE)
    assumption = written(a_trader("trader_9", "nina"))
    with time_machine.travel(NOW + MINUTE, tick=False):
        withdraw(assumption=assumption)
    publish("52", GATE + 5 * MINUTE)
    return assumption
