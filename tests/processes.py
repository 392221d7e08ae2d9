"""The product's own processes, started for a test on the test's database and Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from local.checks import secrecy

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0


def environment(**changes: str) -> dict[str, str]:
    """The environment of a child process that works on this test's database."""
    database = str(connection.settings_dict["NAME"])
    address, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return {
        **os.environ,
        "DATABASE_URL": f"{address}/{database}",
        "REDIS_URL": settings.REDIS_URL,
        "CHANNEL_PREFIX": settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"],
        "PYTHONUNBUFFERED": "1",
        **changes,
    }


class Process:
    """One running process; its output is kept in a file and shown when a wait fails."""

    def __init__(self, *argv: str, log: Path, env: dict[str, str]) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(argv, stdout=output, stderr=output, env=env, cwd=ROOT)

    def wait_for(self, text: str, seconds: float = PATIENCE) -> None:
        """Until the process has said `text`."""
        wait_until(lambda: text in self.output(), f"“{text}” in:\n", seconds, self.output)

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def terminate(self, seconds: float = 10) -> int:
        """SIGTERM; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self._process.kill()
        self._process.wait(10)

    def end(self) -> None:
        if self._process.poll() is None:
            self.kill()
        secrecy.keep(self.log)


@contextmanager
def running(*argv: str, log: Path, **changes: str) -> Iterator[Process]:
    """A process for the length of a `with` block. `changes` are environment names."""
    process = Process(*argv, log=log, env=environment(**changes))
    try:
        yield process
    finally:
        process.end()


def manage(*arguments: str) -> tuple[str, ...]:
    """The command line of a management command."""
    return (sys.executable, str(ROOT / "manage.py"), *arguments)


def wait_until(
    condition: Callable[[], object],
    what: str,
    seconds: float = PATIENCE,
    details: Callable[[], str] = lambda: "",
) -> None:
    """Poll until `condition()` is true; AssertionError with what was waited for otherwise."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {what}{details()}"
        time.sleep(0.02)


async def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """The same on an event loop."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain"
        await asyncio.sleep(0.005)


def wait_for_moment(posix: float) -> None:
    """Until the clock shows this moment (POSIX seconds)."""
    wait_until(lambda: time.time() >= posix, "a moment", posix - time.time() + PATIENCE)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
