"""A worker's rounds: they go on after an error, and a tick does one only where no thread has."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock

import pytest
import time_machine
from django.db import InterfaceError, InternalError, OperationalError

from dashboard import rounds as module
from dashboard.assumptions import judging
from dashboard.assumptions.judging import SWEEP_ANYWAY, Sweeper
from dashboard.assumptions.models import VerdictRecord
from dashboard.rounds import OVERDUE, Rounds
from tests.dashboard.assumptions.written import GATE, MINUTE, NOW, publish, written
from tests.processes import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_an_error_ends_no_round_that_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    made, calls = Rounds(), []

    def fail(_timer: float) -> None:
        calls.append(1)
        raise RuntimeError("a bug") if len(calls) == 1 else OperationalError("PostgreSQL is away")

    monkeypatch.setattr(made, "_sweeper", Mock(look=fail))
    monkeypatch.setattr(made, "_watch", lambda: None)
    made.start()
    wait_until(lambda: len(calls) > 3, "rounds after the error")
    made.stop()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, InternalError])
def test_a_connection_that_has_ended_is_given_up(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    closed = Mock()
    monkeypatch.setattr(module.connection, "close", closed)
    module.until_the_next(Mock(side_effect=error("terminating connection")))
    assert closed.called


def test_a_tick_does_a_round_only_where_none_was_begun_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: moment[0])
    made, looks = Rounds(), Mock(return_value=0)
    monkeypatch.setattr(made, "_sweeper", Mock(look=looks))
    monkeypatch.setattr(made, "_watch", lambda: None)
    for later, done in ((0, 1), (OVERDUE - 1, 1), (OVERDUE, 2)):
        moment[0] = 100 + later
        made.do_if_overdue()
        assert looks.call_count == done


def sweeps_of(monkeypatch: pytest.MonkeyPatch) -> Mock:
    counted = Mock(side_effect=judging.sweep)
    monkeypatch.setattr(judging, "sweep", counted)
    return counted


def test_it_is_swept_when_anything_is_new_and_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    sweeper, sweeps = Sweeper(), sweeps_of(monkeypatch)
    timer = iter(range(100))

    def look(at: timedelta, *, new: bool, why: str) -> None:
        before = sweeps.call_count
        with time_machine.travel(NOW + at, tick=False):
            sweeper.look(float(next(timer)))
        assert sweeps.call_count - before == new, why

    look(0 * MINUTE, new=True, why="the first look")
    look(0 * MINUTE, new=False, why="nothing is new")
    publish("50", NOW)
    look(1 * MINUTE, new=True, why="a price")
    written()
    look(2 * MINUTE, new=True, why="an assumption")
    look(3 * MINUTE, new=False, why="nothing is new")
    to_gate = GATE - NOW
    look(to_gate, new=True, why="its gate closed")
    look(to_gate + MINUTE, new=False, why="nothing is new")
    look(to_gate + 61 * MINUTE, new=True, why="no final came in time")
    assert VerdictRecord.objects.get().verdict == "void"
    with time_machine.travel(NOW + to_gate + 61 * MINUTE, tick=False):
        sweeper.look(SWEEP_ANYWAY + 50)
    assert sweeps.call_count == 6, "from time to time"


def test_a_final_that_nothing_has_judged_is_seen_by_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    publish("50", NOW - MINUTE)
    written()
    sweeper = Sweeper()
    with time_machine.travel(GATE + MINUTE, tick=False):
        sweeper.look(0.0)
    with monkeypatch.context() as broken:
        broken.setattr(judging, "_added", Mock(side_effect=RuntimeError("a bug")))
        publish("51", GATE + MINUTE)
    with time_machine.travel(GATE + 2 * MINUTE, tick=False):
        assert sweeper.look(1.0) == 1
        assert sweeper.look(2.0) == 0
