"""A PgBouncer with the configuration of deploy/, before the drills' PostgreSQL."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import dj_database_url
import psycopg
import pytest

from local.checks.programs import PGBOUNCER, ProgramError
from local.checks.testbed import ROOT
from local.servers.embedded import Server
from tests.drills.rig.desk import Desk

CONFIGURATION = ROOT / "deploy" / "postgres" / "pgbouncer.ini"
KINDS = ("web", "listener", "worker", "beat")


@dataclass
class Pooler:
    """The running one: its addresses, one a kind of process, and the server to stop, kill and start."""

    server: Server
    user: str
    folder: str

    def url(self, kind: str = "") -> str:
        name = f"desk_{kind}" if kind in KINDS else "desk"
        return f"postgres://{self.user}@{quote(self.folder, safe='')}:6432/{name}"

    def environment(self, kind: str) -> dict[str, str]:
        """What a process of this kind has in its environment to be behind it."""
        return {"DATABASE_URL": self.url(kind), "DATABASE_POOLED": "1"}

    def said(self) -> str:
        return self.server.log.read_text(errors="replace")


def configuration(desk: Desk) -> str:
    """That of deploy/, for the drill's own server, database and socket."""
    place = dj_database_url.parse(desk.url)
    text = CONFIGURATION.read_text().replace(
        "host=postgres dbname=desk", f"host={place['HOST']} dbname={desk.database}"
    )
    changes = {
        "listen_addr": "",
        "unix_socket_dir": place["HOST"],
        "auth_type": "trust",
        "auth_file": f"{place['HOST']}/users.txt",
    }
    for name, value in changes.items():
        text, count = re.subn(rf"^{name} =.*$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert count == 1, name
    return text


@contextmanager
def pooler(desk: Desk, folder: Path) -> Iterator[Pooler]:
    """Before the desk's database, for the length of a `with` block."""
    place = dj_database_url.parse(desk.url)
    sockets = Path(place["HOST"])
    (sockets / "users.txt").write_text(f'"{place["USER"]}" ""\n')
    (sockets / "pgbouncer.ini").write_text(configuration(desk))
    argv = [_program(), str(sockets / "pgbouncer.ini")]
    made = Pooler(
        Server(argv, sockets, folder / "pgbouncer.log", lambda: _answers(made), desk.postgres.user),
        place["USER"],
        place["HOST"],
    )
    made.server.start()
    try:
        yield made
    finally:
        made.server.kill()
        for left in (".s.PGSQL.6432", ".s.PGSQL.6432.lock"):
            (sockets / left).unlink(missing_ok=True)


def _program() -> str:
    """PgBouncer; who can't have it, and is no build server, does without the drill."""
    try:
        return PGBOUNCER.need()
    except ProgramError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def _answers(made: Pooler) -> bool:
    with suppress(psycopg.Error), psycopg.connect(made.url(), connect_timeout=2, prepare_threshold=None) as own:
        return own.execute("SELECT 1").fetchone() == (1,)
    return False
