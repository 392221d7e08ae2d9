"""Final prices that changed afterwards: kept with old, new, when and why, and a day as it was known at any moment."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from market.labels import label_of
from market.models import Market
from market.periods import DeliveryPeriod
from prices.models import PriceCorrection
from prices.observations import CheckReason, Outcome, PeriodKey, Published
from prices.queries import KnownPrice, Restatement, latest_prices, prices_after, prices_as_of
from prices.store import Arrival, store_answer
from tests.prices.conftest import DAY, key_of, reserved

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

GATE = datetime(2026, 3, 2, 10, 55, tzinfo=UTC)
"""Of the period 12-13 in Germany."""
MORNING = datetime(2026, 3, 3, 6, 0, 1, tzinfo=UTC)


def arrives(
    market: Market, hour: int, value: str, updated: datetime, at: datetime, why: CheckReason = CheckReason.CHASE
) -> Outcome:
    key = key_of(market, hour)
    period = DeliveryPeriod(key.start, key.end)
    gate = period.gate_closure(timedelta(minutes=market.gate_closure_minutes))
    price = Published(Decimal(value), updated)
    return store_answer(Arrival(reserved(key), key, label_of(period, market.zone), price, at, gate, why))


def finals(market: Market) -> PeriodKey:
    """12-13 has had an open price and a final one, which the next morning corrects."""
    for minutes, value in ((-5, "80"), (5, "81.20")):
        updated = GATE + timedelta(minutes=minutes)
        arrives(market, 12, value, updated, updated + timedelta(seconds=1))
    arrives(market, 12, "82.10", MORNING - timedelta(seconds=2), MORNING, CheckReason.NEXT_MORNING)
    return key_of(market, 12)


def test_a_corrected_final_price_is_kept_with_old_new_when_and_why(market: Market) -> None:
    key = finals(market)
    row = PriceCorrection.objects.values(
        "delivery_hour", "old_value", "value", "old_last_update", "last_update", "arrived_at", "why"
    ).get()
    assert row == {
        "delivery_hour": "12-13",
        "old_value": Decimal("81.20"),
        "value": Decimal("82.10"),
        "old_last_update": GATE + timedelta(minutes=5),
        "last_update": MORNING - timedelta(seconds=2),
        "arrived_at": MORNING,
        "why": "next_morning",
    }
    known = latest_prices(market_id=market.pk, day=DAY)[DeliveryPeriod(key.start, key.end)]
    assert known.restated == Restatement(Decimal("81.20"), MORNING)


def test_prices_of_an_open_period_and_the_same_final_again_correct_nothing(market: Market) -> None:
    for minutes, value in ((-15, "79"), (-5, "80"), (5, "81.20"), (15, "81.20")):
        updated = GATE + timedelta(minutes=minutes)
        arrives(market, 12, value, updated, updated + timedelta(seconds=1))
    assert not PriceCorrection.objects.exists()
    assert all(price.restated is None for price in latest_prices(market_id=market.pk, day=DAY).values())


def test_a_correction_can_not_be_changed(market: Market) -> None:
    finals(market)
    with pytest.raises(IntegrityError, match="kept"), transaction.atomic():
        PriceCorrection.objects.update(old_value=1)


def test_a_price_is_stored_and_read_where_an_update_has_not_brought_the_table(market: Market) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE prices_pricecorrection")
        cursor.execute("ALTER TABLE prices_referenceprice DROP COLUMN restated_from, DROP COLUMN restated_at")
    key = finals(market)
    known = latest_prices(market_id=market.pk, day=DAY)[DeliveryPeriod(key.start, key.end)]
    assert (known.value, known.revision, known.restated) == (Decimal("82.10"), 3, None)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_day_at_any_moment_is_reproduced_from_the_history(
    market: Market, seed: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Answers in random order, older and equal ones among them: what was shown after each comes out again."""
    dice = random.Random(seed)
    at, shown = GATE - timedelta(hours=2), dict[datetime, dict[DeliveryPeriod, KnownPrice]]()
    for _ in range(45):
        at += timedelta(seconds=dice.randint(1, 600))
        updated = at - timedelta(seconds=dice.choice([1, 1, 1, 900]))
        arrives(market, dice.choice([11, 12, 13]), str(dice.randint(-5, 5)), updated, at)
        before, shown[at] = shown.get(max(shown, default=at), {}), latest_prices(market_id=market.pk, day=DAY)
        assert prices_after(before, market_id=market.pk, day=DAY) == shown[at], "whatever was known before"
    assert PriceCorrection.objects.exists()
    moments = dice.sample(sorted(shown), 20)
    for moment in moments:
        later = moment + timedelta(seconds=0.5)
        with django_assert_num_queries(1):
            assert prices_as_of(market_id=market.pk, day=DAY, moment=later) == shown[moment]
    assert prices_as_of(market_id=market.pk, day=DAY, moment=min(shown) - timedelta(seconds=1)) == {}
