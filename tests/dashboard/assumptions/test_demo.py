"""The demo's past: full of what the simulators would have sent, and its assumptions tell which tag knows more than the
drift."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, Max, Q
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from dashboard.assumptions.checking import differences
from dashboard.assumptions.demo.days import A_DAY
from dashboard.assumptions.facts import cases
from dashboard.assumptions.linking import theorised
from dashboard.assumptions.models import Assumption
from dashboard.assumptions.money import Outcome, ledgers
from dashboard.assumptions.rates import grouped, rate_of
from dashboard.models import LikeMoves
from market.models import Market
from prices.models import ReferencePrice, ReferencePriceHistory
from tests import quick_flush
from tests.trades.frames import germany
from trades.ledger.effective import position_differences
from trades.models import FeedGap, QuarantinedMessage, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
NOW = datetime(2026, 11, 23, 13, 37, 11, tzinfo=UTC)
DAYS = 12


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both files of Germany's last days."""
    return simulated(tmp_path_factory.mktemp("past"))


def simulated(folder: Path) -> Path:
    options = {"area": "DE", "into": folder, "days": DAYS, "until": NOW, "quarter_hours": 0.4, "blocks": 0.03}
    call_command("simulate_past", **options, stdout=io.StringIO())
    return folder


@pytest.fixture(scope="module")
def _filled(past: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Filled once and committed; what a test changes goes back with its transaction, and all rows are restored."""
    with django_db_blocker.unblock(), override_settings(DEBUG=True), time_machine.travel(NOW):
        before = connection.creation.serialize_db_to_string()
        fill(past)
    yield
    with django_db_blocker.unblock():
        quick_flush.flush()
        connection.creation.deserialize_db_from_string(before)


@pytest.fixture
def filled(_filled: None, db: None, settings: Any) -> Market:
    """The desk as `make run` fills it, at NOW."""
    settings.DEBUG = True
    return germany()


def fill(past: Path) -> None:
    began = time.monotonic()
    call_command("create_demo", password="a long enough password", past=past, stdout=io.StringIO())
    call_command("create_demo_assumptions", stdout=io.StringIO())
    print(f"{Trade.objects.count()} trades, {time.monotonic() - began:.1f} s")


def test_a_new_desk_has_a_day_that_has_happened_and_days_behind_it(filled: Market, past: Path) -> None:
    today, trades = filled.day_of(NOW), Trade.objects.filter(market=filled)
    days = trades.values("delivery_day").annotate(
        count=Count("id"), short=Count("id", filter=~Q(delivery_hour__regex="^..-..$"))
    )
    by_day = {row["delivery_day"]: row for row in days}
    assert len(by_day) >= DAYS + 1
    assert min(row["count"] for row in by_day.values()) > 50
    assert by_day[today]["count"] > 1000, "a real day had 3,349"
    assert 0.3 < by_day[today]["short"] / by_day[today]["count"] < 0.5, "two of five are quarter and half hours"
    assert trades.filter(price__lt=0).count() > 0.1 * trades.count()
    newest = trades.aggregate(executed=Max("execution_time"), received=Max("received_at"))
    assert NOW.timestamp() - 120 < newest["executed"].timestamp() < newest["received"].timestamp() < NOW.timestamp() + 1
    assert not trades.exclude(flags=[]).exists(), "nothing is odd about them"
    assert not QuarantinedMessage.objects.exists() and not FeedGap.objects.exists()
    assert position_differences() == []
    history = ReferencePriceHistory.objects.filter(market=filled)
    assert history.count() == sum(ReferencePrice.objects.filter(market=filled).values_list("revision", flat=True))
    assert not history.filter(arrived_at__gt=NOW).exists()
    assert LikeMoves.objects.filter(minutes=60).values("delivery_day").distinct().count() >= DAYS - 1
    with time_machine.travel(NOW):
        before = (trades.count(), history.count(), Assumption.objects.count())
        fill(past)
        assert (trades.count(), history.count(), Assumption.objects.count()) == before, "again it adds nothing"


def test_its_pages_have_something_to_say(filled: Market, client: Client) -> None:
    client.force_login(User.objects.get(username="head"))
    today = filled.day_of(NOW)
    with time_machine.travel(NOW):
        board = client.get(f"/api/v1/boards/trader_1/{today}").json()
        assert {"open", "final"} <= {row["state"] for row in board["periods"]}
        known = [row for row in board["periods"] if row["performance"] is not None]
        assert len(known) > 0.9 * len(board["periods"])
        assert any(float(row["reference_price"]) < 0 for row in known)
        morning = client.get(f"/api/v1/boards/trader_1/{today}?as_of={today}T07:00:00Z").json()
        assert 0 < morning["total"]["trade_count"] < board["total"]["trade_count"]
        earnings = client.get("/history/earnings/?from=2026-11-04&to=2026-11-23").content.decode()
        assert "not yet told from luck" in earnings or "95 %" in earnings
        assert "like cases in 60 days" in client.get(f"/boards/trader_1/{today}/").content.decode()


def test_one_tag_is_better_than_the_drift_one_rides_it_and_one_guesses(filled: Market, client: Client) -> None:
    assert Assumption.objects.count() > DAYS * A_DAY * 5
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
    with time_machine.travel(NOW):
        assert list(differences()) == []
    books = ledgers(theorised(Assumption.objects.all()), lambda case: case.tags)
    for name in ("wind update", "trend", "gut feeling"):
        assert all(books[name].of(outcome).count for outcome in Outcome if outcome is not Outcome.OTHER)
    assert books["wind update"].linked > books["trend"].linked > books["gut feeling"].linked
    client.force_login(User.objects.get(username="head"))
    with time_machine.travel(NOW):
        page = client.get("/assumptions/?from=2026-10-01").content.decode()
    assert "wind update" in page
    assert "more than chance" in page
