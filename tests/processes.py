"""The product's own processes, started for a test on the test's database and Redis."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
from django.conf import settings
from django.db import connection

from local.checks import secrecy

ROOT = Path(__file__).resolve().parent.parent
AS_INSTALLED = ROOT / "tests" / "as_installed"
"""First on PYTHONPATH, it keeps the libraries of development's tools from a process (its sitecustomize says why)."""
PATIENCE = 90.0
"""Seconds to wait for what must come: a busy machine starts a process in half a minute, and who waits loses nothing."""
_numbers = itertools.count(1)


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
        self._database = _named(env)
        if self._database is not None:
            env = env | {"DATABASE_URL": self._database}
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
        code = self._process.wait(seconds)
        self._wait_for_its_statements()
        return code

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self._process.kill()
        self._process.wait(10)
        self._wait_for_its_statements()

    def end(self) -> None:
        if self._process.poll() is None:
            self.kill()
        secrecy.keep(self.log)

    def _wait_for_its_statements(self) -> None:
        """PostgreSQL ends what a process had sent before it died, and would write it into the next test's tables."""
        if self._database is None:
            return
        name = parse_qs(urlsplit(self._database).query)["application_name"][0]
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        with (
            suppress(psycopg.OperationalError),  # a test may have stopped PostgreSQL
            psycopg.connect(_own_address(), autocommit=True, connect_timeout=5) as watcher,
        ):
            wait_until(lambda: watcher.execute(query, [name]).fetchone() == (0,), f"an end of {name}'s statements")


def _own_address() -> str:
    """The test's database, as its processes are given it."""
    return environment()["DATABASE_URL"]


def _named(env: dict[str, str]) -> str | None:
    """The process's address of the test's database, with a name for its connections. None: it has another one."""
    address, own = env.get("DATABASE_URL", ""), _own_address()
    if address == own:
        mark = "&" if "?" in own else "?"
        return f"{own}{mark}application_name=reporting%20child%20{os.getpid()}%20{next(_numbers)}"
    return address if address.startswith(f"{own}?application_name=") else None


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
