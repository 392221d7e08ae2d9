"""Redis over TLS with a password, and replaced by an empty one under load: it carries only hints and jobs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.checks.testbed import ROOT
from local.simulators.fault_proxy import Mode
from tests.drills.rig.broker import PASSWORD, Broker, broker
from tests.drills.rig.desk import Desk
from tests.drills.rig.machine import machine_of
from tests.drills.rig.whole import whole
from tests.processes import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.long, pytest.mark.timeout(240)]

RIGHT_WITHIN = 5.0
"""Seconds until the open page is right with no broker, and again with an empty one."""
CHASED_WITHIN = 20.0
"""Seconds from an empty one to the next prices: a publication each 10 s, and beat looks for its broker each 2 s."""
_ASK = """import django; django.setup()
from reporting import job_status
from reporting.celery import app
for ask in (job_status.waiting, lambda: app.connection_for_write().ensure_connection(max_retries=1, timeout=3)):
    try:
        ask()
    except Exception as error:
        print(error)
"""


def test_replaced_by_an_empty_one(desk: Desk, tmp_path: Path) -> None:
    desk.row.done = "two workers, beats and listeners on a Redis with TLS, killed and replaced by an empty one"
    with broker(tmp_path) as first, whole(desk, tmp_path, lambda _kind: {"REDIS_URL": first.url}, of_each=2) as running:
        wait_until(lambda: running.prices() > 20, "prices:\n", 40, running.said)
        desk.feed.push(1500, rate=50)
        lags = []
        for _ in range(2):
            seen = len(desk.stored_ids())
            wait_until(lambda: len(desk.stored_ids()) >= seen + 150, "more trades")  # noqa: B023
            first.server.kill()
            lags.append(running.reader.lag())
            time.sleep(1)
            first.server.start()
            began = time.monotonic()
            lags.append(running.reader.lag())
            before = running.prices()
            wait_until(lambda: running.prices() > before, "the next price:\n", CHASED_WITHIN, running.said)  # noqa: B023
            desk.row.note(worst=time.monotonic() - began, of="from the empty one to the next price")
        running.settle()
        assert max(lags) <= RIGHT_WITHIN
        assert PASSWORD not in running.said()
        assert set(running.reader.answers) == {200}
        running.verify()


def test_its_machine_gone(desk: Desk, tmp_path: Path) -> None:
    """Nobody hears that it is gone; who had waited for its next word waits no longer than for a machine's."""
    desk.row.done = "Redis' machine gone at 50 trades/s, another one at its address 3 s later"
    with machine_of(desk.servers.own.redis_url) as machine:
        names = {"REDIS_URL": f"redis://127.0.0.1:{machine.port}/0"}
        with whole(desk, tmp_path, lambda _kind: names) as running:
            wait_until(lambda: running.prices() > 20, "prices:\n", 40, running.said)
            desk.feed.push(1000, rate=50)
            wait_until(lambda: len(desk.stored_ids()) > 150, "the first trades")
            machine.switch(Mode.GONE)
            lags = [running.reader.lag()]
            time.sleep(3)
            machine.switch(Mode.PASS)
            began, before = time.monotonic(), running.prices()
            lags.append(running.reader.lag())
            wait_until(lambda: running.prices() > before, "the next price:\n", CHASED_WITHIN, running.said)
            desk.row.note(worst=time.monotonic() - began, of="from the other one to the next price")
            running.settle()
        assert max(lags) <= RIGHT_WITHIN
        assert set(running.reader.answers) == {200}
        running.verify()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda url: url.replace("localhost", "127.0.0.1"), "IP address mismatch"),
        (lambda url: url.partition("?")[0], "certificate verify failed"),
        (lambda url: url.replace(PASSWORD, "another"), "invalid username-password pair"),
    ],
    ids=["another name", "another authority", "another password"],
)
def test_whoever_is_not_meant_is_not_spoken_to(tmp_path: Path, change: Callable[[str], str], why: str) -> None:
    """A certificate of another name or authority, a wrong password: by the jobs' broker and everything else."""
    with broker(tmp_path) as first:
        said = [_said(first, url) for url in (first.url, change(first.url))]
    assert said[0] == []
    assert len(said[1]) == 2
    assert all(why in sentence for sentence in said[1])


def _said(first: Broker, url: str) -> list[str]:
    environment = {**os.environ, "REDIS_URL": url, "DJANGO_SETTINGS_MODULE": "reporting.settings"}
    argv = [sys.executable, "-c", _ASK]
    return subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()
