"""The demo's page lets one tell which tag knows more than the drift."""

from __future__ import annotations

import io
import time
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from dashboard.access.logins import ensure_demo_logins
from dashboard.assumptions.checking import differences
from dashboard.assumptions.demo import A_DAY, DAYS, make_demo
from dashboard.assumptions.facts import cases
from dashboard.assumptions.models import Assumption
from dashboard.assumptions.rates import grouped, rate_of
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
TODAY = date(2026, 11, 23)


def test_one_tag_is_better_than_the_drift_one_rides_it_and_one_guesses(client: Client) -> None:
    ensure_demo_logins(password="a long enough password")
    market = germany()
    began = time.monotonic()
    made = make_demo(market=market, today=TODAY)
    print(f"{made} assumptions in {time.monotonic() - began:.1f} s")
    assert made % (DAYS * A_DAY) == 0
    assert make_demo(market=market, today=TODAY) == 0, "again it changes nothing"
    judged = cases(Assumption.objects.all())
    tags = grouped(judged, lambda case: case.tags)
    everything = rate_of(judged)
    assert everything.pairs.other_rate is not None
    assert 0.55 < everything.pairs.other_rate < 0.75, "the drift is right in about two of three"
    wind, trend, gut = (tags[name].pairs for name in ("wind update", "trend", "gut feeling"))
    assert wind.interval is not None
    assert wind.interval[0] > 0
    assert (trend.excess, trend.interval) == (0, (0, 0))
    assert gut.excess is not None
    assert gut.excess < 0
    assert list(differences()) == []
    client.force_login(User.objects.get(username="head"))
    page = client.get("/assumptions/?from=2026-10-01").content.decode()
    assert "wind update" in page
    assert "more than chance" in page


def test_only_a_laptop_has_a_demo() -> None:
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("create_demo_assumptions", stdout=io.StringIO())
