"""Alerts by a real worker and a real listener: each kind within two seconds of its cause, once an episode; and through
kills of every process."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.alerts.models import Alert, AlertWatch
from dashboard.events.models import Event
from tests.drills.calls.causes import RULES, Causes
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.parts import WORKER, logs, running
from tests.processes import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]
WITHIN = 2.0
"""Seconds from a cause to its alert."""


def told() -> Counter[str]:
    """How often each kind was told to programs and pages."""
    rows = Event.objects.filter(kind="alert").values_list("data", flat=True)
    return Counter(f"{data['kind']} {data['level']}" for data in map(json.loads, rows))


def look_again(folder: Path) -> None:
    """Until the worker has looked twice from now on."""
    for _ in range(2):
        before = AlertWatch.objects.values_list("looked_at", flat=True).first()
        wait_until(
            lambda before=before: AlertWatch.objects.values_list("looked_at", flat=True).first() != before,
            "a look\n",
            details=lambda: logs(folder),
        )


class Stopwatch:
    """From each cause to what it is to tell."""

    def __init__(self, folder: Path) -> None:
        self.delays: dict[str, float] = {}
        self._folder = folder

    def time(self, cause: Callable[[], object], *kinds: str) -> None:
        began = time.monotonic()
        cause()
        for kind in kinds:
            wait_until(lambda kind=kind: told()[kind], f"{kind}\n", details=lambda: logs(self._folder))
            self.delays[kind] = time.monotonic() - began


def test_each_kind_is_told_within_two_seconds_and_once(desk: Desk, tmp_path: Path) -> None:
    desk.row.done = "each kind of rule, its cause by the wire or the provider"
    desk.listener()
    with using(desk.url), running(desk, tmp_path, {"worker": [WORKER]}):
        causes, watch = Causes(), Stopwatch(tmp_path)
        causes.price("50")
        causes.expects_down()
        wait_until(AlertWatch.objects.exists, "a first look\n", details=lambda: logs(tmp_path))
        watch.time(lambda: desk.exchange.send(causes.trade("t1", 10, 50)), "open_mwh alert")
        watch.time(
            lambda: causes.price("58"),
            *("result_below alert", "result_swing alert", "loss_limit warning", "assumption_broke alert"),
        )
        watch.time(lambda: causes.price("61"), "loss_limit alert")
        watch.time(lambda: desk.exchange.send(b"no confirmation"), "frames_aside alert")
        watch.time(desk.exchange.stop, "feed_late alert")
        watch.time(desk.exchange.start, "gap alert")
        watch.time(causes.refused, "price_late alert")
        look_again(tmp_path)
        assert told() == dict.fromkeys(watch.delays, 1)
        assert {kind.split()[0] for kind in watch.delays} == {kind.value for kind in RULES}
        assert Alert.objects.filter(muted=True).count() == 0
    worst = max(watch.delays, key=lambda kind: watch.delays[kind])
    desk.row.note(worst=watch.delays[worst], of=f"from a cause to its alert ({worst})")
    print({kind: round(delay, 2) for kind, delay in watch.delays.items()})
    assert watch.delays[worst] <= WITHIN
