"""The demo's page lets one tell which tag knows more than the drift."""

from __future__ import annotations

import io
import time
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from dashboard.access.logins import ensure_demo_logins
from dashboard.assumptions.checking import differences
from dashboard.assumptions.demo.days import A_DAY, DAYS, make_demo
from dashboard.assumptions.facts import cases
from dashboard.assumptions.linking import theorised
from dashboard.assumptions.models import Assumption
from dashboard.assumptions.money import Outcome, ledgers
from dashboard.assumptions.rates import grouped, rate_of
from dashboard.figures.history import DayRange, load_history
from tests.trades.frames import confirmation, germany, store
from trades.ledger.effective import position_differences
from trades.models import Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
TODAY = date(2026, 11, 23)


def test_one_tag_is_better_than_the_drift_one_rides_it_and_one_guesses(client: Client, settings: Any) -> None:
    settings.DEBUG = True
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
    assert not Trade.objects.exclude(flags=[]).exists(), "nothing is odd about them"
    assert position_differences() == []
    books = ledgers(theorised(Assumption.objects.all()), lambda case: case.tags)
    for name in ("wind update", "trend", "gut feeling"):
        assert all(books[name].of(outcome).count for outcome in Outcome if outcome is not Outcome.OTHER)
    assert books["wind update"].linked > books["trend"].linked > books["gut feeling"].linked
    total = load_history(market=market, trader=None, days=DayRange(TODAY - timedelta(days=DAYS), TODAY)).total.figures
    assert total.performance_eur not in {None, sum(book.linked for book in books.values())}
    client.force_login(User.objects.get(username="head"))
    page = client.get("/assumptions/?from=2026-10-01").content.decode()
    assert "wind update" in page
    assert "more than chance" in page


def test_only_a_laptop_has_a_demo() -> None:
    for command in (["create_demo_assumptions"], ["create_demo_trades", "no-file"]):
        with pytest.raises(CommandError, match="DEBUG"):
            call_command(*command, stdout=io.StringIO())


def test_made_up_trades_are_never_put_beside_real_ones(settings: Any) -> None:
    settings.DEBUG = True
    ensure_demo_logins(password="a long enough password")
    store(confirmation("1"))
    with pytest.raises(CommandError, match="has trades"):
        call_command("create_demo_trades", "no-file", stdout=io.StringIO())
    assert make_demo(market=germany(), today=TODAY) > 0
    assert Trade.objects.count() == 1
