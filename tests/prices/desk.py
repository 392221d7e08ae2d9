"""The real workers and beats on the test's database, beside a simulated provider whose own count is the judge."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.db import connection

from local.servers.processes import QUIET_WORKER
from local.simulators.provider import Faults, Limits, Market, SimulatedProvider, simulated_server
from market.locks import AdvisoryLock
from tests import processes
from tests.processes import Process, running


@contextmanager
def provider_running(market: Market, limits: Limits, faults: Faults | None = None) -> Iterator[tuple[str, Limits]]:
    """A simulated provider in a thread of this process; its address, and what it counts."""
    simulated = SimulatedProvider(market, limits, faults or Faults(latency=(0.02, 0.08)))
    server = simulated_server(simulated, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", limits
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def broker() -> str:
    """This test's own share of Redis, in Celery's spelling."""
    parts = urlsplit(settings.REDIS_URL)
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}" if parts.scheme == "unix" else settings.REDIS_URL


def celery(*arguments: str) -> tuple[str, ...]:
    """The command line of one of Celery's processes."""
    return (sys.executable, "-m", "celery", "-A", "reporting", "-b", broker(), *arguments, "--loglevel", "WARNING")


@contextmanager
def worker(log: Path, name: str = "one", **environment: str) -> Iterator[Process]:
    """A worker under its own node name, which its connections to PostgreSQL bear, too."""
    address = processes.environment()["DATABASE_URL"]
    environment.setdefault("DATABASE_URL", f"{address}?application_name={name}")
    argv = celery("worker", *QUIET_WORKER, "-n", f"{name}@desk")
    with running(*argv, log=log, PROCESS_ROLE="worker", **environment) as process:
        yield process


@contextmanager
def beat(log: Path, **environment: str) -> Iterator[Process]:
    """A beat, which sends a tick every 5 s."""
    with running(*celery("beat"), log=log, PROCESS_ROLE="beat", **environment) as process:
        yield process


def chasing_backend(market_pk: int) -> int | None:
    """PostgreSQL's process of the worker that chases the market now, None while nobody does."""
    found = _chasing(market_pk)
    return found[0] if found else None


def chaser(market_pk: int) -> str | None:
    """The node's name of the worker that chases the market now, None while nobody does."""
    found = _chasing(market_pk)
    return found[1] if found else None


def _chasing(market_pk: int) -> tuple[int, str] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted"
            " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [AdvisoryLock.PRICE_CHASE, market_pk],
        )
        row: tuple[int, str] | None = cursor.fetchone()
    return row
