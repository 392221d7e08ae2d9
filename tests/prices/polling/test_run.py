"""The whole chase: tick, lock, ledger, HTTP, PostgreSQL, against a scripted and a simulated provider."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import DjangoAssertNumQueries
from structlog.testing import capture_logs

from local.simulators.provider import Faults, Limits, SimulatedProvider, simulated_server
from local.simulators.provider import Market as SimulatedMarket
from local.simulators.scripted_provider import ScriptedProvider
from market.labels import label_of
from market.models import Market, MarketRule
from market.periods import DeliveryPeriod, day_of, day_periods, tradable_periods
from prices.feed import feed_state
from prices.models import PriceCheck, PriceCorrection, ProviderRequest, ReferencePrice
from prices.observations import Outcome, Priority
from prices.polling import loop, priority, run
from prices.polling import provider as provider_client
from prices.polling.run import chase_prices
from prices.rhythms import interval_of
from tests.prices.desk import chasing_backend
from tests.processes import wait_for_moment, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def desk(market: Market, provider: ScriptedProvider, settings: Any) -> Market:
    """The market, pointed at the scripted provider, with no publication near and no limit in the way."""
    settings.MARKET_DATA_URL = provider.url
    settings.MARKET_DATA_REQUESTS_PER_MINUTE = 500
    settings.MARKET_DATA_UPDATE_INTERVAL = next(
        seconds for seconds in (86_400, 90_000, 100_000) if 3600 < time.time() % seconds < seconds - 3600
    )
    return market


def every_period(market: Market) -> list[tuple[str, str, DeliveryPeriod]]:
    """Yesterday, today and tomorrow: day, label, period."""
    today = day_of(now(), market.zone)
    days = [today + timedelta(days=n) for n in (-1, 0, 1)]
    return [(str(d), label_of(p, market.zone), p) for d in days for p in day_periods(d, market.zone)]


def slot() -> datetime:
    interval = django_settings.MARKET_DATA_UPDATE_INTERVAL
    return datetime.fromtimestamp(time.time() // interval * interval + 1, tz=UTC)


def publish(provider: ScriptedProvider, market: Market, value: str, at: datetime | None = None) -> None:
    """A price for every period, out now."""
    for day, label, _ in every_period(market):
        provider.set(day, label, value, last_update=at or slot())


def wait_for(condition: Callable[[], bool], seconds: float) -> float:
    """Seconds until the condition held; fails after the deadline."""
    begin = time.monotonic()
    wait_until(condition, "prices", seconds)
    return time.monotonic() - begin


def test_after_a_start_everything_is_asked_for_at_once(desk: Market, provider: ScriptedProvider) -> None:
    publish(provider, desk, "81.5")
    stats = chase_prices(now=now())
    periods = every_period(desk)
    open_labels = {
        (d, label)
        for d, label, p in periods
        if p in tradable_periods(now(), desk.zone, timedelta(minutes=desk.gate_closure_minutes))
    }
    stored = {(str(r.delivery_day), r.delivery_hour) for r in ReferencePrice.objects.all()}
    assert open_labels <= stored
    assert set(provider.counts.values()) == {1}
    assert stats.outcomes == {"newer": len(stored)}
    assert ProviderRequest.objects.filter(outcome="newer").count() == stats.asked == len(provider.requests)
    assert set(ReferencePrice.objects.values_list("value", flat=True)) == {Decimal("81.5")}


def test_tomorrow_is_not_asked_for_before_the_market_opens_it(desk: Market, provider: ScriptedProvider) -> None:
    """Only where somebody holds something of it all the same."""
    publish(provider, desk, "81.5")
    tomorrow = desk.day_of(now()) + timedelta(days=1)
    MarketRule.objects.filter(market=desk).delete()
    rule = MarketRule.objects.create(market=desk, valid_from=tomorrow, opening="23:59:59")
    held = desk.day_periods(tomorrow)[12]

    def asked_for() -> list[str]:
        chase_prices(now=now())
        return [label for day, label in provider.counts if day == str(tomorrow)]

    assert asked_for() == []
    holds = {held: Priority.POSITION}
    priority.register(tell := lambda _market, _moment: holds)
    try:
        assert asked_for() == [desk.label_of(held)]
    finally:
        priority.unregister(tell)
    rule.opening = "00:00"
    rule.save()
    assert len(asked_for()) == len(desk.day_periods(tomorrow))


def test_the_next_tick_has_nothing_to_do_and_costs_six_queries(
    desk: Market, provider: ScriptedProvider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    publish(provider, desk, "81.5")
    chase_prices(now=now())
    before = len(provider.requests)
    with django_assert_num_queries(6):
        assert chase_prices(now=now()).asked == 0
    assert len(provider.requests) == before


def test_a_day_long_past_is_asked_for_again_by_hand_once_and_a_change_is_kept(
    desk: Market, provider: ScriptedProvider
) -> None:
    """One period, then the whole day: hours, and the quarter that has a price."""
    publish(provider, desk, "81.5")
    chase_prices(now=now())
    day = day_of(now(), desk.zone) - timedelta(days=20)
    hours = day_periods(day, desk.zone)
    quarter = day_periods(day, desk.zone, 15)[50]
    for period in (hours[12], quarter):
        price(desk, day, period, "81.20", final_at=period.start)
    provider.set(str(day), "12-13", "82.10", last_update=hours[12].end)
    PriceCheck.objects.create(
        market=desk,
        delivery_day=day,
        delivery_hour="12-13",
        delivery_start=hours[12].start,
        delivery_end=hours[12].end,
        asked_at=now(),
    )
    assert chase_prices(now=now()).outcomes == {"newer": 1}
    correction = PriceCorrection.objects.get()
    assert (correction.old_value, correction.value, correction.why) == (Decimal("81.20"), Decimal("82.10"), "by_hand")
    assert chase_prices(now=now()).asked == 0
    PriceCheck.objects.create(market=desk, delivery_day=day, asked_at=now())
    assert chase_prices(now=now()).asked == len(hours) + 1
    assert PriceCorrection.objects.count() == 1
    assert provider.counts[str(day), label_of(quarter, desk.zone)] == 1


def price(market: Market, day: date, period: DeliveryPeriod, value: str, *, final_at: datetime) -> None:
    """A price that was final when it came."""
    ReferencePrice.objects.create(
        market=market,
        delivery_day=day,
        delivery_hour=label_of(period, market.zone),
        delivery_start=period.start,
        delivery_end=period.end,
        value=Decimal(value),
        last_update=final_at,
        arrived_at=final_at,
    )


def test_a_provider_that_says_404_to_everything_has_no_price(desk: Market, provider: ScriptedProvider) -> None:
    """Whatever it had before: what is closed by now does not make it up to date."""
    day = day_of(now(), desk.zone) - timedelta(days=1)
    price(desk, day, day_periods(day, desk.zone)[12], "81.20", final_at=now() - timedelta(hours=20))
    assert chase_prices(now=now()).outcomes.keys() == {"undefined"}
    state = feed_state(market=desk, now=now(), interval=interval_of(desk))
    assert (state.state, state.answers_without_a_price) == ("none", True)


def test_without_an_active_market_nothing_happens(
    desk: Market, provider: ScriptedProvider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Market.objects.update(is_active=False)
    with django_assert_num_queries(1):
        chase_prices(now=now())
    assert provider.requests == []


def test_an_empty_provider_is_asked_for_today_once_and_felt_for_tomorrow(
    desk: Market, provider: ScriptedProvider
) -> None:
    chase_prices(now=now())
    assert max(provider.counts.values()) == 1
    assert not ReferencePrice.objects.exists()
    today = day_of(now(), desk.zone)
    open_today = [
        p
        for p in tradable_periods(now(), desk.zone, timedelta(minutes=desk.gate_closure_minutes))
        if day_of(p.start, desk.zone) == today
    ]
    if open_today:
        assert sum(day == str(today + timedelta(days=1)) for day, _ in provider.counts) == 1


def test_one_bad_hour_does_not_hold_up_the_others(desk: Market, provider: ScriptedProvider) -> None:
    publish(provider, desk, "81.5")
    day, label, _ = every_period(desk)[-3]
    others = sum(d == day for d, _, _ in every_period(desk)) - 1
    provider.set_body(day, label, '{"value": NaN}')
    with capture_logs() as logs:
        chase_prices(now=now())
    refused = [entry for entry in logs if entry["event"] == "provider_refused"]
    assert {str(entry["delivery_hour"]) for entry in refused} == {label}
    assert 1 <= len(refused) <= 3
    assert ReferencePrice.objects.filter(delivery_day=day).count() == others


def test_a_429_silences_the_desk(desk: Market, provider: ScriptedProvider) -> None:
    provider.fail(429, Retry_After="300")
    chase_prices(now=now())
    sent = len(provider.requests)
    assert 1 <= sent <= loop.AT_ONCE
    provider.heal()
    assert chase_prices(now=now()).asked == 0
    assert len(provider.requests) == sent


def test_a_dead_provider_is_asked_ever_more_rarely(desk: Market, provider: ScriptedProvider) -> None:
    provider.fail(503)
    chase_prices(now=now())
    assert 4 <= len(provider.requests) <= 30
    assert set(ProviderRequest.objects.values_list("outcome", flat=True)) == {"failed"}


@contextmanager
def lock_held(market: Market) -> Iterator[None]:
    """Another process chases this market."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with run._market_locks({market.pk: market}) as mine:
                assert mine
                held.set()
                release.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    yield
    release.set()
    thread.join(10)


