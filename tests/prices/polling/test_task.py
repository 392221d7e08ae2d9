"""What beat sends, and which periods a chase looks at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError
from structlog.testing import capture_logs

from market.models import Market
from prices import tasks
from prices.polling import loop, run

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_without_postgresql_the_task_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_kwargs: Any) -> None:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr(run, "chase_prices", away)
    with capture_logs() as logs:
        tasks.chase_reference_prices()
    assert [entry["event"] for entry in logs] == ["chase_without_database"]


def test_the_task_is_the_one_that_beat_sends() -> None:
    entry = django_settings.CELERY_BEAT_SCHEDULE["chase-reference-prices"]
    assert entry["task"] == tasks.chase_reference_prices.name
    assert entry["schedule"] == django_settings.CHASE_TICK_SECONDS
    assert django_settings.CHASE_TICK_SECONDS < loop.OUTLOOK_SECONDS


def test_the_gates_of_a_clock_change_day() -> None:
    market = Market(pk=1, code="DE", time_zone="Europe/Berlin", gate_closure_minutes=5)
    moment = datetime(2026, 10, 24, 10, tzinfo=UTC)
    gates = run._gates([market], moment)
    assert sum(key.day == date(2026, 10, 25) for key in gates) == 25
    assert all(gate > moment - run.SETTLE_FOR for gate in gates.values())
