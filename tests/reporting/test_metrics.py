"""/metrics: what alarms watch of the listeners, the gaps and the frames kept aside."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard.live import metrics
from reporting import job_status
from reporting.http.request_ids import WithRequestId
from tests.trades.frames import NOW, confirmation, germany, store
from trades.feed import status
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames
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
    assert 'listener="gone"' not in text
    assert 'listener="silent"' not in text
    assert 'desk_listeners_connected{market="DE"} 2.0' in text


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


def test_how_late_trades_and_prices_are(client: Client) -> None:
    text = client.get("/metrics").content.decode()
    assert "desk_capture_latency_seconds{" not in text  # nothing happened: no figure, and no 0
    now = timezone.now()
    frame = JournalFrame(1, now - timedelta(seconds=30), confirmation(1))
    store_frames(market=germany(), source=FrameSource("j", "l"), frames=[frame])
    text = client.get("/metrics").content.decode()
    (said,) = re.findall(r'desk_capture_latency_seconds{market="DE",quantile="0.95"} ([0-9.]+)', text)
    assert 29 < float(said) < 60
    assert 'desk_capture_recent_seconds_bucket{le="5.0",market="DE"} 0.0' in text
    assert 'desk_capture_recent_seconds_bucket{le="60.0",market="DE"} 1.0' in text
    assert "desk_journal_last_stored_timestamp_seconds" in text
    assert status.capture_lateness(market_id=germany().pk, since=now + timedelta(hours=1)) == []


def test_the_jobs_last_successes_are_kept_in_redis_and_missed_with_it(client: Client, settings: Settings) -> None:
    job_status.note("a.job")
    text = client.get("/metrics").content.decode()
    assert "desk_redis_up 1.0" in text
    assert "desk_jobs_waiting 0.0" in text
    assert 'desk_job_last_success_timestamp_seconds{task="a.job"}' in text
    settings.REDIS_URL = "redis://127.0.0.1:9"
    job_status.note("a.job")  # not an error
    text = client.get("/metrics").content.decode()
    assert "desk_redis_up 0.0" in text
    assert "a.job" not in text


async def test_requests_are_counted_by_what_they_came_to() -> None:
    def counted() -> float:
        return metrics.REGISTRY.get_sample_value("desk_http_requests_total", {"status": "5xx"}) or 0.0

    async def broken(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})

    before = counted()
    for path in ("/", "/readyz"):
        await ApplicationCommunicator(
            WithRequestId(broken), {"type": "http", "path": path, "headers": []}
        ).receive_output(5)
    assert counted() == before + 1