def test_a_market_is_chased_by_one_at_a_time(desk: Market, provider: ScriptedProvider) -> None:
    publish(provider, desk, "81.5")
    with lock_held(desk):
        assert chase_prices(now=now()).asked == 0
        assert provider.requests == []
    assert chase_prices(now=now()).asked > 0


def test_a_lock_ends_with_its_connection(desk: Market) -> None:
    def is_free() -> bool:
        with run._market_locks({desk.pk: desk}) as mine:
            return bool(mine)

    with run._market_locks({desk.pk: desk}):
        assert not is_free()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [chasing_backend(desk.pk)])
        wait_until(is_free, "PostgreSQL to see that the connection is gone", 20)


def test_many_ticks_at_once_ask_for_nothing_twice(desk: Market, provider: ScriptedProvider) -> None:
    publish(provider, desk, "81.5")

    def tick(_: int) -> None:
        try:
            chase_prices(now=now())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tick, range(4)))
    assert set(provider.counts.values()) == {1}


def test_the_provider_never_counts_more_than_its_limits(
    market: Market, settings: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    simulated = SimulatedProvider(SimulatedMarket(seed=3), Limits(50, 1000), Faults(latency=(0.001, 0.02)))
    server = simulated_server(simulated, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    settings.MARKET_DATA_URL = f"http://127.0.0.1:{server.server_address[1]}"
    settings.MARKET_DATA_UPDATE_INTERVAL = next(s for s in (86_400, 90_000) if 3600 < time.time() % s < s - 3600)
    try:
        for _ in range(3):
            chase_prices(now=now())
    finally:
        server.shutdown()
        server.server_close()
    assert simulated.limits.violations == 0
    assert 0 < simulated.limits.requests <= 50
    assert not ProviderRequest.objects.filter(outcome="refused").exists()


def test_publications_are_on_record_within_seconds(desk: Market, provider: ScriptedProvider, settings: Any) -> None:
    interval = settings.MARKET_DATA_UPDATE_INTERVAL = 6
    settings.MARKET_DATA_REQUESTS_PER_MINUTE = settings.MARKET_DATA_REQUESTS_PER_HOUR = 100_000
    publish(provider, desk, "1")
    failures: list[BaseException] = []
    thread = threading.Thread(target=_tick_until_stopped, args=(failures,))
    thread.start()
    try:
        wait_for(lambda: _all_open_have(desk, 1), 15)
        for value in (2, 3):
            out = time.time() // interval * interval + interval + 0.7
            wait_for_moment(out)
            publish(provider, desk, str(value), now())
            assert wait_for(partial(_all_open_have, desk, value), 10) < 4
    finally:
        loop.stopping.set()
        thread.join(20)
        loop.stopping.clear()
    assert not failures
    assert not thread.is_alive()


def _tick_until_stopped(failures: list[BaseException]) -> None:
    try:
        while not loop.stopping.is_set():
            chase_prices(now=now())
            loop.stopping.wait(0.1)
    except BaseException as error:
        failures.append(error)
        raise
    finally:
        connection.close()


def _all_open_have(market: Market, value: int) -> bool:
    still_open = tradable_periods(now(), market.zone, timedelta(minutes=market.gate_closure_minutes))
    rows = ReferencePrice.objects.filter(delivery_start__in=[p.start for p in still_open], value=value)
    return rows.count() == len(still_open)


# --- the loop alone ------------------------------------------------------------------------------------------------
def test_threads_that_hang_are_replaced(
    desk: Market, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(provider, desk, "81.5")
    release, real = threading.Event(), provider_client.fetch

    def hang(*_args: Any, **_kwargs: Any) -> Any:
        release.wait(30)
        raise TimeoutError

    monkeypatch.setattr(loop, "LONGEST_CHASE_SECONDS", 1.0)
    monkeypatch.setattr(provider_client, "fetch", hang)
    with capture_logs() as logs:
        assert chase_prices(now=now()).lost == loop.AT_ONCE
    assert "provider_threads_lost" in [entry["event"] for entry in logs]
    monkeypatch.setattr(provider_client, "fetch", real)
    monkeypatch.setattr(loop, "LONGEST_CHASE_SECONDS", 120.0)
    assert chase_prices(now=now()).outcomes["newer"] > loop.AT_ONCE
    release.set()


def test_an_unforeseen_exception_costs_one_request(
    desk: Market, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(provider, desk, "81.5")
    real, calls = provider_client.fetch, []

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise ZeroDivisionError
        return real(*args, **kwargs)

    monkeypatch.setattr(provider_client, "fetch", sometimes)
    with capture_logs() as logs:
        stats = chase_prices(now=now())
    assert stats.outcomes["failed"] == 1
    assert [entry["event"] for entry in logs].count("provider_request_broke") == 1
    assert ProviderRequest.objects.get(outcome=Outcome.FAILED.value).detail.startswith("ZeroDivisionError")
