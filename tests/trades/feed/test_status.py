"""What boards are told of the exchange, from what the listeners wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.trades.frames import germany
from trades.feed.connections import record_silence
from trades.feed.status import ExchangeFeedState, feed_state, open_gaps, refusing_rules
from trades.models import FeedConnection, FeedGap, QuarantinedMessage
from trades.signals import feed_changed

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def a_connection(now: datetime, listener: str = "l1") -> FeedConnection:
    return FeedConnection.objects.create(
        market=germany(), listener=listener, connected_at=now - timedelta(hours=1), alive_at=now
    )


def test_a_line_that_nothing_is_heard_on_is_not_connected_until_it_is_heard_again() -> None:
    now, told = timezone.now(), list[int]()
    since = now - timedelta(seconds=4)
    connection = a_connection(now)

    def hear(market_id: int, **_kwargs: object) -> None:
        told.append(market_id)

    feed_changed.connect(hear)
    record_silence(market=connection.market, connection_pk=connection.pk, since=since)
    assert feed_state(market_id=connection.market_id, now=now) == ExchangeFeedState(False, since, None, silent=True)
    record_silence(market=connection.market, connection_pk=connection.pk, since=None)
    assert feed_state(market_id=connection.market_id, now=now) == ExchangeFeedState(True, connection.connected_at, None)
    feed_changed.disconnect(hear)
    assert told == [connection.market_id] * 2


def test_one_listener_that_hears_is_enough() -> None:
    now = timezone.now()
    silent, other = a_connection(now), a_connection(now, "l2")
    record_silence(market=silent.market, connection_pk=silent.pk, since=now)
    assert feed_state(market_id=silent.market_id, now=now) == ExchangeFeedState(True, other.connected_at, None)


def test_who_has_ended_or_fallen_silent_says_since_when_nobody_hears() -> None:
    now = timezone.now()
    assert feed_state(market_id=germany().pk, now=now) == ExchangeFeedState(False, None, None)
    ended, gone = a_connection(now), a_connection(now - timedelta(minutes=1), "l2")
    ended.last_frame_at, ended.disconnected_at = now - timedelta(seconds=20), now - timedelta(seconds=10)
    ended.save()
    expected = ExchangeFeedState(False, ended.disconnected_at, ended.last_frame_at)
    assert feed_state(market_id=gone.market_id, now=now) == expected
    assert feed_state(market_id=gone.market_id + 1, now=now) == ExchangeFeedState(False, None, None)


def test_open_gaps_are_the_market_s_newest_first() -> None:
    now, minute = timezone.now(), timedelta(minutes=1)
    for minutes in (9, 3, 6):
        FeedGap.objects.create(market=germany(), started_at=now - minutes * minute, ended_at=now)
    FeedGap.objects.filter(started_at=now - 6 * minute).update(closed_at=now, note="compared")
    assert open_gaps(market_id=germany().pk) == [(now - 3 * minute, now), (now - 9 * minute, now)]
    assert open_gaps(market_id=germany().pk, most=1) == [(now - 3 * minute, now)]
    assert open_gaps(market_id=germany().pk + 1) == []


def test_more_than_a_handful_within_minutes_names_the_rule() -> None:
    def kept_aside(reason: str, count: int, at: datetime) -> None:
        for _ in range(count):
            number = QuarantinedMessage.objects.count()
            QuarantinedMessage.objects.create(
                market=germany(),
                kind="unusable",
                reason=reason,
                detail="x",
                raw=b"x",
                listener="l",
                received_at=at,
                source="s",
                source_position=number,
            )

    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    kept_aside("bad_price", 5, now)
    kept_aside("other_message", 60, now)
    kept_aside("missing_id", 60, now - timedelta(minutes=11))
    assert refusing_rules(market_id=germany().pk, now=now) == {}
    kept_aside("bad_price", 1, now)
    assert refusing_rules(market_id=germany().pk, now=now) == {"bad_price": 6}
