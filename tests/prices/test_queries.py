"""What boards, metrics and the chase read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.figures.board_key import WHOLE_DESK
from dashboard.figures.versions import changes_of
from market.models import Market
from market.periods import DeliveryPeriod
from prices import queries
from prices.feed import PriceFeedState, StandstillReason, feed_state
from prices.models import ProviderRequest
from prices.observations import ASKS_REMEMBERED, FROM_THE_FUTURE, WHICH_OF_TWO, Outcome, Published, Refusal
from prices.polling import state
from prices.queries import KnownPrice, PricePoint
from tests.prices.conftest import DAY, database_now, key_of, published, said_of, store, used

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

TOMORROW = DAY + timedelta(days=1)


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, 2, hour, minute, second, tzinfo=UTC)


def test_the_prices_of_a_day(market: Market, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    store(market, 12, published("9.8"))
    store(market, 12, published("9.9", minute=10))
    store(market, 13, published("-1"))
    store(market, 12, published("5"), day=TOMORROW)
    with django_assert_num_queries(1):
        found = queries.latest_prices(market_id=market.pk, day=DAY)
    key = key_of(market, 12)
    assert set(found) == {DeliveryPeriod(key.start, key.end), DeliveryPeriod(key.end, key.end + timedelta(hours=1))}
    price = found[DeliveryPeriod(key.start, key.end)]
    assert isinstance(price, KnownPrice)
    assert (price.value, price.last_update, price.revision) == (Decimal("9.9"), at(9, 10), 2)


def test_after_an_earlier_look_only_what_has_changed_is_read(
    market: Market, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for hour in (12, 13, 14):
        store(market, hour, published("9.8"))
    earlier = queries.latest_prices(market_id=market.pk, day=DAY)
    store(market, 13, published("9.9", minute=10))
    store(market, 15, published("7"))
    with django_assert_num_queries(1):
        found = queries.prices_after(earlier, market_id=market.pk, day=DAY)
    assert found == queries.latest_prices(market_id=market.pk, day=DAY)
    kept = {id(price) for price in earlier.values()}
    assert sorted(p.start.hour for p, price in found.items() if id(price) not in kept) == [12, 14], "UTC"
    assert queries.prices_after({}, market_id=market.pk, day=DAY) == found


def test_the_versions_of_many_days(market: Market, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    store(market, 12, published("9.8"))
    store(market, 12, published("9.9", minute=10))
    store(market, 13, published("-1"))
    with django_assert_num_queries(1):
        changes = changes_of({(WHOLE_DESK, market.pk, DAY), (WHOLE_DESK, market.pk, TOMORROW)})
    assert changes == {(WHOLE_DESK, market.pk, DAY): (0, 3), (WHOLE_DESK, market.pk, TOMORROW): (0, 0)}
    assert changes_of(set()) == {}


def test_the_path_of_a_period(market: Market) -> None:
    for minute in (0, 10, 20):
        store(market, 12, published(str(minute), minute=minute))
    store(market, 13, published("77"))
    key = key_of(market, 12)
    path = queries.price_path(market_id=market.pk, start=key.start, end=key.end)
    assert all(isinstance(point, PricePoint) for point in path)
    assert [(p.value, p.last_update) for p in path] == [(Decimal(m), at(9, m)) for m in (0, 10, 20)]


def test_the_use_of_the_budget(market: Market, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    used(market, 3, ago=10)
    used(market, 5, ago=600)
    now = database_now()
    with django_assert_num_queries(1):
        use = queries.budget_use(now=now)
    assert use == queries.BudgetUse(minute_used=3, minute_limit=50, hour_used=8, hour_limit=1000)


def test_the_chase_is_told_all_in_one_query(market: Market, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    store(market, 12, published("9.8"))
    store(market, 12, Refusal(Outcome.FAILED, "no answer"))
    keys = [key_of(market, hour) for hour in (12, 13)]
    with django_assert_num_queries(1):
        facts = state.facts_of(gates={key: key.start for key in keys}, intervals={market.pk: 900})
    asked, never_asked = facts[keys[0]], facts[keys[1]]
    assert asked.last_update == at(9, 0).timestamp()
    assert asked.gate_closure == keys[0].start.timestamp()
    assert [a.outcome for a in asked.asks] == [Outcome.FAILED, Outcome.NEWER]
    assert all(a.answered_at is not None and a.answered_at >= a.sent_at for a in asked.asks)
    assert (never_asked.last_update, never_asked.asks) == (None, ())
    assert state.facts_of(gates={}, intervals={}) == {}


def test_only_the_last_few_requests_are_told(market: Market) -> None:
    used(market, 20, ago=10)
    key = key_of(market, 12)
    facts = state.facts_of(gates={key: key.start}, intervals={market.pk: 600})
    assert len(facts[key].asks) == ASKS_REMEMBERED


# --- the feed's state ----------------------------------------------------------------------------------------------
def feed(market: Market, now: datetime) -> PriceFeedState:
    return feed_state(market=market, now=now, interval=600)


def logged(market: Market, moment: datetime, outcome: Outcome, detail: str = "", *, hour: int = 12) -> None:
    key = key_of(market, hour)
    ProviderRequest.objects.create(
        market=market,
        delivery_start=key.start,
        delivery_end=key.end,
        sent_at=moment,
        finished_at=moment + timedelta(seconds=0.1),
        outcome=outcome.value,
        detail=detail,
    )


def priced(market: Market, minute: int, second: int) -> None:
    """The 12-13 period was published, and asked for, then; nothing else is in the ledger."""
    store(market, 12, published("9.8", minute, second))
    ProviderRequest.objects.all().delete()
    logged(market, at(9, minute, second + 1), Outcome.NEWER)


def test_a_feed_that_was_never_asked(market: Market) -> None:
    state = feed(market, at(9, 0))
    assert (state.state, state.since, state.last_success_at, state.next_publication_at) == ("none", None, None, None)


def test_a_current_feed(market: Market, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    priced(market, 0, 12)
    with django_assert_max_num_queries(5):
        state = feed(market, at(9, 5))
    assert (state.state, state.since, state.next_publication_at) == ("ok", at(9, 0, 12), at(9, 10))
    assert state.last_success_at == at(9, 0, 13) + timedelta(seconds=0.1)


def test_a_publication_is_awaited_and_then_late(market: Market) -> None:
    priced(market, 0, 12)
    logged(market, at(9, 10, 20), Outcome.UNCHANGED)
    awaited, late = feed(market, at(9, 10, 25)), feed(market, at(9, 10, 31))
    assert (awaited.state, awaited.next_publication_at) == ("ok", at(9, 10))
    assert (late.state, late.since, late.next_publication_at) == ("late", at(9, 10, 30), at(9, 10))


def test_a_missed_publication_stays_late_until_it_is_there(market: Market) -> None:
    """Later publication times pass: they make the old price no fresher, and "late since" grows."""
    priced(market, 0, 12)
    for minute in (10, 20, 30, 40):
        logged(market, at(9, minute, 2), Outcome.UNCHANGED)
        state = feed(market, at(9, minute, 35))
        assert (state.state, state.since) == ("late", at(9, 10, 30)), minute
        assert feed(market, at(9, minute + 9, 59)).state == "late"
    logged(market, at(9, 50, 1), Outcome.UNCHANGED)
    assert feed(market, at(9, 50, 5)).state == "late", "just after a publication time, too"
    priced(market, 50, 6)
    assert feed(market, at(9, 50, 8)).state == "ok"


def test_a_provider_that_has_only_what_is_over_is_not_up_to_date(market: Market) -> None:
    """It confirms a closed period's price, and says 404 to every open one, in whatever order."""
    store(market, 12, published("9.8", 0, 12))
    ProviderRequest.objects.all().delete()
    now = key_of(market, 12).start
    for seconds, outcome, hour in ((90, Outcome.UNDEFINED, 15), (60, Outcome.UNCHANGED, 12)):
        logged(market, now - timedelta(seconds=seconds), outcome, "404", hour=hour)
        state = feed(market, now)
        assert (state.state, state.next_publication_at) == ("none", None)
        assert state.answers_without_a_price
    ProviderRequest.objects.filter(outcome=Outcome.UNDEFINED).delete()
    assert feed(market, now).state == "ok", "nothing open was asked for"


