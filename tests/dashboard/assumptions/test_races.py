"""A price that arrives while an assumption is written down: it is frozen at exactly the newest one committed before it.

A writer of prices and four authors at once, each on a connection of its own; another one looks at what is committed.
tests/drills/theories/test_assumptions.py has 10,000.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection, connections

from dashboard.assumptions import store
from dashboard.assumptions.checking import differences
from dashboard.assumptions.models import FrozenPrice
from dashboard.assumptions.store import write_down
from dashboard.assumptions.wishes import understood
from market import clock
from market.labels import label_of
from market.periods import day_of, day_periods
from prices import request_ledger
from prices.models import ReferencePriceHistory
from prices.observations import PeriodKey, Published
from prices.store import Arrival, store_answer
from tests.dashboard.people import a_trader
from tests.processes import wait_until
from tests.trades.frames import germany
from trades.models import Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

AUTHORS = 4
_NEWEST = "SELECT last_update FROM prices_referencepricehistory ORDER BY id DESC LIMIT 1"
"""One writer, and each later than the one before."""


class Race:
    """One period of tomorrow: prices of rising last_update, and those who write about it."""

    def __init__(self) -> None:
        self.market = germany()
        self.day = day_of(clock.now(), self.market.zone) + timedelta(days=1)
        self.period = day_periods(self.day, self.market.zone)[20]
        self.label = label_of(self.period, self.market.zone)
        self.author: User = a_trader()
        self.trader = Trader.objects.get()
        self.first: datetime = clock.now() - timedelta(hours=2)
        self.done = threading.Event()
        self.reservation = self._reservation()

    def _reservation(self) -> int:
        key = PeriodKey(self.market.pk, self.day, self.period.start, self.period.end)
        reserved = request_ledger.reserve(key)
        assert isinstance(reserved, request_ledger.Reservation)
        return reserved.request_id

    def publish(self) -> None:
        """Prices one after the other, until all have written."""
        key = PeriodKey(self.market.pk, self.day, self.period.start, self.period.end)
        for number in count():
            if self.done.is_set():
                connections.close_all()
                return
            answer = Published(Decimal(number), self.first + number * timedelta(milliseconds=1))
            store_answer(Arrival(self.reservation, key, self.label, answer, clock.now()))

    def write(self, times: int) -> None:
        words = {"delivery_day": self.day.isoformat(), "delivery_hours": [self.label], "claim": "up"}
        wish = understood(words)
        for _ in range(times):
            write_down(trader=self.trader, author=self.author, wish=wish)
        connections.close_all()


class Judge:
    """Looks from a connection of its own, when all of an assumption is written and only its commit is left to come."""

    def __init__(self) -> None:
        parameters = connection.get_connection_params()
        self._address = {name: parameters[name] for name in ("host", "port", "dbname", "user") if parameters.get(name)}
        self._own = threading.local()
        self.newest: list[datetime] = []

    def look(self, _changes: object) -> None:
        if not hasattr(self._own, "connection"):
            self._own.connection = psycopg.connect(**self._address, autocommit=True)
        row = self._own.connection.execute(_NEWEST).fetchone()
        assert row is not None
        frozen = FrozenPrice.objects.latest("period_id")  # by this transaction: the audit log lets in one at a time
        if row[0] != frozen.last_update:
            raise AssertionError(f"{row[0]} is committed, and {frozen.last_update} is frozen")
        self.newest.append(row[0])


def run(races: int, monkeypatch: pytest.MonkeyPatch, *, seconds: float = 250) -> None:
    race, judge = Race(), Judge()
    monkeypatch.setattr(store, "announce", judge.look)
    with ThreadPoolExecutor(AUTHORS + 1) as pool:
        publishing = pool.submit(race.publish)
        try:
            wait_until(ReferencePriceHistory.objects.exists, "a first price")
            for one in [pool.submit(race.write, races // AUTHORS) for _ in range(AUTHORS)]:
                one.result(timeout=seconds)
        finally:
            race.done.set()
        publishing.result(timeout=60)
    assert FrozenPrice.objects.count() == len(judge.newest) == races
    assert len(set(judge.newest)) > races / 20, "prices came meanwhile"
    assert judge.newest == sorted(judge.newest), "no later one holds an older price"
    assert list(differences()) == []
    print(f"{races} races, {len(set(judge.newest))} prices frozen, {ReferencePriceHistory.objects.count()} came")


def test_every_race_freezes_the_newest_committed_price(monkeypatch: pytest.MonkeyPatch) -> None:
    run(200, monkeypatch)
