"""A hot standby of the drills' PostgreSQL: to be paused, killed, brought back and promoted."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from local.servers import embedded
from local.servers.addresses import DATABASE_USER
from local.servers.installation import run_as
from tests.drills.rig.servers import DrillServers
from tests.processes import wait_until


class HotStandby:
    """A copy that follows by streaming; `server` is its process."""

    def __init__(self, servers: DrillServers, folder: Path, name: str) -> None:
        self.servers, primary = servers, servers.own.postgres
        self._binaries, self._user = Path(primary.argv[0]).parent, primary.user
        self._primary, self.folder, self._sockets = servers.url("postgres"), folder, folder / "sockets"
        self._sockets.mkdir()
        for path in (folder, self._sockets):
            os.chown(path, *((-1, -1) if self._user is None else (self._user.uid, self._user.gid)))
        self._copy(name)
        argv = [str(self._binaries / "postgres"), "-D", str(folder / "data"), "--listen_addresses=", "--timezone=UTC"]
        argv += [f"--unix_socket_directories={self._sockets}", "--max_connections=60", "--io_method=sync"]
        ready = lambda: embedded.postgres_ready(self.url("postgres"))  # noqa: E731
        self.server = embedded.Server(argv, folder, folder / "standby.log", ready, self._user)

    def _copy(self, name: str) -> None:
        argv = [str(self._binaries / "pg_basebackup"), "-d", f"{self._primary}?application_name={name}", "-R"]
        argv += ["-D", str(self.folder / "data"), "-X", "stream", "-c", "fast"]
        done = subprocess.run(argv, capture_output=True, text=True, cwd=self.folder, check=False, **run_as(self._user))
        assert done.returncode == 0, done.stderr

    def url(self, database: str) -> str:
        """A database of it."""
        return f"postgres://{DATABASE_USER}@{quote(str(self._sockets), safe='')}/{database}"

    def say(self, statement: str) -> object:
        """What it answers."""
        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as own:
            cursor = own.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return None if row is None else row[0]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is replayed for the length of a `with` block; it goes on receiving."""
        self.say("SELECT pg_wal_replay_pause()::text")
        wait_until(lambda: self.say("SELECT pg_get_wal_replay_pause_state()") == "paused", "the pause")
        try:
            yield
        finally:
            self.say("SELECT pg_wal_replay_resume()::text")

    def wait_for_all(self) -> None:
        """Until it has replayed what the primary has."""
        with psycopg.connect(self._primary, autocommit=True) as admin:
            (reached,) = admin.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone() or ("",)
        wait_until(lambda: self.say(f"SELECT pg_last_wal_replay_lsn() >= '{reached}'::pg_lsn"), "the standby")

    def promote(self) -> None:
        """It is the primary from now on."""
        assert self.say("SELECT pg_promote()") is True


@contextmanager
def hot_standby(servers: DrillServers, name: str = "follower") -> Iterator[HotStandby]:
    """One that follows by that name, for the length of a `with` block."""
    folder = Path(tempfile.mkdtemp(prefix="drill-standby-"))
    try:
        made = HotStandby(servers, folder, name)
        made.server.start()
        try:
            yield made
        finally:
            made.server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def synchronous(servers: DrillServers, name: str) -> Iterator[None]:
    """The primary's commits wait for the standby of that name, for the length of a `with` block."""
    primary = servers.own.postgres
    _alter(servers, f"SET synchronous_standby_names = '{name}'")
    state = "SELECT sync_state FROM pg_stat_replication WHERE application_name = %s"
    try:
        with psycopg.connect(servers.url("postgres"), autocommit=True) as admin:
            wait_until(lambda: admin.execute(state, [name]).fetchone() == ("sync",), "the synchronous standby")
        yield
    finally:
        if primary.process is None:
            primary.start()
        _alter(servers, "RESET synchronous_standby_names")


def _alter(servers: DrillServers, change: str) -> None:
    with psycopg.connect(servers.url("postgres"), autocommit=True) as admin:
        admin.execute(f"ALTER SYSTEM {change}")
        admin.execute("SELECT pg_reload_conf()")
