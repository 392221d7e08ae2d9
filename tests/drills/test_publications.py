"""The shape of a real day at a real pace: worker and beat against a provider that counts for itself.

24 hours are open, 14 of them and 27 quarter hours with positions: more than fit a minute of 50 requests. The market's
zone is the one where it is 23 o'clock, so that the whole next day is open at whatever time this runs.
"""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from local.simulators.areas import Area
from local.simulators.provider import Limits
from local.simulators.provider import Market as SimulatedMarket
from market.labels import label_of
from market.models import DeskClock, Market
from market.periods import Calendar, DeliveryPeriod, day_of, day_periods
from prices.models import ReferencePrice, ReferencePriceHistory
from tests.dashboard.boards import store_trade
from tests.drills.rig.results import Row
from tests.prices import desk
from tests.processes import wait_until
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.django_db(transaction=True)]

SEEN_WITHIN = 8.0
"""Seconds in which worker and beat, who tick every 5 s, have seen that there is a market."""

HOURS, QUARTERS, NEAREST = 14, 27, 10


@pytest.fixture
def market(transactional_db: None) -> Market:
    """The only market, where it is 23 o'clock; not active before worker and beat are at work."""
    ahead = 23 - datetime.now(UTC).hour
    ahead -= 24 if ahead > 11 else 0
    Market.objects.filter(pk=germany().pk).update(time_zone=f"Etc/GMT{-ahead:+d}")
    Market.objects.update(is_active=False)
    return germany()


def held_of(day: date, zone: ZoneInfo, dice: random.Random) -> list[DeliveryPeriod]:
    """14 hours and 27 quarter hours from 02:00 on, which nobody closes while they are watched."""
    hours, quarters = day_periods(day, zone, 60)[2:], day_periods(day, zone, 15)[8:]
    return sorted([*dice.sample(hours, HOURS), *dice.sample(quarters, QUARTERS)])


def known_before(market: Market, day: date, periods: list[DeliveryPeriod], simulated: SimulatedMarket) -> None:
    """The last publication's prices, as if this desk had run already: no start uses the minute up."""
    now = datetime.now(UTC)
    for period in periods:
        value, out = simulated.price(period, now) or (None, None)
        assert value is not None
        assert out is not None
        ReferencePrice.objects.create(
            market=market,
            delivery_day=day,
            delivery_hour=label_of(period, market.zone),
            delivery_start=period.start,
            delivery_end=period.end,
            value=value,
            last_update=out,
            arrived_at=out,
        )


@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    ("publications", "interval", "latest"),
    [(1, 16, 4.0), pytest.param(2, 600, 30.0, marks=pytest.mark.long)],
    ids=["one publication", "two at their real pace"],
)
def test_all_with_a_position_are_known_within_a_minute(
    market: Market, tmp_path: Path, row: Row, dice: random.Random, publications: int, interval: int, latest: float
) -> None:
    """All 41 within 60 s of each publication, the ten nearest their gates within 3 s on average, no violation."""
    row.done = f"worker and beat, 24 hours and {QUARTERS} quarters open, 41 held, every {interval} s"
    day = day_of(datetime.now(UTC), market.zone) + timedelta(days=1)
    held = held_of(day, market.zone, dice)
    for period in held:
        store_trade(label_of(period, market.zone), "sell", "1", "20", day=day)
    simulated = SimulatedMarket(
        seed=dice.randrange(10**6), interval=interval, delay_max=latest, area=Area(Calendar(market.zone))
    )
    with ExitStack() as stack:
        address, limits = stack.enter_context(desk.provider_running(simulated, Limits(50, 1000)))
        names = {"MARKET_DATA_URL": address, "MARKET_DATA_UPDATE_INTERVAL": str(interval)}
        names |= {"MARKET_DATA_REQUESTS_PER_MINUTE": "50", "MARKET_DATA_REQUESTS_PER_HOUR": "1000"}
        log = tmp_path / "desk.log"
        stack.enter_context(desk.worker(log, **names))
        stack.enter_context(desk.beat(log, **names))
        _wait_for_the_first_tick(log)
        left = interval - time.time() % interval
        time.sleep(left + latest if left < SEEN_WITHIN + latest else max(0.0, latest - (interval - left)))
        if publications == 1:
            known_before(market, day, [*day_periods(day, market.zone), *_quarters(held)], simulated)
        Market.objects.filter(pk=market.pk).update(is_active=True)
        late = []
        for _ in range(publications):
            slot = simulated.slot_of(datetime.now(UTC)) + timedelta(seconds=interval)
            late.append(_known_after(simulated, slot, held, log))
        nearest = [seconds for of_slot in late for seconds in of_slot[:NEAREST]]
        worst, mean = max(map(max, late)), sum(nearest) / len(nearest)
        row.note(worst=worst, of=f"until all 41 were known; the nearest ten {mean:.2f} s on average")
        print(
            f"worst {worst:.2f} s, nearest ten {mean:.2f} s, busiest {limits.busiest_minute} and {limits.busiest_hour}"
        )
        assert worst <= 60
        assert mean <= 3
        assert limits.violations == 0
        assert limits.busiest_minute <= 50
        assert "Traceback" not in log.read_text()


def _wait_for_the_first_tick(log: Path) -> None:
    """Until worker and beat are at work: a tick looks at the desk's time first, and the first look makes its row."""
    wait_until(DeskClock.objects.exists, "a tick:\n", 100, log.read_text)


def _quarters(held: list[DeliveryPeriod]) -> list[DeliveryPeriod]:
    return [period for period in held if period.duration < timedelta(hours=1)]


def _known_after(simulated: SimulatedMarket, slot: datetime, held: list[DeliveryPeriod], log: Path) -> list[float]:
    """Seconds from the slot's publication until each was stored, the nearest gate first."""
    time.sleep(max(0.0, slot.timestamp() - time.time()))
    outs = {period: simulated.published_at(slot, period) for period in held}

    def arrived() -> dict[DeliveryPeriod, datetime]:
        news = ReferencePriceHistory.objects.filter(last_update__gte=slot).order_by("-last_update")
        return {
            DeliveryPeriod(s, e): at for s, e, at in news.values_list("delivery_start", "delivery_end", "arrived_at")
        }

    wait_until(lambda: set(held) <= arrived().keys(), "all 41 prices:\n", 100, log.read_text)
    known = arrived()
    return [(known[period] - out).total_seconds() for period, out in outs.items() if out is not None]
