"""A proxy keeps idle connections to the web process and uses them again: it gets no wrong answer."""

from __future__ import annotations

import http.client
import random
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
import yaml

from tests.drills.rig.results import Row
from tests.processes import ROOT, free_port, running, wait_until
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.django_db(transaction=True)]

CONNECTIONS = 24


def kept_by_proxies() -> float:
    """For how many seconds the proxies of deploy/ keep an idle connection, the longest of them."""
    (caddy,) = re.findall(r"keepalive (\d+)s", (ROOT / "deploy" / "proxy" / "Caddyfile").read_text())
    (balancer,) = re.findall(
        r"idle_timeout.timeout_seconds, Value: \"(\d+)\"", (ROOT / "deploy/aws/desk.yaml").read_text()
    )
    return float(max(int(caddy), int(balancer)))


@contextmanager
def web(log: Path) -> Iterator[int]:
    """The web process as deploy/ starts it; its port."""
    port = free_port()
    (line,) = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    command = [{"0.0.0.0": "127.0.0.1", "8000": str(port)}.get(part, part) for part in yaml.safe_load(line)]
    with running(sys.executable, "-m", *command, log=log, PROCESS_ROLE="web"):
        wait_until(lambda: _status(http.client.HTTPConnection("127.0.0.1", port)) == 200, "the web process", 30)
        yield port


def _status(connection: http.client.HTTPConnection) -> int:
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    return answer.status


def _wrong_answers(port: int, longest_idle: float, until: float, dice: random.Random) -> tuple[int, int]:
    """One connection, used again after pauses up to the longest; how many answers, and how many of them were wrong."""
    connection, answers, wrong = http.client.HTTPConnection("127.0.0.1", port, timeout=10), 0, 0
    idle = longest_idle  # the hardest case first
    while True:
        answers += 1
        wrong += _status(connection) != 200
        if time.monotonic() + idle > until:
            connection.close()
            return answers, wrong
        Event().wait(idle)
        idle = dice.uniform(0, longest_idle)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("longest_idle", "seconds"),
    [(2.0, 5.0), pytest.param(kept_by_proxies(), 150.0, marks=pytest.mark.long)],
    ids=["short", "as long as proxies keep them"],
)
def test_no_answer_is_wrong_on_a_connection_that_is_used_again(
    transactional_db: None, tmp_path: Path, row: Row, dice: random.Random, longest_idle: float, seconds: float
) -> None:
    row.done = f"{CONNECTIONS} connections, idle for up to {longest_idle:g} s and used again"
    germany()
    with web(tmp_path / "web.log") as port, ThreadPoolExecutor(CONNECTIONS) as pool:
        until = time.monotonic() + seconds
        seeds = [random.Random(dice.random()) for _ in range(CONNECTIONS)]
        found = list(pool.map(lambda seed: _wrong_answers(port, longest_idle, until, seed), seeds))
    answers, wrong = sum(a for a, _ in found), sum(w for _, w in found)
    row.note(worst=wrong, of=f"requests of {answers} had no answer, or a wrong one")
    assert answers >= 2 * CONNECTIONS
    assert wrong == 0
