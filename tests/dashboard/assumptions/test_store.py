"""Writing down, freezing, withdrawing, judging, checking: on the real database, by the product's own ways in."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from unittest.mock import Mock

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError, ProgrammingError, connection, transaction

from accounts.audit.chain import BEGINNING
from accounts.audit.models import Entry
from dashboard.assumptions import judging
from dashboard.assumptions.checking import differences
from dashboard.assumptions.models import AssumedPeriod, Assumption, FrozenPrice, VerdictRecord
from dashboard.assumptions.queries import standings
from dashboard.assumptions.store import TooLateError, withdraw
from market.labels import parse_period
from market.models import ReferenceRule
from prices.bulk import Accepted, store_day
from prices.models import ReferencePriceHistory
from tests.dashboard.assumptions.written import (
    DAY,
    GATE,
    MINUTE,
    NOW,
    a_judged_and_withdrawn_assumption,
    publish,
    written,
)
from tests.dashboard.boards import store_trade
from tests.dashboard.people import a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
D = Decimal


def verdicts(assumption: Assumption) -> list[tuple[str, Decimal | None]]:
    rows = VerdictRecord.objects.filter(period__assumption=assumption).order_by("period__delivery_start", "id")
    return [(row.verdict, row.final_price) for row in rows]


def test_it_is_frozen_at_the_newest_price_with_what_the_author_had() -> None:
    a_trader()
    store_trade("12-13", "sell", "10", "60", day=DAY)
    publish("50", NOW - 20 * MINUTE)
    publish("51.5", NOW - 10 * MINUTE)
    assumption = written(threshold="2", confidence=70, tags=["wind"], reason="calm", quantity="5")
    period = assumption.periods.get()
    assert (period.frozen.value, period.frozen.last_change) == (D("51.5"), D("1.5"))
    assert (period.net_mwh, period.average_price) == (D(-10), D(60))
    assert period.gate_closes_at - assumption.created_at == 115 * MINUTE
    assert (assumption.late, assumption.reading) == (False, "product")
    publish("99", NOW + MINUTE)
    period.frozen.refresh_from_db()
    assert period.frozen.value == D("51.5"), "what comes later changes nothing"
    (standing,) = standings(Assumption.objects.all())
    (one,) = standing.periods
    assert (one.verdict, one.in_favour, one.is_broken) == ("open", D("47.5"), False)


def test_without_a_price_it_waits_for_the_first() -> None:
    assumption = written(delivery_hours=["12-13", "13-14"])
    assert not FrozenPrice.objects.exists()
    publish("40", NOW + MINUTE)
    publish("44", NOW + 11 * MINUTE)
    frozen = FrozenPrice.objects.get()
    assert (frozen.value, frozen.last_change) == (D(40), None)
    assert [period.verdict for period in standings(Assumption.objects.all())[0].periods] == ["open", "waiting"]
    assert assumption.periods.count() == 2


@pytest.mark.parametrize("minutes", [0.001, 1])
def test_after_the_gate_none_is_taken(minutes: float) -> None:
    with pytest.raises(TooLateError, match="12-13"):
        written(at=GATE + minutes * MINUTE, delivery_hours=["12-13", "13-14"])
    assert not Assumption.objects.exists()
    assert not AssumedPeriod.objects.exists()


def test_in_the_last_ten_minutes_it_is_late() -> None:
    assert written(at=GATE - 10 * MINUTE).late
    assert not written(at=GATE - 10 * MINUTE - timedelta(seconds=1)).late


def test_withdrawn_before_the_gate_it_is_judged_all_the_same() -> None:
    assumption = a_judged_and_withdrawn_assumption()
    assert verdicts(assumption) == [("right", D(52))]
    (standing,) = standings(Assumption.objects.all())
    assert standing.withdrawn_at is not None
    assert abs(standing.withdrawn_at - NOW - MINUTE) < timedelta(milliseconds=1)
    with time_machine.travel(NOW + 2 * MINUTE, tick=False), pytest.raises(TooLateError, match="already"):
        withdraw(assumption=assumption)
    other = written()
    with time_machine.travel(GATE, tick=False), pytest.raises(TooLateError, match="gate"):
        withdraw(assumption=other)


def test_a_final_is_judged_where_it_is_stored_and_again_when_it_is_corrected() -> None:
    publish("50", NOW - 10 * MINUTE)
    assumption = written()
    publish("49", GATE - 5 * MINUTE)
    assert verdicts(assumption) == []
    publish("48", GATE)
    assert verdicts(assumption) == [("wrong", D(48))]
    publish("53", GATE + 30 * MINUTE)
    assert verdicts(assumption) == [("wrong", D(48)), ("right", D(53))]
    assert standings(Assumption.objects.all())[0].periods[0].verdict == "right"
    with time_machine.travel(GATE + 31 * MINUTE, tick=False):
        assert judging.sweep() == 0, "each final once"
        assert list(differences()) == []


def test_finals_that_are_stored_at_once_are_judged_with_them() -> None:
    publish("50", NOW - 10 * MINUTE)
    assumption, period = written(), parse_period(DAY, "12-13", germany().zone).period
    with time_machine.travel(GATE + 2 * MINUTE, tick=False):
        final = Accepted(period, "12-13", D(52), GATE + MINUTE, GATE + 2 * MINUTE)
        assert store_day(market=germany(), day=DAY, prices=[final]) == 1
    assert verdicts(assumption) == [("right", D(52))]


def test_void_without_a_final_in_time_and_judged_when_it_comes_after_all() -> None:
    publish("50", NOW - 10 * MINUTE)
    assumption, waiting = written(), written(delivery_hours=["13-14"])
    with time_machine.travel(GATE + 60 * MINUTE, tick=False):
        assert judging.sweep() == 0
    with time_machine.travel(GATE + 61 * MINUTE, tick=False):
        assert judging.sweep() == 1
        assert judging.sweep() == 0
        assert list(differences()) == []
    assert (verdicts(assumption), verdicts(waiting)) == ([("void", None)], [])
    publish("51", GATE + MINUTE, arrived=GATE + 89 * MINUTE)
    with time_machine.travel(GATE + 90 * MINUTE, tick=False):
        assert list(differences()) == []
    assert verdicts(assumption) == [("void", None), ("right", D(51))]


def test_a_final_without_a_frozen_price_is_void() -> None:
    assumption = written()
    publish("51", GATE + MINUTE)
    assert verdicts(assumption) == [("void", D(51))]
    assert not FrozenPrice.objects.exists(), "a final is nothing to be expected from"


def test_a_final_and_its_verdict_are_one_commit() -> None:
    publish("50", NOW - 10 * MINUTE)
    assumption = written()
    with pytest.raises(RuntimeError), transaction.atomic():
        publish("51", GATE + MINUTE)
        assert verdicts(assumption) == [("right", D(51))], "before the commit"
        raise RuntimeError("killed")
    assert verdicts(assumption) == []
    assert not ReferencePriceHistory.objects.filter(value=51).exists()


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ProgrammingError("no such table"), OperationalError("busy")])
def test_a_final_that_could_not_be_judged_is_stored_and_gets_its_verdict_from_the_sweep(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    publish("50", NOW - 10 * MINUTE)
    assumption = written()
    with monkeypatch.context() as broken:
        broken.setattr(judging, "_added", Mock(side_effect=error))
        publish("51", GATE + MINUTE)
    assert verdicts(assumption) == []
    with time_machine.travel(GATE + 2 * MINUTE, tick=False):
        assert judging.sweep() == 1
    assert verdicts(assumption) == [("right", D(51))]


def test_a_quarter_is_judged_by_the_price_that_the_markets_rule_gives_it() -> None:
    publish("50", NOW - 10 * MINUTE)
    publish("70", NOW - 10 * MINUTE, label="12:15-12:30")
    own = written(delivery_hours=["12:15-12:30"])
    ReferenceRule.objects.create(market=germany(), minutes=15, source="hour", valid_from=DAY)
    hours = written(delivery_hours=["12:15-12:30"])
    assert own.periods.get().frozen.value == 70
    assert hours.periods.get().frozen.value == 50
    ReferenceRule.objects.update(source="none")
    none = written(delivery_hours=["12:15-12:30"]).periods.get()
    assert none.reference_start is None
    assert not hasattr(none, "frozen")
    with time_machine.travel(GATE + 100 * MINUTE, tick=False):
        judging.sweep()
        assert list(differences()) == []
    assert VerdictRecord.objects.get(period=none).verdict == "void"


def test_the_check_finds_what_somebody_has_changed_behind_the_desks_back() -> None:
    out = io.StringIO()
    assumption = a_judged_and_withdrawn_assumption()
    with time_machine.travel(GATE + 10 * MINUTE, tick=False):
        call_command("check_assumptions", stdout=out)
    assert "1 assumptions, 0 differences." in out.getvalue()
    for change in (
        "UPDATE dashboard_assumption SET claim = 'down'",
        "UPDATE dashboard_frozenprice SET value = 49",
        "UPDATE dashboard_verdictrecord SET verdict = 'wrong'",
        "DELETE FROM dashboard_verdictrecord",
        "UPDATE dashboard_frozenprice SET last_change = 1",
        "UPDATE dashboard_assumption SET created_at = created_at - interval '1 hour'",
    ):
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(change)
            with time_machine.travel(GATE + 10 * MINUTE, tick=False):
                found = list(differences())
            cursor.execute("ROLLBACK")
        assert found, change
        assert f"assumption {assumption.pk}" in found[0]


def test_the_audit_log_knows_that_it_was_written_and_not_why() -> None:
    written(reason="the secret of the wind")
    entry = Entry.objects.get(action="assumed")
    assert entry.previous == BEGINNING or entry.number > 1
    assert "secret" not in entry.details + entry.subject
