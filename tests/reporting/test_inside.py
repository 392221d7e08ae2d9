"""What a load balancer, a container's own check and Prometheus ask, by address and not by the desk's name."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from local.servers.processes import QUIET_WORKER
from local.simulators.exchange import ScriptedExchange
from market.sign_of_life import give_sign
from reporting import alive, metrics
from tests.processes import ROOT, manage, running, wait_until
from tests.trades.frames import germany

BY_ADDRESS = Client(headers={"host": "10.20.1.7:8000"}, raise_request_exception=False)


@pytest.mark.integration
@pytest.mark.django_db
def test_health_and_metrics_are_answered_by_address_and_nothing_else_is(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["desk.example"]
    assert [BY_ADDRESS.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200, 200, 200]
    assert BY_ADDRESS.get("/accounts/login/").status_code == 400
    assert BY_ADDRESS.post("/healthz").status_code == 405
    assert BY_ADDRESS.get("/healthz")["X-Content-Type-Options"] == "nosniff"


def test_metrics_without_the_database_are_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_self: object) -> Iterator[object]:
        raise OperationalError("gone")
        yield

    monkeypatch.setattr(metrics.DeskCollector, "collect", away)
    assert BY_ADDRESS.get("/metrics").status_code == 503


@pytest.mark.parametrize(("process", "oldest"), sorted(alive.OLDEST_SECONDS.items()))
def test_a_loop_is_alive_while_its_sign_of_life_is_young(tmp_path: Path, process: str, oldest: float) -> None:
    file = tmp_path / "alive"
    ask = {"port": "1", "file": str(file)}
    assert "has not begun" in alive.problem(process, now=0, **ask)
    give_sign(str(file))
    given = float(file.read_text())
    assert given == pytest.approx(time.monotonic(), abs=30)
    assert not alive.problem(process, now=given + oldest - 1, **ask)
    assert f"the {process} last gave a sign" in alive.problem(process, now=given + oldest + 1, **ask)
    assert "before this machine was started" in alive.problem(process, now=given - 1, **ask)


def test_what_can_not_be_asked_is_not_alive(tmp_path: Path) -> None:
    assert "none of web" in alive.problem("webb", port="1", file="", now=0)
    assert "no file" in alive.problem("beat", port="1", file="", now=0)
    give_sign(str(tmp_path / "no" / "such" / "folder"))
    give_sign("")


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


def test_a_web_process_is_asked_for_its_health() -> None:
    argv = [sys.executable, "-I", "reporting/alive.py", "web"]
    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = subprocess.run(argv, cwd=ROOT, env={"PORT": str(server.server_port)}, capture_output=True)
        server.shutdown()
    gone = subprocess.run(argv, cwd=ROOT, env={"PORT": "1"}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert gone.returncode == 1
    assert "/healthz" in gone.stderr


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
def test_the_processes_give_their_signs_of_life(exchange: ScriptedExchange, tmp_path: Path) -> None:
    germany()
    celery = (sys.executable, "-m", "celery", "-A", "reporting")
    commands = {
        "worker": (*celery, "worker", *QUIET_WORKER, "--loglevel", "WARNING"),
        "beat": (*celery, "beat", "--loglevel", "WARNING"),
        "listener": manage("listen_trades"),
    }
    with ExitStack() as stack:
        for name, argv in commands.items():
            changes = {"ALIVE_FILE": str(tmp_path / name), "TRADE_JOURNAL_DIR": str(tmp_path / "journal")}
            log = tmp_path / f"{name}.log"
            stack.enter_context(running(*argv, log=log, EXCHANGE_WS_URL=exchange.url, **changes))
        for name in commands:
            ask = {"port": "1", "file": str(tmp_path / name)}
            wait_until(lambda: not alive.problem(name, now=time.monotonic(), **ask), f"the {name}'s sign")  # noqa: B023
