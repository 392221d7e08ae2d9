"""One migrated database for a whole test run: each worker's own is a copy of it, which takes a tenth of the time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent


def template_database() -> str:
    """The name of the migrated database on the run's server; made by whoever comes first."""
    address, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"template_{digest_of_migrations()}"
    server = hashlib.sha256(address.encode()).hexdigest()[:16]
    with (Path(tempfile.gettempdir()) / f"desk-template-{server}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                _make(connection, address, name)
    return name


def digest_of_migrations() -> str:
    """Of the apps' folders alone: what else lies in a checkout comes and goes while tests run."""
    total = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for app in sorted(path.parent for path in ROOT.glob("*/apps.py")):
        for path in sorted(app.rglob("migrations/*.py")):
            total.update(path.read_bytes())
    return total.hexdigest()[:16]


def _make(connection: psycopg.Connection[tuple[object, ...]], address: str, name: str) -> None:
    """Migrated under another name first, so that a run that is stopped leaves no half one."""
    unfinished = f"{name}_unfinished"
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(unfinished)))
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
    environment = {**os.environ, "DATABASE_URL": f"{address}/{unfinished}"}
    argv = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(argv, cwd=ROOT, env=environment, check=True)
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    connection.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(name)))
