"""What the record teaches: delays by market, which markets come together, read once an hour."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from market.models import Market
from prices.models import ReferencePriceHistory
from prices.polling.delay_learning import Memory, delay_of, learnt_from
from prices.publications import Publication, PublicationClock
from tests.prices.conftest import key_of

SLOT = datetime(2026, 3, 2, 10, tzinfo=UTC).timestamp()
RHYTHM = PublicationClock(600)
RHYTHMS = dict.fromkeys(range(10), RHYTHM)


def record(market: int, delays: list[float]) -> list[Publication]:
    """One publication a slot, seen half a second later."""
    return [Publication(market, SLOT + 600 * n + d, SLOT + 600 * n + d + 0.5) for n, d in enumerate(delays)]


# --- one publication ------------------------------------------------------------------------------------------------
def test_the_providers_own_stamp_is_believed() -> None:
    assert delay_of(Publication(1, SLOT + 7.25, SLOT + 9), RHYTHM) == 7.25


def test_a_stamp_cut_to_whole_seconds_lies_in_the_middle_of_its_second() -> None:
    assert delay_of(Publication(1, SLOT + 7, SLOT + 9), RHYTHM) == 7.5
    assert delay_of(Publication(1, SLOT + 7, SLOT + 7.1), RHYTHM) == pytest.approx(7.1)


def test_a_stamp_that_says_only_the_slot_is_told_by_first_sight() -> None:
    assert delay_of(Publication(1, SLOT, SLOT + 9), RHYTHM) == 9
    assert delay_of(Publication(1, SLOT, SLOT + 300), RHYTHM) is None


def test_what_was_found_after_an_outage_or_out_of_rhythm_says_nothing() -> None:
    assert delay_of(Publication(1, SLOT + 7, SLOT + 3000), RHYTHM) is None
    assert delay_of(Publication(1, SLOT + 300, SLOT + 301), RHYTHM) is None


# --- many -----------------------------------------------------------------------------------------------------------
def test_markets_that_publish_at_the_same_moments_are_found() -> None:
    dice = random.Random(1)
    delays = [dice.uniform(0, 30) for _ in range(40)]
    other = [dice.uniform(0, 30) for _ in range(40)]
    learnt = learnt_from([*record(3, delays), *record(2, other), *record(5, [d + 0.4 for d in delays])], RHYTHMS)
    assert learnt.together == {3: 3, 5: 3}
    assert set(learnt.delays) == {2, 3, 5}


def test_two_hours_of_evidence_are_needed() -> None:
    assert learnt_from([*record(1, [5.0] * 11), *record(2, [5.0] * 11)], RHYTHMS).together == {}
    assert learnt_from([*record(1, [5.0] * 12), *record(2, [5.0] * 12)], RHYTHMS).together == {1: 1, 2: 1}


def test_markets_whose_periods_come_one_by_one_are_not_together() -> None:
    singles = [p for n in range(4) for m in (1, 2) for p in record(m, [1.0 + 5 * n] * 30)]
    assert learnt_from(singles, RHYTHMS).together == {}


# --- from the database ----------------------------------------------------------------------------------------------
def keep(market: Market, hour: int, delay: float, slots_ago: int) -> None:
    now = timezone.now().timestamp()
    moment = datetime.fromtimestamp(RHYTHM.slot(now) - 600 * slots_ago + delay, tz=UTC)
    key = key_of(market, hour)
    ReferencePriceHistory.objects.create(
        market=market,
        delivery_day=moment.date(),
        delivery_hour=f"{hour:02d}-{hour + 1:02d}",
        delivery_start=key.start,
        delivery_end=key.end,
        value=Decimal(1),
        last_update=moment,
        arrived_at=moment + timedelta(seconds=1),
    )


@pytest.mark.integration
@pytest.mark.django_db
def test_the_record_is_read_once_an_hour(market: Market, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for slots_ago in range(1, 100):
        for hour in (12, 13, 14):
            keep(market, hour, 20.25, slots_ago)
    keep(market, 15, 3.0, 400)  # older than two days
    memory, now = Memory(), timezone.now().timestamp()
    with django_assert_num_queries(1):
        learnt = memory.recall(intervals={market.pk: 600}, now=now)
        assert memory.recall(intervals={market.pk: 600}, now=now) is learnt
    assert learnt.delays[market.pk].samples == 99
    assert learnt.delays[market.pk].quantile(0.5) == pytest.approx(20.5, abs=1.5)
    with django_assert_num_queries(2):
        memory.recall(intervals={market.pk: 300}, now=now)
        memory.forget()
        memory.recall(intervals={market.pk: 300}, now=now)
