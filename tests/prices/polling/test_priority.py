"""Who cares about which period: asked of whoever knows, never in the way of the chase."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client
from structlog.testing import capture_logs

from dashboard.access import preferences
from dashboard.live.price_priority import assumed, positions_held
from dashboard.models import Preference
from market.models import Market, MarketRule
from market.periods import DeliveryPeriod, day_periods
from prices.observations import PeriodKey, Priority
from prices.polling import priority, run
from tests.dashboard.assumptions import written
from tests.dashboard.boards import store_trade
from tests.dashboard.people import a_head, a_trader
from tests.prices.conftest import DAY, key_of
from tests.trades.frames import germany

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _only_ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(priority, "_providers", [])
    monkeypatch.setitem(preferences._noted, "at", float("-inf"))
    monkeypatch.setattr(preferences, "ASKED_EVERY", 0.0)
    cache.delete(preferences.BY_QUARTER)
    yield
    cache.delete(preferences.BY_QUARTER)


def told(market: Market, *keys: PeriodKey) -> list[Priority]:
    found = priority.priorities(market_id=market.pk, now=NOW, keys=list(keys))
    return [found.get(key, Priority.NONE) for key in keys]


def test_without_anybody_who_knows_nothing_is_of_interest(market: Market) -> None:
    assert told(market, key_of(market, 12)) == [Priority.NONE]


def test_the_strongest_interest_counts(market: Market) -> None:
    one, other = key_of(market, 12), key_of(market, 13)
    priority.register(
        lambda _m, _now: {
            DeliveryPeriod(one.start, one.end): Priority.VIEWED,
            DeliveryPeriod(other.start, other.end): Priority.VIEWED,
        }
    )
    priority.register(lambda _m, _now: {DeliveryPeriod(*one[2:]): Priority.POSITION})
    assert told(market, one, other, key_of(market, 14)) == [Priority.POSITION, Priority.VIEWED, Priority.NONE]


def test_registering_twice_changes_nothing(market: Market) -> None:
    priority.register(positions_held)
    priority.register(positions_held)
    priority.unregister(positions_held)
    assert priority._providers == []


def test_one_that_fails_is_left_out_with_a_line(market: Market) -> None:
    key = key_of(market, 12)

    def broken(_market: int, _now: datetime) -> dict[DeliveryPeriod, Priority]:
        raise ZeroDivisionError

    priority.register(broken)
    priority.register(lambda _m, _now: {DeliveryPeriod(key.start, key.end): Priority.POSITION})
    with capture_logs() as logs:
        assert told(market, key) == [Priority.POSITION]
    assert [entry["event"] for entry in logs] == ["interest_unknown"]


def test_positions_of_any_trader_are_of_interest(market: Market) -> None:
    store_trade("12-13", "sell", "10", "30", day=DAY)
    store_trade("12-13", "buy", "10", "30", day=DAY, trader="trader_2")
    priority.register(positions_held)
    assert told(market, key_of(market, 12), key_of(market, 13)) == [Priority.POSITION, Priority.NONE]
    assert positions_held(market.pk, datetime(2026, 3, 9, tzinfo=UTC)) == {}


def test_what_is_read_by_quarter_is_asked_for_by_quarter(market: Market) -> None:
    """An hour is its four quarters then, after what has a position of its own; nothing of it while nobody reads so."""
    store_trade("12-13", "sell", "10", "30", day=DAY)
    store_trade("12:15-12:30", "buy", "10", "30", day=DAY)
    hour, quarters = day_periods(DAY, market.zone)[12], day_periods(DAY, market.zone, 15)[48:52]
    assert positions_held(market.pk, NOW) == {hour: Priority.POSITION, quarters[1]: Priority.POSITION}
    Preference.objects.create(user=a_head(), language="en", reading="quarter")
    viewed = dict.fromkeys(quarters, Priority.VIEWED)
    assert positions_held(market.pk, NOW) == {**viewed, hour: Priority.POSITION, quarters[1]: Priority.POSITION}
    assert priority.wanted(market_id=market.pk, now=NOW) == set()
    priority.register(positions_held)
    assert priority.wanted(market_id=market.pk, now=NOW) == {hour, *quarters}


@pytest.mark.parametrize("address", [f"/boards/trader_1/{DAY}/?by=", f"/api/v1/boards/trader_1/{DAY}?by="])
def test_whoever_looks_by_quarter_is_enough(market: Market, client: Client, address: str) -> None:
    """Programs have no choice that is stored, and a page can be asked for so by its address."""
    store_trade("12-13", "sell", "10", "30", day=DAY)
    hour, quarters = day_periods(DAY, market.zone)[12], day_periods(DAY, market.zone, 15)[48:52]
    client.force_login(a_trader())
    assert client.get(f"{address}hour").status_code == 200
    assert positions_held(market.pk, NOW) == {hour: Priority.POSITION}
    assert client.get(f"{address}quarter").status_code == 200
    assert positions_held(market.pk, NOW) == {hour: Priority.POSITION, **dict.fromkeys(quarters, Priority.VIEWED)}


def test_redis_is_asked_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs costs a second each time, and the chase after prices must not wait for it."""
    asked: list[str] = []
    monkeypatch.setattr(preferences, "ASKED_EVERY", 60.0)
    monkeypatch.setitem(preferences._heard, "at", float("-inf"))
    monkeypatch.setattr(preferences, "cache", SimpleNamespace(get=asked.append))
    assert [preferences.is_read_by_quarter() for _ in range(5)] == [False] * 5
    assert asked == [preferences.BY_QUARTER]


def test_what_is_assumed_of_a_period_that_nobody_trades_is_asked_for() -> None:
    """A quarter hour is no row of a board by itself: unasked it would have no price, and the assumption no verdict."""
    market, day, now = germany(), written.DAY, written.NOW
    quarter = day_periods(day, market.zone, 15)[49]
    written.written(delivery_hours=["12:15-12:30"])
    gate = market.gate_closure(day, quarter)
    assert assumed(market.pk, now) == {quarter: Priority.VIEWED}
    assert assumed(market.pk, gate + timedelta(minutes=59)) == {quarter: Priority.VIEWED}
    assert assumed(market.pk, gate + timedelta(minutes=61)) == {}, "it is void by then"
    assert assumed(market.pk + 1, now) == {}
    MarketRule.objects.create(market=market, valid_from=day, opening=time(15))
    assert assumed(market.pk, now - timedelta(days=1)) == {}, "the market opens at 15:00, six hours later"
    assert assumed(market.pk, now - timedelta(hours=17)) == {quarter: Priority.VIEWED}
    priority.register(assumed)
    assert (day, quarter) in set(run._periods(market, now))
    priority.unregister(assumed)
    assert (day, quarter) not in set(run._periods(market, now))
