"""Assumptions while prices arrive and processes die: 10,000 races, and the verdict after a worker was killed."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from dashboard.assumptions import judging
from dashboard.assumptions.checking import differences
from dashboard.assumptions.models import AssumedPeriod, Assumption, FrozenPrice, VerdictRecord
from dashboard.models import TraderLogin
from market.models import Market
from market.periods import DeliveryPeriod
from prices.models import ReferencePrice, ReferencePriceHistory
from tests.dashboard.assumptions.test_races import run
from tests.dashboard.people import a_trader
from tests.prices.desk import worker
from tests.processes import wait_until
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.django_db(transaction=True)]
WITHIN = 2.0
"""Seconds from a final's commit to its verdict."""


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ten_thousand_races(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four authors about one period, with its prices as fast as they can be stored."""
    run(10_000, monkeypatch, seconds=800)


class OneAfterTheOther:
    """Assumptions on periods whose gates have just closed; their finals are stored by a process that dies at once."""

    def __init__(self, market: Market) -> None:
        self.market, self.number = market, 0
        self.login = TraderLogin.objects.get(user=a_trader())

    def final(self) -> AssumedPeriod:
        """Commit a final, and judge nothing: what a worker leaves behind that is killed right after its commit."""
        self.number += 1
        period = self._period()
        facts = {
            "market": self.market,
            "delivery_day": period.assumption.delivery_day,
            "delivery_hour": "x",
            "delivery_start": period.delivery_start,
            "delivery_end": period.delivery_end,
            "value": Decimal(51),
            "last_update": period.gate_closes_at,
            "arrived_at": period.gate_closes_at,
        }
        ReferencePriceHistory.objects.create(**facts)
        ReferencePrice.objects.create(**facts)
        return period

    def _period(self) -> AssumedPeriod:
        now = judging.clock.now()
        start = now - timedelta(minutes=self.number)
        span = DeliveryPeriod(start, start + timedelta(hours=1))
        assumption = Assumption.objects.create(
            market=self.market,
            trader=self.login.trader,
            author=self.login.user,
            created_at=now - timedelta(hours=2),
            delivery_day=start.date(),
            reading="product",
            claim="up",
            late=False,
        )
        period = AssumedPeriod.objects.create(
            assumption=assumption,
            delivery_hour="x",
            delivery_start=span.start,
            delivery_end=span.end,
            reference_start=span.start,
            reference_end=span.end,
            gate_closes_at=now - timedelta(seconds=1),
            net_mwh=Decimal(0),
        )
        moment = now - timedelta(hours=2)
        FrozenPrice.objects.create(period=period, value=Decimal(50), last_update=moment, frozen_at=moment)
        return period


def delay_of(periods: list[AssumedPeriod]) -> float:
    """Seconds until all of them have their verdict."""
    began = time.monotonic()
    wanted = [period.pk for period in periods]
    wait_until(lambda: VerdictRecord.objects.filter(period__in=wanted).count() == len(wanted), "the verdicts")
    return time.monotonic() - began


def test_a_killed_workers_final_is_judged_by_the_next_round_exactly_once(tmp_path: Path) -> None:
    """No beat runs: rounds need none."""
    world = OneAfterTheOther(germany())
    delays: list[float] = []
    with worker(tmp_path / "worker.log") as first:
        delay_of([world.final()])  # it runs
        delays.extend(delay_of([world.final()]) for _ in range(8))
        first.kill()
    left = [world.final() for _ in range(3)]
    with worker(tmp_path / "again.log", name="two"):
        after_restart = delay_of(left)
        delays.append(delay_of([world.final()]))
    print(f"delays {[round(one, 2) for one in delays]}, after a restart {after_restart:.2f} s")
    assert max(delays) <= WITHIN
    assert VerdictRecord.objects.count() == world.number, "each once"
    assert [sentence for sentence in differences() if "on record" in sentence] == []
