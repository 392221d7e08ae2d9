"""The watch: what is told, once, to whom; what is muted; what survives a kill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import override

from dashboard.alerts import board_facts
from dashboard.alerts.models import Alert, AlertDelivery, AlertRule, AlertWatch
from dashboard.alerts.rules import QUIET, Kind
from dashboard.alerts.sentences import sentence
from dashboard.alerts.watching import watch
from dashboard.events.models import Event
from market.areas.adding import add_market
from market.models import GateClosure, Market
from tests.dashboard.boards import store_price
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import confirmation, germany, store
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames
from trades.models import FeedGap, QuarantinedMessage, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
NOON = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
DAY = NOON.date()
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def noon() -> Iterator[Any]:
    board_facts._kept.clear()
    with time_machine.travel(NOON, tick=False) as traveller:
        germany()
        yield traveller


@pytest.fixture
def anna() -> User:
    return a_trader()


def a_rule(user: User, kind: Kind, threshold: str | None = None, minutes: int | None = None, **more: Any) -> AlertRule:
    value = None if threshold is None else Decimal(threshold)
    return AlertRule.objects.create(
        user=user, kind=kind.value, threshold=value, minutes=minutes, created_at=NOON, **more
    )


def live(
    label: str,
    direction: str,
    mw: str,
    price: str,
    *,
    at: datetime = NOON,
    trader: str = "trader_1",
    market: Market | None = None,
) -> None:
    """A trade (in Germany, if no other market is named) that is stored as soon as it came."""
    frame = confirmation(
        f"{label} {at} {trader}", delivery_hour=label, direction=direction, quantity=float(mw), price=float(price),
        trader_id=trader,
    )  # fmt: skip
    source = FrameSource(f"live {market} {label} {at} {trader}", "l")
    store_frames(market=market or germany(), source=source, frames=[JournalFrame(1, at, frame)])


def test_open_mwh_before_the_gate_is_told_once(anna: User) -> None:
    a_rule(anna, Kind.OPEN_MWH, "1", 60, webhook=True)
    watch(NOON)
    live("12-13", "sell", "10", "20")
    assert watch(NOON + SECOND) == 1
    assert watch(NOON + 2 * SECOND) == 0
    alert = Alert.objects.get()
    assert (alert.facts["net"], alert.facts["period"], alert.muted) == ("-10", "12-13", False)
    assert AlertDelivery.objects.get().channel == "webhook"
    told = json.loads(Event.objects.get(kind="alert").data)
    assert (told["id"], told["kind"]) == (alert.pk, "open_mwh")
    assert "10 MWh" in told["sentence"]


def test_a_new_gate_closure_holds_from_the_next_look_on(anna: User) -> None:
    a_rule(anna, Kind.OPEN_MWH, "1", 60)
    watch(NOON)
    live("14-15", "sell", "10", "20")
    assert watch(NOON + SECOND) == 0, "its gate closes in more than two hours"
    GateClosure.objects.create(market=germany(), valid_from=DAY, phase="area", lead_minutes=120)
    assert watch(NOON + 2 * SECOND) == 1
    assert Alert.objects.get().facts["closes_at"] == "2026-11-23T11:00:00+00:00"


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_market_is_named_where_there_are_several(anna: User, language: str) -> None:
    a_rule(anna, Kind.OPEN_MWH, "1", 180)
    watch(NOON)
    live("12-13", "sell", "10", "20")
    watch(NOON + SECOND)
    live("13-14", "sell", "10", "20")
    live("13-14", "sell", "10", "20", market=add_market("GB"))
    watch(NOON + 2 * SECOND)
    with override(language):
        said = [sentence(alert.kind, alert.level, alert.facts) for alert in Alert.objects.order_by("pk")]
    assert said[0].startswith("trader_1: "), "there was one market then"
    assert sorted(one.partition(": ")[0] for one in said[1:]) == ["trader_1, DE", "trader_1, GB"]


def test_a_swing_and_a_limit(anna: User) -> None:
    a_rule(anna, Kind.RESULT_SWING, "50", 10)
    a_rule(anna, Kind.LOSS_LIMIT, "100")
    live("12-13", "sell", "10", "20")
    store_price("12-13", "20", day=DAY, at=NOON)
    watch(NOON)
    store_price("12-13", "28", day=DAY, at=NOON + SECOND)
    assert watch(NOON + SECOND) == 2
    assert {(a.kind, a.level) for a in Alert.objects.all()} == {("result_swing", "alert"), ("loss_limit", "warning")}
    store_price("12-13", "31", day=DAY, at=NOON + 2 * SECOND)
    assert watch(NOON + 2 * SECOND) == 1, "the limit is reached: worse than the warning"
    assert Alert.objects.get(kind="loss_limit").count == 2


def test_an_episode_ends_and_another_one_begins(anna: User) -> None:
    a_rule(anna, Kind.RESULT_BELOW, "0")
    live("12-13", "sell", "10", "20")
    for after, price, alerts, count in ((0, "30", 1, 1), (1, "10", 1, 1), (2, "30", 1, 2), (3, "10", 1, 2)):
        store_price("12-13", price, day=DAY, at=NOON + after * SECOND)
        watch(NOON + after * SECOND)
        assert (Alert.objects.count(), Alert.objects.order_by("pk").last().count) == (alerts, count)  # type: ignore[union-attr]
    watch(NOON + QUIET + 4 * SECOND)
    assert Alert.objects.get().ended_at is not None
    store_price("12-13", "30", day=DAY, at=NOON + QUIET + 5 * SECOND)
    assert watch(NOON + QUIET + 5 * SECOND) == 1


def test_what_was_replayed_or_late_alarms_nobody(anna: User) -> None:
    a_rule(anna, Kind.OPEN_MWH, "1", 60)
    a_rule(a_head(), Kind.FRAMES_ASIDE)
    watch(NOON)
    live("12-13", "sell", "10", "20", at=NOON - timedelta(minutes=5))
    store(b"garbage")  # received long before it is stored
    assert watch(NOON + SECOND) == 0
    assert Alert.objects.get().muted
    assert watch(NOON + 2 * SECOND) == 0
    assert not Event.objects.filter(kind="alert").exists()


def test_gaps_and_frames_are_told_to_those_who_may_know(anna: User) -> None:
    head = a_head()
    for user in (anna, head):
        a_rule(user, Kind.GAP)
        a_rule(user, Kind.FRAMES_ASIDE)
    FeedGap.objects.create(market=germany(), started_at=NOON, ended_at=NOON + SECOND)
    assert watch(NOON) == 0, "what was there before the first look is no news"
    FeedGap.objects.create(market=germany(), started_at=NOON + SECOND, ended_at=NOON + 2 * SECOND)
    facts = {"reason": "no_json", "detail": "x", "raw": b"x", "listener": "l", "source": "aside", "source_position": 1}
    QuarantinedMessage.objects.create(market=germany(), kind="unusable", received_at=NOON, stored_at=NOON, **facts)
    assert watch(NOON + 2 * SECOND) == 3
    assert set(Alert.objects.values_list("user__username", "kind")) == {
        ("anna", "gap"), ("head", "gap"), ("head", "frames_aside"),
    }  # fmt: skip
    FeedGap.objects.create(market=germany(), started_at=NOON + 3 * SECOND, ended_at=NOON + 4 * SECOND)
    assert watch(NOON + 4 * SECOND) == 0
    assert Alert.objects.get(user=anna).count == 2


def test_a_rule_for_the_whole_desk_tells_each_trader_the_own_and_the_head_all(anna: User) -> None:
    head, ben = a_head(), a_trader("trader_2", "ben")
    a_rule(head, Kind.OPEN_MWH, "1", 60, desk_wide=True)
    watch(NOON)
    live("12-13", "sell", "10", "20", trader="trader_2")
    assert watch(NOON + SECOND) == 2
    assert {alert.user for alert in Alert.objects.all()} == {head, ben}


def test_nobody_is_told_of_another_and_a_lost_right_is_lost(anna: User) -> None:
    ben = a_trader("trader_2", "ben")
    rule = a_rule(anna, Kind.OPEN_MWH, "1", 60)
    rule.trader = ben.trader_login.trader
    rule.save()
    watch(NOON)
    live("12-13", "sell", "10", "20", trader="trader_2")
    assert watch(NOON + SECOND) == 0


def test_snoozed_is_silent_until_then(anna: User) -> None:
    a_rule(anna, Kind.OPEN_MWH, "1", 60, snoozed_until=NOON + 10 * SECOND)
    watch(NOON)
    live("12-13", "sell", "10", "20")
    assert watch(NOON + SECOND) == 0
    assert watch(NOON + 10 * SECOND) == 1


def test_a_look_that_was_killed_is_looked_again(anna: User) -> None:
    a_rule(anna, Kind.GAP)
    watch(NOON)
    FeedGap.objects.create(market=germany(), started_at=NOON, ended_at=NOON + SECOND)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        assert watch(NOON + SECOND) == 1
        raise KeyboardInterrupt
    assert watch(NOON + 2 * SECOND) == 1
    assert Alert.objects.count() == 1
    assert AlertWatch.objects.count() == 1


def test_a_look_asks_as_much_for_a_desk_as_for_one(anna: User, django_assert_max_num_queries: Any) -> None:
    def rules_of(user: User, *, trader: str) -> None:
        for kind, minutes in ((Kind.OPEN_MWH, 60), (Kind.RESULT_SWING, 10), (Kind.LOSS_LIMIT, None)):
            a_rule(user, kind, "1", minutes)
        for kind in (Kind.FEED_LATE, Kind.PRICE_LATE, Kind.ASSUMPTION_BROKE, Kind.GAP, Kind.FRAMES_ASIDE):
            a_rule(user, kind, desk_wide=user.username == "head")
        live("12-13", "sell", "10", "20", trader=trader)

    rules_of(anna, trader="trader_1")
    rules_of(a_head(), trader="trader_1")
    for number in range(2, 10):
        rules_of(a_trader(f"trader_{number}", f"user-{number}"), trader=f"trader_{number}")
    store_price("12-13", "30", day=DAY, at=NOON)
    assert watch(NOON)
    with django_assert_max_num_queries(45):
        watch(NOON + SECOND)


def test_what_happened_before_anybody_wished_to_be_told_is_no_news(anna: User, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        watch(NOON)
    FeedGap.objects.create(market=germany(), started_at=NOON, ended_at=NOON + SECOND)
    assert watch(NOON + SECOND) == 0
    a_rule(anna, Kind.GAP)
    assert watch(NOON + 2 * SECOND) == 0
    FeedGap.objects.create(market=germany(), started_at=NOON + 2 * SECOND, ended_at=NOON + 3 * SECOND)
    assert watch(NOON + 3 * SECOND) == 1


def test_where_nobody_wishes_to_be_told_only_what_is_new_is_written_down(anna: User) -> None:
    def looked(seconds: int) -> tuple[datetime, int]:
        watch(NOON + seconds * SECOND)
        state = AlertWatch.objects.get()
        return state.looked_at, state.trade

    a_rule(anna, Kind.GAP, snoozed_until=NOON + timedelta(hours=1))
    assert looked(0) == looked(5) == (NOON, 0)
    assert looked(6) == (NOON + 6 * SECOND, 0)
    live("12-13", "sell", "10", "20")
    at, trade = looked(7)
    assert (at, trade) == (NOON + 7 * SECOND, Trade.objects.get().pk)
