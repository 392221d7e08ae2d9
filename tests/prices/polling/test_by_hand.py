"""What people want asked for again: one period or a day, for a day, and nothing before the table is there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import ProgrammingError
from django.utils import timezone

from market.models import Market
from market.periods import DeliveryPeriod, day_periods
from prices.models import PriceCheck
from prices.observations import PeriodKey
from prices.polling.by_hand import OPEN_FOR, wanted_checks
from tests.prices.conftest import DAY, key_of, published, store

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_the_newest_wish_of_a_period_counts_for_a_day(market: Market) -> None:
    now, key = timezone.now(), key_of(market, 12)
    period = {"delivery_hour": "12-13", "delivery_start": key.start, "delivery_end": key.end}
    for ago in (timedelta(hours=1), timedelta(hours=3), OPEN_FOR + timedelta(seconds=1)):
        PriceCheck.objects.create(market=market, delivery_day=DAY, asked_at=now - ago, **period)
    assert wanted_checks([market], now) == {key: now - timedelta(hours=1)}
    assert wanted_checks([market], now + OPEN_FOR) == {}
    assert wanted_checks([], now) == {}


def test_a_day_is_its_hours_and_what_else_of_it_has_a_price(market: Market) -> None:
    quarter = day_periods(DAY, market.zone, 15)[50]
    store(market, 12, published("9.8"))
    market.referenceprice_set.create(
        delivery_day=DAY,
        delivery_hour="12:30-12:45",
        delivery_start=quarter.start,
        delivery_end=quarter.end,
        value=1,
        last_update=quarter.start,
        arrived_at=quarter.start,
    )
    PriceCheck.objects.create(market=market, delivery_day=DAY, asked_at=timezone.now())
    wanted = {DeliveryPeriod(key.start, key.end) for key in wanted_checks([market], timezone.now())}
    assert wanted == {*day_periods(DAY, market.zone), quarter}


def test_nothing_is_wanted_where_an_update_has_not_brought_the_table(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(**_conditions: object) -> object:
        raise ProgrammingError('relation "prices_pricecheck" does not exist')

    monkeypatch.setattr(PriceCheck.objects, "filter", missing)
    found: dict[PeriodKey, object] = dict(wanted_checks([market], timezone.now()))
    assert found == {}
