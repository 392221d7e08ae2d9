"""What was replayed, imported or came late changes figures and calls nobody, whatever the rule; what is live does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from dashboard.alerts.models import Alert, AlertDelivery
from dashboard.alerts.rules import Kind
from dashboard.alerts.watching import watch
from dashboard.events.models import Event
from tests.dashboard.alerts.test_watching import DAY, NOON, SECOND, a_rule, anna, live, noon
from tests.dashboard.boards import store_price
from tests.dashboard.people import a_head
from tests.trades.frames import confirmation
from trades.capture.journal import Journal
from trades.capture.markets import Markets
from trades.capture.replay import replay_directory
from trades.models import QuarantinedMessage, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
__all__ = ["anna", "noon"]
HEADER = "id,price,quantity,direction,delivery_day,delivery_hour,trader_id,execution_time"
RULES = ((Kind.OPEN_MWH, "1", 60), (Kind.RESULT_BELOW, "-50", None), (Kind.RESULT_SWING, "50", 10))


def imported(folder: Path) -> None:
    """A file of the exchange with a trade that nobody has heard of."""
    path = folder / "day.csv"
    path.write_text(f"{HEADER}\nf1,20,10,sell,{DAY},12-13,trader_1,2026-11-23T10:00:00Z\n")
    call_command("import_trades", str(path))


def replayed(folder: Path) -> None:
    """A journal of five minutes ago, with a trade and a frame that is none."""
    came = NOON - timedelta(minutes=5)
    journal = Journal(folder, market="DE", listener="l", now=came)
    frame = confirmation("r1", delivery_hour="12-13", direction="sell", quantity=10.0, price=20.0)
    journal.append([(came, frame), (came, b"garbage")])
    journal.close()
    replay_directory(directory=folder, market_of=Markets())


def after_the_gate(_folder: Path) -> None:
    """A trade of a period that is closed already, as soon as it came."""
    live("10-11", "sell", "10", "20", at=NOON + SECOND)


@pytest.mark.parametrize("cause", [imported, replayed, after_the_gate])
def test_it_calls_nobody(anna: User, tmp_path: Path, cause: Callable[[Path], None]) -> None:
    for kind, threshold, minutes in RULES:
        a_rule(anna, kind, threshold, minutes, mail=True, webhook=True)
    a_rule(anna, Kind.LOSS_LIMIT, "100", mail=True)
    a_rule(a_head(), Kind.FRAMES_ASIDE)
    for label in ("10-11", "12-13"):
        store_price(label, "28", day=DAY, at=NOON - timedelta(minutes=1))
    watch(NOON)
    cause(tmp_path)
    assert Trade.objects.count() == 1
    assert QuarantinedMessage.objects.count() == (cause is replayed)
    assert [watch(NOON + seconds * SECOND) for seconds in range(1, 8)] == [0] * 7
    alerts = Alert.objects.all()
    found = {"result_below", "loss_limit"} | ({"open_mwh"} if cause is not after_the_gate else set())
    assert {alert.kind for alert in alerts} == found, "it changed what the rules look at"
    assert all(alert.muted for alert in alerts)
    assert not Event.objects.filter(kind="alert").exists()
    assert not AlertDelivery.objects.exists()


def test_a_live_trade_tells_what_an_import_has_brought_about(anna: User, tmp_path: Path) -> None:
    a_rule(anna, Kind.OPEN_MWH, "1", 60)
    watch(NOON)
    imported(tmp_path)
    assert watch(NOON + SECOND) == 0
    live("12-13", "sell", "5", "20", at=NOON + 10 * SECOND)
    assert watch(NOON + 10 * SECOND) == 1
    alert = Alert.objects.get()
    assert (alert.muted, alert.facts["net"], alert.count) == (False, "-15", 1)
    assert watch(NOON + 11 * SECOND) == 0


def test_a_limit_that_an_import_has_neared_is_told_when_prices_reach_it(anna: User, tmp_path: Path) -> None:
    a_rule(anna, Kind.LOSS_LIMIT, "100")
    store_price("12-13", "28", day=DAY, at=NOON)
    watch(NOON)
    imported(tmp_path)
    assert [watch(NOON + seconds * SECOND) for seconds in (1, 5)] == [0, 0]
    store_price("12-13", "31", day=DAY, at=NOON + 10 * SECOND)
    assert watch(NOON + 10 * SECOND) == 1
    assert (Alert.objects.get().level, Alert.objects.get().muted) == ("alert", False)


def test_an_assumption_that_breaks_beside_an_import_is_told(anna: User, tmp_path: Path) -> None:
    from tests.dashboard.assumptions.written import publish, written

    a_rule(anna, Kind.ASSUMPTION_BROKE)
    publish("28", NOON - timedelta(minutes=1), arrived=NOON - 2 * SECOND)
    written(anna, at=NOON, claim="down")
    watch(NOON)
    imported(tmp_path)
    publish("34", NOON, arrived=NOON + SECOND)
    assert watch(NOON + SECOND) == 1
