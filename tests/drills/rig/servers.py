"""PostgreSQL and Redis of the drills' own: durable, to be stopped, killed and frozen; a database is made in no time."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from local.checks.testbed import ROOT
from local.servers import embedded
from tests.template_database import digest_of_migrations

_MOST_RUNS = 32


@dataclass(frozen=True)
class DrillServers:
    """The running pair, and a database with the desk's tables to be copied."""

    own: embedded.Servers
    template: str

    def url(self, database: str) -> str:
        return f"{self.own.database_url.rpartition('/')[0]}/{database}"

    def execute(self, statement: sql.Composable) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as admin:
            admin.execute(statement)

    def create_database(self, template: str | None = None) -> str:
        """A new database with empty tables; its name."""
        name = f"drill_{uuid.uuid4().hex[:12]}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self.execute(statement.format(sql.Identifier(name), sql.Identifier(template or self.template)))
        return name

    def create_empty(self, name: str) -> None:
        """A new database without tables."""
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template1").format(sql.Identifier(name)))

    def drop_database(self, name: str) -> None:
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def running() -> Iterator[DrillServers]:
    """Both servers for the length of a `with` block, in the first folder that no other run holds."""
    with _free_folder() as folder, embedded.running(folder) as own:
        yield DrillServers(own, _template(own))


@contextmanager
def _free_folder() -> Iterator[Path]:
    for number in range(1, _MOST_RUNS):
        folder = ROOT / "var" / "test" / f"drills-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "in-use").open("w") as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield folder
            return
    raise AssertionError(f"{_MOST_RUNS} drills at once are in this checkout")


def _template(own: embedded.Servers) -> str:
    """The migrated database, kept from run to run until a migration changes; what earlier runs left is dropped."""
    name = f"template_{digest_of_migrations()}"
    made = DrillServers(own, name)
    with psycopg.connect(made.url("postgres"), autocommit=True) as admin:
        found = [row[0] for row in admin.execute("SELECT datname FROM pg_database")]
    for old in found:
        if old.startswith(("drill_", "template_")) and old != name:
            made.drop_database(old)
    if name not in found:
        unfinished = made.create_database("template1")
        environment = {**os.environ, "DATABASE_URL": made.url(unfinished)}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
        statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        made.execute(statement.format(sql.Identifier(unfinished), sql.Identifier(name)))
    return name


@contextmanager
def frozen(server: embedded.Server) -> Iterator[None]:
    """SIGSTOP for the server and all its processes for the length of a `with` block."""
    assert server.process is not None
    processes = [psutil.Process(server.process.pid)]
    processes += processes[0].children(recursive=True)
    _signal(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(processes, signal.SIGCONT)


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
