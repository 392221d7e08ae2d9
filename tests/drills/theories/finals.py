"""A process that stores finals as the worker does, by `store_answer`, until it is ended: `python -m … MILLISECONDS`.

Each is of a period whose gate has just closed and that an assumption is about; every third one is corrected at once. An
answer that can't be stored is asked for again, as the worker does.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

import django

django.setup()

from django.db import Error, InterfaceError, connection, transaction  # noqa: E402

from dashboard.assumptions.models import AssumedPeriod, Assumption, FrozenPrice  # noqa: E402
from dashboard.models import TraderLogin  # noqa: E402
from market import clock  # noqa: E402
from market.queries import market_by_code  # noqa: E402
from prices import request_ledger  # noqa: E402
from prices.models import ReferencePrice, ReferencePriceHistory  # noqa: E402
from prices.observations import PeriodKey, Published  # noqa: E402
from prices.store import Arrival, store_answer  # noqa: E402

BACK = timedelta(hours=2)


@transaction.atomic
def an_expectation(number: int) -> AssumedPeriod:
    """One that the reference goes up, frozen at 50, whose gate has closed a second ago. Nobody may write such a one."""
    market, login, now = market_by_code("DE"), TraderLogin.objects.select_related("trader", "user").get(), clock.now()
    start = now + timedelta(minutes=5) + timedelta(microseconds=number)
    assumption = Assumption.objects.create(
        market=market,
        trader=login.trader,
        author=login.user,
        created_at=now - BACK,
        delivery_day=start.date(),
        reading="product",
        claim="up",
        late=False,
    )
    period = AssumedPeriod.objects.create(
        assumption=assumption,
        delivery_hour=f"x{number}",
        delivery_start=start,
        delivery_end=start + timedelta(hours=1),
        reference_start=start,
        reference_end=start + timedelta(hours=1),
        gate_closes_at=now - timedelta(seconds=1),
        net_mwh=Decimal(0),
    )
    FrozenPrice.objects.create(period=period, value=Decimal(50), last_update=now - BACK, frozen_at=now - BACK)
    return period


def store(period: AssumedPeriod, value: int, at: datetime) -> None:
    """One answer of the provider."""
    key = PeriodKey(
        period.assumption.market_id, period.assumption.delivery_day, period.delivery_start, period.delivery_end
    )
    reserved = request_ledger.reserve(key)
    assert isinstance(reserved, request_ledger.Reservation), reserved
    arrival = Arrival(reserved.request_id, key, period.delivery_hour, Published(Decimal(value), at), clock.now())
    store_answer(arrival)


def store_without_judging() -> AssumedPeriod:
    """A final that nothing has judged: what an error leaves behind, for the sweep."""
    period = an_expectation(-1)
    facts = {
        "market": period.assumption.market,
        "delivery_day": period.assumption.delivery_day,
        "delivery_hour": period.delivery_hour,
        "delivery_start": period.delivery_start,
        "delivery_end": period.delivery_end,
        "value": Decimal(51),
        "last_update": clock.now(),
        "arrived_at": clock.now(),
    }
    ReferencePriceHistory.objects.create(**facts)
    ReferencePrice.objects.create(**facts)
    return period


def main(pause: float) -> None:
    for number in count():
        with suppress(Error, InterfaceError):  # a server that had frozen within a transaction says InternalError
            try:
                period = an_expectation(number)
                for correction in range(2 if number % 3 == 0 else 1):
                    store(period, 51 - 2 * correction, clock.now())
            except (Error, InterfaceError):
                connection.close()
                raise
        time.sleep(pause)


if __name__ == "__main__":
    main(float(sys.argv[1]) / 1000)
