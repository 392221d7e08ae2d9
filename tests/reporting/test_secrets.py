"""Secrets never leave: not in logs of processes that can't connect, not on error pages, not to Sentry."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from local.checks.secrecy import PLANTED, said_in, search
from tests.dashboard.people import PASSWORD
from tests.processes import ROOT, free_port, manage, running, wait_until

pytestmark = [pytest.mark.integration]

DATABASE, REDIS = PLANTED["the tests' database password"], PLANTED["the tests' Redis password"]
AWAY = {
    "DATABASE_URL": f"postgres://desk:{DATABASE}@127.0.0.1:9/desk",
    "REDIS_URL": f"redis://:{REDIS}@127.0.0.1:9/0",
}


@pytest.mark.parametrize(
    "argv",
    [manage("check_positions"), manage("migrate"), manage("verify_audit")],
    ids=lambda argv: argv[-1],
)
def test_a_command_that_can_not_connect_says_no_password(argv: tuple[str, ...]) -> None:
    done = subprocess.run(argv, env={**os.environ, **AWAY}, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert not list(said_in(done.stdout + done.stderr))


def test_a_web_process_that_can_not_connect_says_no_password(tmp_path: Path) -> None:
    port = free_port()
    argv = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "reporting.asgi:application"]
    with running(*argv, log=tmp_path / "web.log", PROCESS_ROLE="web", **AWAY) as process:
        wait_until(lambda: _status(port, "/healthz") == 200, "the web process:\n", details=process.output)
        assert _status(port, "/readyz") == 503
        assert _status(port, "/", cookie="sessionid=abcdefghijklmnopqrstuvwxyz123456") == 503
        assert "database_away" in process.output()
        assert not list(said_in(process.output()))


def _status(port: int, path: str, cookie: str = "") -> int:
    import requests

    try:
        answer = requests.get(f"http://127.0.0.1:{port}{path}", headers={"cookie": cookie}, timeout=30)
    except OSError:
        return 0
    assert not list(said_in(answer.text))
    return answer.status_code


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [False, True])
def test_an_error_page_shows_no_secret(settings: Settings, monkeypatch: pytest.MonkeyPatch, debug: bool) -> None:
    """Not even the one for developers, which shows settings (and what was posted: hence a laptop only)."""
    settings.DEBUG = debug
    monkeypatch.setattr("dashboard.pages.login.SignInForm.is_valid", lambda _form: 1 / 0)
    answer = Client(raise_request_exception=False).post("/accounts/login/", {"username": "a", "password": PASSWORD})
    assert answer.status_code == 500
    text = answer.content.decode()
    assert ("ZeroDivisionError" in text) == debug
    assert debug or PASSWORD not in text
    assert settings.SECRET_KEY not in text


# --- Sentry -----------------------------------------------------------------------------------------------------------
class Collector(BaseHTTPRequestHandler):
    """A Sentry that keeps what it is sent."""

    kept: list[str] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.kept.append((gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def sentry() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


REPORT = f"""
import django, sentry_sdk
django.setup()
from django.test import Client
from dashboard.pages import login
login.SignInForm.is_valid = lambda form: 1 / 0
headers = {{"authorization": "Bearer planted5e9a1d", "host": "localhost"}}
client = Client(raise_request_exception=False, headers=headers)
client.cookies["else"] = "planted-database-password"
print(client.post("/accounts/login/", {{"username": "a", "password": "{PASSWORD}"}}).status_code)
import structlog
facts = {{"error": "frame-" + "planted", "raw": b"frame-" + b"planted"}}
structlog.get_logger("x").critical("storing_fails", listener="l1", **facts)
sentry_sdk.flush(10)
"""


def test_sentry_is_told_of_the_error_and_of_no_secret(sentry: int, settings: Settings) -> None:
    dsn = f"http://public@127.0.0.1:{sentry}/1"
    env = {**os.environ, "SENTRY_DSN": dsn, "SENTRY_ENVIRONMENT": "rehearsal", **AWAY}
    done = subprocess.run([sys.executable, "-c", REPORT], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "500" in done.stdout.splitlines(), done.stderr
    told = "\n".join(Collector.kept)
    assert "ZeroDivisionError" in told
    assert "storing_fails" in told
    assert "frame-planted" not in told
    assert f'"release":"{settings.VERSION}"' in told
    assert '"environment":"rehearsal"' in told
    assert json.loads(told.splitlines()[0])
    assert not list(said_in(told))
    assert not list(said_in(done.stdout + done.stderr))


# --- the whole run --------------------------------------------------------------------------------------------------
def test_the_search_finds_what_was_said(tmp_path: Path) -> None:
    assert search(tmp_path) == (0, [])
    (tmp_path / "tests.xml").write_text("<testsuite>nothing</testsuite>")
    (tmp_path / "processes").mkdir()
    (tmp_path / "processes" / "1.log").write_text(f"connecting with {DATABASE}")
    count, found = search(tmp_path)
    assert count == 2
    assert found == [f"{tmp_path / 'processes' / '1.log'} has the tests' database password"]
