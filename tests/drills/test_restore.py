"""A database brought back to an earlier moment, and the journals' frames after it stored again: 0 lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from local.servers import embedded
from local.servers.addresses import DATABASE_USER
from tests.drills.rig.desk import Desk, facts, using
from tests.drills.rig.servers import DrillServers
from tests.processes import wait_until
from trades.capture.markets import Markets
from trades.capture.replay import replay_directory
from trades.ledger.effective import position_differences

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]


class _Backup:
    """A base backup of the drill's PostgreSQL and every WAL record since, as an operator keeps them."""

    def __init__(self, drill_servers: DrillServers, folder: Path) -> None:
        own = drill_servers.own
        self._binaries = Path(own.postgres.argv[0]).parent
        self._user = own.postgres.user
        self._url = drill_servers.url("postgres")
        self.folder = folder
        self.base, self.wal, self._sockets = folder / "base", folder / "wal", folder / "sockets"
        for path in (self.folder, self.wal, self._sockets):
            path.mkdir(exist_ok=True)
            os.chown(path, *((-1, -1) if self._user is None else (self._user.uid, self._user.gid)))
        self._receiver: subprocess.Popen[bytes] | None = None

    def run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            self._argv(name, *arguments), capture_output=True, text=True, cwd=self.folder, **self._as()
        )
        assert done.returncode == 0, done.stderr

    def receive(self) -> None:
        """Keep every WAL record from now on, as it is written."""
        argv = self._argv("pg_receivewal", "-d", self._url, "-D", str(self.wal), "--synchronous", "--no-loop")
        self._receiver = subprocess.Popen(argv, cwd=self.folder, stderr=subprocess.DEVNULL, **self._as())
        with psycopg.connect(self._url, autocommit=True) as admin:
            wait_until(lambda: admin.execute("SELECT FROM pg_stat_replication").rowcount, "the receiver of WAL")

    def end(self) -> None:
        if self._receiver is not None:
            self._receiver.terminate()
            self._receiver.wait(20)

    def restore(self, to: str) -> embedded.Server:
        """A server of its own on the backup, at the moment `to`."""
        for path in self.wal.glob("*.partial"):
            path.rename(path.with_suffix(""))
        with (self.base / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = 'cp {self.wal}/%f %p'\nrecovery_target_time = '{to}'\n")
            settings.write("recovery_target_action = 'promote'\n")
        (self.base / "recovery.signal").touch()
        argv = [str(self._binaries / "postgres"), "-D", str(self.base), "--listen_addresses=", "--timezone=UTC"]
        argv.append(f"--unix_socket_directories={self._sockets}")
        log = self.folder / "restored.log"
        return embedded.Server(argv, self.folder, log, lambda: _is_open(self.url("postgres")), self._user)

    def url(self, database: str) -> str:
        """A database of the restored server."""
        return f"postgres://{DATABASE_USER}@{quote(str(self._sockets), safe='')}/{database}"

    def _argv(self, name: str, *arguments: str) -> list[str]:
        return [str(self._binaries / name), *arguments]

    def _as(self) -> dict[str, Any]:
        user = self._user
        return {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}


def _is_open(url: str) -> bool:
    """Whether it answers and has left recovery."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
            return row is not None and not row[0]
    except psycopg.Error:
        return False


@pytest.fixture
def backup(drill_servers: DrillServers) -> Iterator[_Backup]:
    folder = Path(tempfile.mkdtemp(prefix="drill-backup-"))
    kept = _Backup(drill_servers, folder)
    yield kept
    kept.end()
    shutil.rmtree(folder, ignore_errors=True)


def _push(desk: Desk, count: int) -> None:
    desk.feed.push(count, rate=200)
    desk.feed.wait()
    desk.wait_stored(desk.feed.ids())


@pytest.mark.long
def test_restored_to_a_point_in_time(desk: Desk, backup: _Backup) -> None:
    """Base backup, WAL up to a moment before the damage, then the journals: the tables are what they were."""
    desk.row.done = "tables dropped; base backup and WAL restored to before 150 of 350 trades, journals replayed"
    listener = desk.listener()
    _push(desk, 100)
    backup.receive()
    backup.run("pg_basebackup", "-d", desk.servers.url("postgres"), "-D", str(backup.base), "-X", "none", "-c", "fast")
    _push(desk, 100)
    with psycopg.connect(desk.url, autocommit=True) as database:
        moment = str(database.execute("SELECT clock_timestamp()").fetchone()[0])  # type: ignore[index]
        _push(desk, 150)
        assert listener.terminate() == 0
        with using(desk.url):
            tables = facts()
        database.execute("DROP TABLE trades_position, trades_trade CASCADE")
        database.execute("SELECT pg_switch_wal()")
        current = str(database.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()[0])  # type: ignore[index]
    wait_until(lambda: any(path.name >= current for path in backup.wal.iterdir()), "the last WAL")
    backup.end()
    restored = backup.restore(moment)
    restored.start()
    try:
        with using(backup.url(desk.database)):
            assert len(facts()[0]) == 200, "not the moment that was asked for"
            replayed = replay_directory(directory=listener.journal, market_of=Markets())
            assert facts() == tables
            assert position_differences() == []
            assert replay_directory(directory=listener.journal, market_of=Markets()).received == 0
    finally:
        restored.stop()
    desk.row.sent, desk.row.stored, desk.row.lost = 350, 200 + replayed.stored, 150 - replayed.stored
    assert desk.row.lost == 0
