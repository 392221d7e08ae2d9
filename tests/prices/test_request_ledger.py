"""The ledger: what counts, for how long, and that nobody gets past it, together or apart."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from market.models import Market
from prices import request_ledger
from prices.models import ProviderRequest
from prices.observations import Outcome
from tests.prices.conftest import database_now, key_of, reserved, used

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def free_in(market: Market) -> float:
    """Seconds until the next request may go out; 0 when one just went."""
    found = request_ledger.reserve(key_of(market, 12))
    if isinstance(found, request_ledger.Reservation):
        return 0
    return (found.free_at - database_now()).total_seconds()


def test_a_request_is_in_the_ledger_before_it_is_sent(market: Market) -> None:
    request_id = reserved(key_of(market, 12))
    row = ProviderRequest.objects.get(pk=request_id)
    assert (row.outcome, row.finished_at) == ("pending", None)
    assert abs(row.sent_at - database_now()) < timedelta(seconds=5)
    request_ledger.finish(request_id=request_id, outcome=Outcome.UNDEFINED, detail="x" * 400)
    row.refresh_from_db()
    assert (row.outcome, len(row.detail)) == ("undefined", 300)
    assert row.finished_at is not None


def test_the_minute_is_full_at_its_limit(market: Market) -> None:
    used(market, 49, ago=30)
    assert free_in(market) == 0
    assert free_in(market) == pytest.approx(31.1, abs=2)  # until a minute and the margin after the first 49 ended


def test_the_hour_is_full_at_its_limit(market: Market) -> None:
    used(market, 999, ago=1000)
    assert free_in(market) == 0
    assert free_in(market) == pytest.approx(2601.1, abs=2)


def test_the_limits_are_settings(market: Market, settings: Any) -> None:
    settings.MARKET_DATA_REQUESTS_PER_MINUTE = 2
    assert [free_in(market) == 0 for _ in range(3)] == [True, True, False]


def test_a_request_counts_from_its_end_not_its_start(market: Market) -> None:
    used(market, 50, ago=63, took=3)
    assert free_in(market) > 0
    ProviderRequest.objects.all().delete()
    used(market, 50, ago=63, took=0.1)
    assert free_in(market) == 0


def test_a_request_that_never_reported_back_counts_from_its_deadline(market: Market) -> None:
    used(market, 50, ago=64, took=None)
    assert free_in(market) == pytest.approx(2, abs=1)
    ProviderRequest.objects.all().delete()
    used(market, 50, ago=67, took=None)
    assert free_in(market) == 0


def test_all_markets_share_the_limits(market: Market) -> None:
    other = Market.objects.create(code="XX", name="Elsewhere")
    used(other, 50, ago=10)
    assert free_in(market) > 0


def test_a_429_pauses_everybody(market: Market) -> None:
    request_id = reserved(key_of(market, 12))
    request_ledger.finish(request_id=request_id, outcome=Outcome.REFUSED, detail="429", pause=120)
    other = Market.objects.create(code="XX", name="Elsewhere")
    assert free_in(other) == pytest.approx(120, abs=2)
    assert request_ledger.state(interval=600).paused_until == pytest.approx(database_now().timestamp() + 120, abs=2)


def test_a_clock_stepped_back_costs_a_window_not_the_step(market: Market) -> None:
    used(market, 50, ago=-3600)
    assert 0 < free_in(market) < 62
    assert not ProviderRequest.objects.filter(sent_at__gt=database_now()).exists()
    assert request_ledger.state(interval=600).minute_free == 0


def test_the_policy_is_told_what_is_left(market: Market) -> None:
    used(market, 10, ago=20)
    used(market, 30, ago=2000)
    state = request_ledger.state(interval=1e9)
    assert (state.minute_free, state.hour_free, state.spent_in_slot) == (40, 960, 40)


def test_threads_together_never_get_more_than_the_limit(market: Market) -> None:
    def grab(_: int) -> int:
        try:
            found = [request_ledger.reserve(key_of(market, 12)) for _ in range(10)]
            return sum(isinstance(f, request_ledger.Reservation) for f in found)
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        granted = sum(pool.map(grab, range(12)))
    assert granted == ProviderRequest.objects.count() == 50


GRAB = """
import django; django.setup()
from market.models import Market
from prices import request_ledger
from tests.prices.conftest import key_of
market = Market.objects.get(code="DE")
print(sum(isinstance(request_ledger.reserve(key_of(market, 12)), request_ledger.Reservation) for _ in range(40)))
"""


def test_processes_together_never_get_more_than_the_limit(market: Market) -> None:
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    database = f"{base}/{settings.DATABASES['default']['NAME']}"
    environment = {**os.environ, "DATABASE_URL": database}
    running = [
        subprocess.Popen([sys.executable, "-c", GRAB], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert sum(int(process.communicate(timeout=60)[0]) for process in running) == 50


def test_old_rows_go_in_small_batches(market: Market) -> None:
    used(market, 7, ago=31 * 86400)
    used(market, 3, ago=29 * 86400)
    assert [request_ledger.prune(batch=5) for _ in range(3)] == [5, 2, 0]
    assert ProviderRequest.objects.count() == 3
