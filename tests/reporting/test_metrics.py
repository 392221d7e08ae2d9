"""/metrics: what alarms watch of the listeners, the gaps and the frames kept aside."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.trades.frames import NOW, confirmation, germany, store
from trades.models import FeedConnection, FeedGap, QuarantinedMessage

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def a_connection(listener: str, **facts: Any) -> None:
    now = timezone.now()
    FeedConnection.objects.create(
        market=germany(), listener=listener, **{"connected_at": now, "alive_at": now, **facts}
    )


def test_connected_listeners_tell_how_they_are_doing(client: Client) -> None:
    a_connection("l1", journal_failed=True, waiting=123, overflows=4)
    a_connection("l2")
    a_connection("gone", disconnected_at=timezone.now())
    a_connection("silent", alive_at=timezone.now() - timedelta(seconds=60))
    text = client.get("/metrics").content.decode()
    assert 'desk_listener_journal_failed{listener="l1",market="DE"} 1.0' in text
    assert 'desk_listener_journal_failed{listener="l2",market="DE"} 0.0' in text
    assert 'desk_listener_waiting_frames{listener="l1",market="DE"} 123.0' in text
    assert 'desk_listener_overflows_total{listener="l1",market="DE"} 4.0' in text
    assert "gone" not in text
    assert "silent" not in text


def test_what_waits_for_a_person_is_counted_until_it_is_done(client: Client) -> None:
    store(confirmation(1), confirmation(1, price=1), b"garbage", b"more")
    FeedGap.objects.create(market=germany(), started_at=NOW, ended_at=NOW + timedelta(seconds=5))
    text = client.get("/metrics").content.decode()
    assert 'desk_feed_gaps_open{market="DE"} 1.0' in text
    assert 'desk_quarantine_open{kind="unusable",market="DE"} 2.0' in text
    assert 'desk_quarantine_open{kind="conflict",market="DE"} 1.0' in text
    FeedGap.objects.update(closed_at=NOW, note="x")
    QuarantinedMessage.objects.update(status="dismissed")
    text = client.get("/metrics").content.decode()
    assert 'desk_feed_gaps_open{market="DE"} 0.0' in text
    assert 'desk_quarantine_open{kind="unusable",market="DE"} 0.0' in text


def test_a_token_where_one_is_set(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "the scraper's"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer another"}).status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer the scraper's"}).status_code == 200