def test_a_provider_that_answers_and_has_no_price(market: Market) -> None:
    logged(market, at(9, 0, 1), Outcome.UNDEFINED, "404: no such period")
    state = feed(market, at(9, 0, 5))
    assert (state.state, state.last_success_at) == ("none", at(9, 0, 1) + timedelta(seconds=0.1))
    assert state.why is StandstillReason.UNKNOWN


@pytest.mark.parametrize(
    ("outcome", "detail", "why"),
    [
        (Outcome.BAD_ANSWER, "the value is not a number", "the provider's answers can't be used"),
        (Outcome.BAD_ANSWER, f"last_update “x” {FROM_THE_FUTURE}", "the provider's times are in the future"),
        (Outcome.FAILED, "no answer: refused", "the provider does not answer"),
        (Outcome.REFUSED, "429", "the provider refuses requests (429)"),
    ],
)
def test_why_prices_stand_still(market: Market, outcome: Outcome, detail: str, why: str) -> None:
    priced(market, 0, 12)
    for second in (1, 3, 5):
        logged(market, at(9, 10, second), outcome, detail)
    state = feed(market, at(9, 10, 8))
    assert (state.state, state.why) == ("down", why)


def test_nobody_asks_the_provider(market: Market) -> None:
    priced(market, 0, 12)
    state = feed(market, at(9, 45))
    assert (state.state, state.why) == ("down", StandstillReason.UNASKED)


