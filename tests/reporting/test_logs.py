"""Logs: one line an event, each event explained, nothing twice, an id for each request."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from typing import Any

import pytest
import structlog
from asgiref.testing import ApplicationCommunicator
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from reporting.errors import scrubbed
from reporting.http.request_ids import WithRequestId
from reporting.logs import configure, process_of
from tests.processes import ROOT
from tests.reporting.events import logged

ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|", re.MULTILINE)


def test_every_event_is_explained_with_its_level() -> None:
    explained = ROW.findall((ROOT / "docs" / "logs.md").read_text().partition("## Events")[2])
    assert explained == sorted(explained)
    assert set(explained) == {(event, level) for event, level, _ in logged()}
    for event, _ in explained:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", event)


@pytest.mark.parametrize(
    ("argv", "process"),
    [
        (["/app/.venv/bin/daphne", "-p", "8000", "reporting.asgi:application"], "web"),
        (["/x/daphne/__main__.py", "reporting.asgi:application"], "web"),
        (["manage.py", "listen_trades", "--name", "a"], "listener"),
        (["/venv/bin/celery", "-A", "reporting", "worker"], "worker"),
        (["/x/celery/__main__.py", "-A", "reporting", "beat"], "beat"),
        (["/app/manage.py", "check_positions"], "check_positions"),
        ([""], ""),
        ([], ""),
    ],
)
def test_a_line_says_which_process_it_is_of(argv: list[str], process: str) -> None:
    assert process_of(argv) == process


SAY = """
import django, logging, structlog
django.setup()
structlog.get_logger("x").warning("said_by_us", listener="l1")
logging.getLogger("django.security").warning("said by %s", "django")
logging.getLogger("django.server").error("said by the server")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("x").error("said_with_a_trace", exc_info=True)
"""


@pytest.mark.parametrize("debug", ["0", "1"])
def test_one_json_line_an_event_and_nothing_twice(debug: str) -> None:
    env = {**os.environ, "DEBUG": debug}
    done = subprocess.run([sys.executable, "-c", SAY], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    said = ["said_by_us", "said by django", "said by the server", "said_with_a_trace"]
    assert [line["event"] for line in lines] == said
    for line in lines:
        assert {"level", "logger", "timestamp", "process", "version"} <= set(line)
    assert "ZeroDivisionError" in lines[-1]["exception"]


def test_who_has_logged_before_a_second_setup_is_heard_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The web process' entry sets Django up, whether or not somebody has before."""
    monkeypatch.setattr(logging.getLogger(), "handlers", list(logging.getLogger().handlers))
    early = structlog.get_logger("tests.early")
    early.debug("first")
    configure({"level": "INFO"})
    with capture_logs() as said:
        early.warning("second")
    assert [entry["event"] for entry in said] == ["second"]


# --- an id for each request -------------------------------------------------------------------------------------------
async def answered(scope: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The answer's X-Request-ID headers, and what the application's log lines would hold."""
    seen: dict[str, Any] = {}

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        seen.update(get_contextvars())
        kind = "http.response.start" if _scope["type"] == "http" else "websocket.accept"
        await send({"type": kind, "status": 200, "headers": []})

    communicator = ApplicationCommunicator(WithRequestId(application), scope)
    message = await communicator.receive_output(5)
    return [value.decode() for name, value in message["headers"] if name == b"x-request-id"], seen


@pytest.mark.parametrize(
    ("given", "kept"),
    [(b"Root=1-67891233-abcdef", True), (b"short", False), (b'x"; injected\n', False), (b"a" * 81, False)],
)
async def test_a_request_has_one_id_in_logs_and_answer(given: bytes, kept: bool) -> None:
    headers, seen = await answered({"type": "http", "headers": [(b"x-request-id", given)]})
    assert [seen["request_id"]] == headers
    assert (headers == [given.decode()]) == kept
    assert kept or re.fullmatch("[0-9a-f]{32}", headers[0])
    assert "request_id" not in get_contextvars()


async def test_a_socket_has_one_id_in_logs() -> None:
    headers, seen = await answered({"type": "websocket", "headers": []})
    assert headers == []
    assert re.fullmatch("[0-9a-f]{32}", seen["connection"])


# --- Sentry -----------------------------------------------------------------------------------------------------------
def test_only_what_was_chosen_goes_out() -> None:
    record = logging.makeLogRecord(
        {"msg": {"event": "storing_fails", "listener": "l1", "error": "planted", "tries": 5}}
    )
    event = {
        "event_id": "1",
        "level": "fatal",
        "release": "1.2.3",
        "environment": "production",
        "request": {"method": "POST", "cookies": "planted", "data": "planted", "url": "/planted"},
        "user": {"username": "planted"},
        "extra": {"x": "planted"},
        "breadcrumbs": {"values": ["planted"]},
        "logentry": {"message": "planted"},
        "exception": {"values": [{"type": "IntegrityError", "value": "duplicate key\nDETAIL: Key (id)=(planted)"}]},
    }  # fmt: skip
    out = scrubbed(event, {"log_record": record})
    assert "planted" not in json.dumps(out)
    assert (out["message"], out["release"], out["environment"]) == ("storing_fails", "1.2.3", "production")
    assert out["tags"] == {"listener": "l1", "tries": "5"}
    assert out["request"] == {"method": "POST"}
    assert out["exception"]["values"][0]["value"] == "duplicate key"
