"""Many values at once are stored as one by one: the same path, the same newest price, the same news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from market.models import Market
from market.periods import DeliveryPeriod
from prices.bulk import Accepted, store_day
from prices.models import ProviderRequest, ReferencePrice, ReferencePriceHistory
from prices.observations import Published
from prices.signals import prices_changed
from tests.emptying import emptied
from tests.prices.conftest import DAY, key_of, store

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
ARRIVED = datetime(2026, 3, 2, 12, tzinfo=UTC)

Told = list[tuple[int, int, int]]
"""Hour, minute of its last update, value."""


def one_by_one(market: Market, told: Told) -> None:
    for hour, minute, value in told:
        store(market, hour, Published(Decimal(value), NINE + timedelta(minutes=minute)))


def accepted(market: Market, told: Told) -> list[Accepted]:
    found = []
    for hour, minute, value in told:
        key = key_of(market, hour)
        period = DeliveryPeriod(key.start, key.end)
        moment = NINE + timedelta(minutes=minute)
        found.append(Accepted(period, market.label_of(period), Decimal(value), moment, ARRIVED))
    return found


def on_record() -> tuple[list[Any], list[Any]]:
    fields = ("delivery_day", "delivery_hour", "delivery_start", "delivery_end", "value", "last_update")
    return (
        sorted(ReferencePriceHistory.objects.values_list(*fields)),
        sorted(ReferencePrice.objects.values_list(*fields, "revision")),
    )


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from([12, 13]), st.integers(0, 9), st.integers(-20, 20)), max_size=4),
    st.lists(st.tuples(st.sampled_from([12, 13, 14]), st.integers(0, 9), st.integers(-20, 20)), max_size=9),
)
def test_as_one_by_one_in_the_order_of_publication(market: Market, before: Told, told: Told) -> None:
    told.sort(key=lambda one: one[:2])
    tables = (ReferencePrice, ReferencePriceHistory, ProviderRequest)
    emptied(*tables)
    one_by_one(market, before + told)
    expected = on_record()
    emptied(*tables)
    one_by_one(market, before)
    known = ReferencePriceHistory.objects.count()
    stored = store_day(market=market, day=DAY, prices=accepted(market, told))
    assert on_record() == expected
    assert stored == len(expected[0]) - known


def test_news_goes_out_once_after_the_commit(market: Market) -> None:
    heard: list[Any] = []

    def hear(changes: frozenset[Any], **_kwargs: Any) -> None:
        assert not transaction.get_connection().in_atomic_block
        heard.append(changes)

    prices_changed.connect(hear)
    try:
        store_day(market=market, day=DAY, prices=accepted(market, [(12, 1, 5), (12, 2, 6), (13, 1, 5)]))
    finally:
        prices_changed.disconnect(hear)
    assert heard == [frozenset({(market.pk, DAY)})]
    assert set(ReferencePriceHistory.objects.values_list("arrived_at", flat=True)) == {ARRIVED}