def test_a_publication_is_late_because_the_limits_are_used_up(market: Market, settings: Settings) -> None:
    priced(market, 0, 12)
    logged(market, at(9, 10, 2), Outcome.UNCHANGED)
    settings.MARKET_DATA_REQUESTS_PER_HOUR = 1
    state = feed(market, at(9, 10, 35))
    assert (state.state, state.why) == ("late", StandstillReason.USED_UP)


def test_periods_of_which_the_provider_does_not_say_which_it_means(market: Market) -> None:
    """The newest answer counts, and only for the periods that were asked about."""
    first, second, other = (DeliveryPeriod(at(hour, 0), at(hour + 1, 0)) for hour in (0, 1, 2))
    for period in (first, second, other):
        said_of(market, period, at(9, 0, 1), f"“02-03” {WHICH_OF_TWO}")
    said_of(market, second, at(9, 0, 2), "the value is not a number")
    assert queries.unclear_periods(market_id=market.pk, periods=[first, second]) == {first}


def test_a_provider_that_does_not_answer(market: Market) -> None:
    priced(market, 0, 12)
    success = at(9, 0, 13) + timedelta(seconds=0.1)
    for second in (1, 3, 5):
        logged(market, at(9, 10, second), Outcome.FAILED, f"no answer at {second}")
    state = feed(market, at(9, 10, 8))
    assert (state.state, state.since, state.last_error) == ("down", success, "no answer at 5")
    logged(market, at(9, 10, 9), Outcome.NEWER)
    assert feed(market, at(9, 10, 10)).state == "ok"


def test_nobody_asks_any_more(market: Market) -> None:
    priced(market, 0, 12)
    assert feed(market, at(9, 21)).state == "down"


def test_a_renewal_after_the_own_last_update(market: Market) -> None:
    priced(market, 5, 45)
    assert feed(market, at(9, 12)).next_publication_at == at(9, 15, 45)


def test_without_an_open_period_nothing_is_late(market: Market) -> None:
    priced(market, 0, 12)
    logged(market, at(10, 56), Outcome.UNCHANGED)  # the gate of 12-13 local time closes at 10:55 UTC
    state = feed(market, at(10, 57))
    assert (state.state, state.next_publication_at) == ("ok", None)


def test_final_prices_that_were_corrected(market: Market) -> None:
    """Hour 12 is delivered from 11:00 UTC on, its gate closes at 10:55."""
    since = at(9, 0)

    def publish(hour: int, value: str, at_hour: int, minute: int) -> None:
        store(market, hour, Published(Decimal(value), at(at_hour, minute)))

    for hour, minute, value in ((12, 50, "10"), (12, 58, "11"), (13, 58, "20")):
        publish(hour, value, 10, minute)
    assert queries.corrected_finals(market_id=market.pk, since=since) == 0, "12's first final, 13 is still open"
    publish(12, "11", 11, 10)
    assert queries.corrected_finals(market_id=market.pk, since=since) == 0, "the same again"
    publish(12, "12", 11, 20)
    publish(12, "13", 11, 30)
    assert queries.corrected_finals(market_id=market.pk, since=since) == 1
    assert queries.corrected_finals(market_id=market.pk, since=timezone.now()) == 0
