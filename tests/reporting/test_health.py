"""/healthz, /readyz and /metrics: what operators and the load balancer ask."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from reporting import health
from tests.trades.frames import confirmation, store

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def test_alive_and_ready(client: Client) -> None:
    alive, ready = client.get("/healthz"), client.get("/readyz")
    assert (alive.status_code, alive.json()["status"]) == (200, "alive")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "database": "ok", "redis": "ok"})
    assert "no-store" in ready["Cache-Control"]


def test_without_redis_it_is_alive_and_not_ready(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["database"]) == (503, "ok")
    assert ready.json()["redis"].startswith("away")
    assert client.get("/healthz").status_code == 200


def test_without_the_database_it_is_alive_and_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection to 10.1.2.3 refused")

    monkeypatch.setattr(health, "_ask_database", away)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["redis"]) == (503, "ok")
    assert "10.1.2.3" not in ready.content.decode()


def test_metrics_count_frames_and_name_no_trader(client: Client) -> None:
    store(confirmation(1, trader_id="secret_trader"), confirmation(1, trader_id="secret_trader"), b"garbage")
    text = client.get("/metrics").content.decode()
    assert 'desk_frames_total{market="DE",outcome="stored"} 1.0' in text
    assert 'desk_frames_total{market="DE",outcome="duplicates"} 1.0' in text
    assert 'desk_frames_total{market="DE",outcome="quarantined"} 1.0' in text
    assert 'desk_exchange_connected{market="DE"} 0.0' in text
    assert 'desk_provider_requests_limit{window="minute"} 50.0' in text
    assert "secret_trader" not in text
