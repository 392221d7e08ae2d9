"""Alerts by a real worker and a real listener: each kind within two seconds of its cause, once an episode; and through
kills of every process."""

from __future__ import annotations

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.tokens import create_token
from dashboard.alerts.models import Alert, AlertRule, AlertWatch
from dashboard.alerts.rules import Kind
from dashboard.events.models import Event
from market import clock
from tests.drills.calls.causes import RULES, Causes
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.parts import BEAT, WORKER, logs, running, web
from tests.processes import free_port, wait_until

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


def _api(port: int, token: str) -> list[dict[str, Any]]:
    """What a program reads of the alerts, from a web process that may just be starting."""
    address = f"http://127.0.0.1:{port}/api/v1/alerts"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    answers: list[list[dict[str, Any]]] = []

    def ask() -> bool:
        with suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:
            answers.append(json.load(answer)["alerts"])
        return bool(answers)

    wait_until(ask, "the web process")
    return answers[0]


def _wait_counted(frames: int, folder: Path) -> None:
    """Until the episode of frames kept aside has so many of them."""
    rows = Alert.objects.filter(kind=Kind.FRAMES_ASIDE.value)
    wait_until(lambda: sum(rows.values_list("count", flat=True)) == frames, "a frame\n", details=lambda: logs(folder))


def test_kills_lose_no_alert_and_tell_none_twice(desk: Desk, tmp_path: Path) -> None:
    """One episode goes on all the time; in each outage something new happens and something that is snoozed."""
    desk.row.done = "worker, beat and web killed in turn, twice, while an episode goes on"
    desk.listener()
    port, sent = free_port(), 0
    with using(desk.url):
        causes = Causes()
        token = create_token(user=causes.head, name="drill", now=clock.now())
    commands = {"worker": [WORKER], "beat": [BEAT], "web": [web(port)]}
    with using(desk.url), running(desk, tmp_path, commands) as parts:
        wait_until(AlertWatch.objects.exists, "a first look\n", details=lambda: logs(tmp_path))
        AlertRule.objects.filter(kind=Kind.PRICE_LATE.value).update(snoozed_until=clock.now() + timedelta(minutes=10))
        desk.exchange.send(causes.trade("t1", 10, 50))
        wait_until(lambda: told()["open_mwh alert"], "the episode\n", details=lambda: logs(tmp_path))
        for victim in ("worker", "beat", "web") * 2:
            parts[victim][0].end()
            sent += desk.exchange.send(b"no confirmation")
            causes.refused()
            if victim != "worker":
                _wait_counted(sent, tmp_path)
            parts[victim][0].start()
            _wait_counted(sent, tmp_path)
        look_again(tmp_path)
        assert told() == {"open_mwh alert": 1, "frames_aside alert": 1}
        assert {row["kind"]: row["count"] for row in _api(port, token)} == {"open_mwh": 1, "frames_aside": sent}
        AlertRule.objects.update(snoozed_until=None)
        wait_until(lambda: told()["price_late alert"], "what was snoozed\n", details=lambda: logs(tmp_path))
        look_again(tmp_path)
        assert told() == {"open_mwh alert": 1, "frames_aside alert": 1, "price_late alert": 1}
    desk.row.note(worst=0.0, of=f"alerts lost or doubled; {sent} frames counted")
