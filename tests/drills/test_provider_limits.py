"""Real workers and beats through bad moments; the simulated provider's own count says whether the limits held."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from local.simulators.provider import Limits
from local.simulators.provider import Market as SimulatedMarket
from market.models import Market
from market.periods import day_of, tradable_periods
from prices.models import ProviderRequest, ReferencePrice
from tests.drills.rig.results import Row
from tests.prices import desk
from tests.processes import wait_until
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.django_db(transaction=True)]

INTERVAL = 10
"""Seconds: 24 periods every 10 s would be 144 requests a minute, so the limit of 50 binds all the time."""


@pytest.fixture
def market(transactional_db: None) -> Market:
    """The only active market."""
    Market.objects.update(is_active=False)
    found = germany()
    Market.objects.filter(pk=found.pk).update(is_active=True)
    return found


def environment(address: str, per_minute: int = 50) -> dict[str, str]:
    return {
        "MARKET_DATA_URL": address,
        "MARKET_DATA_UPDATE_INTERVAL": str(INTERVAL),
        "MARKET_DATA_REQUESTS_PER_MINUTE": str(per_minute),
        "MARKET_DATA_REQUESTS_PER_HOUR": "1000",
    }


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "watched", [5, pytest.param(60, marks=pytest.mark.long)], ids=["at first", "until it is asked"]
)
def test_whatever_happens_the_provider_counts_no_violation(
    market: Market, tmp_path: Path, row: Row, watched: int
) -> None:
    """Two beats, two workers, one killed, Redis emptied twice, the clock stepped back an hour."""
    row.done = f"two beats, two workers, one killed, Redis emptied twice, the clock back 1 h; then {watched} s"
    with ExitStack() as stack:
        simulated = SimulatedMarket(seed=5, interval=INTERVAL, delay_max=2)
        address, limits = stack.enter_context(desk.provider_running(simulated, Limits(50, 1000)))
        env, log = environment(address), tmp_path / "desk.log"
        first = stack.enter_context(desk.worker(log, "one", **env))
        stack.enter_context(desk.worker(log, "two", **env))
        for _ in range(2):
            stack.enter_context(desk.beat(log, **env))
        wait_until(lambda: ReferencePrice.objects.count() > 20, "prices:\n", 40, log.read_text)
        redis.Redis.from_url(settings.REDIS_URL).flushdb()
        time.sleep(2)
        first.kill()
        wait_until(lambda: limits.requests >= 48, "the minute to be used up", 40, log.read_text)
        ProviderRequest.objects.update(
            sent_at=F("sent_at") + timedelta(hours=1), finished_at=F("finished_at") + timedelta(hours=1)
        )
        redis.Redis.from_url(settings.REDIS_URL).flushdb()
        used, stepped = limits.requests, time.monotonic()
        wait_until(lambda: time.monotonic() - stepped > watched, "the time to watch", watched + 5)
        if watched >= 60:
            wait_until(lambda: limits.requests > used + 10, "requests after the step", 60, log.read_text)
        row.note(worst=limits.busiest_minute, of="requests in the busiest minute")
        assert limits.violations == 0
        assert limits.busiest_minute <= 50
        assert not ProviderRequest.objects.filter(outcome="refused").exists()
        assert "Traceback" not in log.read_text()


@pytest.mark.timeout(120)
def test_a_killed_workers_chase_is_taken_up_with_the_next_tick(market: Market, tmp_path: Path, row: Row) -> None:
    row.done = "kill -9 of the worker that chases, another one beside it"
    with ExitStack() as stack:
        simulated = SimulatedMarket(seed=6, interval=INTERVAL, never_rate=0.9)  # always awaited, so always chased
        address, limits = stack.enter_context(desk.provider_running(simulated, Limits(5000, 100_000)))
        env, log = environment(address, per_minute=5000), tmp_path / "desk.log"
        env["MARKET_DATA_REQUESTS_PER_HOUR"] = "100000"
        workers = {name: stack.enter_context(desk.worker(log, name, **env)) for name in ("one", "two")}
        wait_until(lambda: log.read_text().count("@desk ready.") >= len(workers), "both workers:\n", 60, log.read_text)
        stack.enter_context(desk.beat(log, **env))
        wait_until(lambda: desk.chaser(market.pk), "a chase:\n", 40, log.read_text)
        chasing = desk.chaser(market.pk) or ""
        killed_at = time.monotonic()
        workers.pop(chasing).kill()
        (other,) = workers
        wait_until(lambda: desk.chaser(market.pk) == other, "the other worker's chase", 20)
        taken_up = time.monotonic() - killed_at
        requests = limits.requests
        wait_until(lambda: limits.requests > requests, "a request of the other worker", 20, workers[other].output)
        row.note(worst=taken_up, of="until taken up")
        assert taken_up <= settings.CHASE_TICK_SECONDS + 1.5
        assert limits.violations == 0


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_worker_that_was_there_before_its_provider(market: Market, tmp_path: Path, row: Row) -> None:
    """It must not need a restart: the first sign of life brings every price."""
    row.done = "the provider refuses at first, then answers"
    with ExitStack() as stack:
        env = environment("http://127.0.0.1:9")
        simulated = SimulatedMarket(seed=7, interval=600, delay_max=2)
        address, limits = stack.enter_context(desk.provider_running(simulated, Limits(50, 1000)))
        env |= {"MARKET_DATA_URL": "", "MARKET_DATA_UPDATE_INTERVAL": "600"}
        Market.objects.update(market_data_url="http://127.0.0.1:9")
        log = tmp_path / "desk.log"
        stack.enter_context(desk.worker(log, **env))
        stack.enter_context(desk.beat(log, **env))
        wait_until(lambda: ProviderRequest.objects.filter(outcome="failed").count() > 3, "tries", 40, log.read_text)
        Market.objects.update(market_data_url=address)
        tradable = tradable_periods(timezone.now(), market.zone, timedelta(minutes=market.gate_closure_minutes))
        today = {p.start for p in tradable if day_of(p.start, market.zone) == day_of(timezone.now(), market.zone)}

        def known() -> set[datetime]:
            return set(ReferencePrice.objects.values_list("delivery_start", flat=True))

        wait_until(lambda: today <= known() and known(), "prices:\n", 25, log.read_text)
        assert limits.violations == 0
