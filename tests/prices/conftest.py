"""A market, periods of a fixed day, and a ledger to fill."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from market.labels import label_of
from market.models import Market, MarketRule
from market.periods import DeliveryPeriod, day_periods
from prices import request_ledger
from prices.models import ProviderRequest
from prices.observations import Answer, Outcome, PeriodKey, Published
from prices.polling.delay_learning import memory
from prices.store import Arrival, store_answer

DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def _nothing_learnt() -> None:
    """What one test's record taught must not reach the next one."""
    memory.forget()


@pytest.fixture
def market(db: None) -> Market:
    """The only active market; tests that flush the database take the one of the migrations with them.

    Tomorrow is open at any time of the day, whenever the tests run.
    """
    Market.objects.update(is_active=False)
    MarketRule.objects.update(opening=time(), quarters_opening=time())
    found, _ = Market.objects.update_or_create(code="DE", defaults={"name": "Germany", "is_active": True})
    return found


def key_of(market: Market, hour: int, day: date = DAY) -> PeriodKey:
    """The period of `day` that starts at this hour of a day without a clock change."""
    period = day_periods(day, market.zone)[hour]
    return PeriodKey(market.pk, day, period.start, period.end)


def reserved(key: PeriodKey) -> int:
    reservation = request_ledger.reserve(key)
    assert isinstance(reservation, request_ledger.Reservation)
    return reservation.request_id


def store(market: Market, hour: int, answer: Answer, *, day: date = DAY) -> Outcome:
    """Reserve, and store an answer that arrived just now."""
    key = key_of(market, hour, day)
    label = label_of(day_periods(day, market.zone)[hour], market.zone)
    gate = market.gate_closure(day, DeliveryPeriod(key.start, key.end))
    return store_answer(Arrival(reserved(key), key, label, answer, timezone.now(), gate))


def published(value: str, minute: int = 0, second: int = 0) -> Published:
    """A price published at 09:`minute`:`second` UTC of DAY."""
    return Published(Decimal(value), datetime(2026, 3, 2, 9, minute, second, tzinfo=UTC))


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def used(market: Market, count: int, *, ago: float, took: float | None = 0.1) -> None:
    """So many requests in the ledger, sent `ago` seconds before now; `took` None: never answered."""
    sent = database_now() - timedelta(seconds=ago)
    key = key_of(market, 12)
    ended = None if took is None else sent + timedelta(seconds=took)
    outcome = Outcome.PENDING if took is None else Outcome.UNCHANGED
    ProviderRequest.objects.bulk_create(
        ProviderRequest(
            market=market,
            delivery_start=key.start,
            delivery_end=key.end,
            sent_at=sent,
            finished_at=ended,
            outcome=outcome.value,
        )
        for _ in range(count)
    )


def said_of(market: Market, period: DeliveryPeriod, sent: datetime, detail: str) -> None:
    """An answer of the provider's that could not be used, and why."""
    ProviderRequest.objects.create(
        market=market,
        delivery_start=period.start,
        delivery_end=period.end,
        sent_at=sent,
        finished_at=sent,
        outcome="bad_answer",
        detail=detail,
    )
