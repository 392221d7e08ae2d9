"""What a test run stands on: an embedded PostgreSQL and Redis of its own, and the environment that names them.

Several runs in one checkout don't disturb each other or a running desk: each takes the first free folder under
var/test. TEST_DATABASE_URL and TEST_REDIS_URL name servers to use instead; the workers of a run inherit them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from local.servers import embedded, installation

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY = "for tests only, long enough for the deployment check: 6f1c0b8e5d9a47f2"  # noqa: S105
_MOST_RUNS = 32
_SILENT = "http://127.0.0.1:9"  # the discard port: a test that forgets its own stand-in gets no answer


def environment(database_url: str, redis_url: str, journal: Path) -> dict[str, str]:
    """Every name that settings.py reads, fit for tests."""
    return {
        "TEST_DATABASE_URL": database_url,
        "TEST_REDIS_URL": redis_url,
        "DATABASE_URL": database_url,
        "DATABASE_REPLICA_URL": "",
        "REDIS_URL": redis_url,
        "EXCHANGE_WS_URL": _SILENT.replace("http", "ws"),
        "EXCHANGE_SILENCE_SECONDS": "900",
        "MARKET_DATA_URL": _SILENT,
        "MARKET_DATA_UPDATE_INTERVAL": "600",
        "MARKET_DATA_REQUESTS_PER_MINUTE": "50",
        "MARKET_DATA_REQUESTS_PER_HOUR": "1000",
        "TRADE_JOURNAL_DIR": str(journal),
        "SECRET_KEY": SECRET_KEY,
        "DEBUG": "0",
        "SECURE_COOKIES": "0",
        "ALLOWED_HOSTS": "",
        "CSRF_TRUSTED_ORIGINS": "",
        "SENTRY_DSN": "",
        "PROCESS_ROLE": "",
        "LOG_LEVEL": "INFO",
        "DJANGO_SETTINGS_MODULE": "reporting.settings",
    }


@contextmanager
def entered() -> Iterator[None]:
    """os.environ fit for tests for the length of a `with` block, on servers that are given or started here."""
    before = dict(os.environ)
    database_url, redis_url = before.get("TEST_DATABASE_URL"), before.get("TEST_REDIS_URL")
    try:
        # A run starts some hundred processes: a module is compiled by the first that reads it, not by each.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        if database_url and redis_url:
            os.environ.update(environment(database_url, redis_url, ROOT / "var" / "test" / "journal"))
            yield
            return
        with _free_folder() as folder, embedded.running(folder, fast=True) as own:
            given = (database_url or own.database_url, redis_url or own.redis_url)
            os.environ.update(environment(*given, folder / "journal"))
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _free_folder() -> Iterator[Path]:
    """The first of var/test/1, 2, … that no other run holds; held until the block ends, or the process dies."""
    for number in range(1, _MOST_RUNS):
        folder = ROOT / "var" / "test" / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "in-use").open("w") as lock:
            if _locked(lock):
                yield folder
                return
    raise installation.ServerError(f"{_MOST_RUNS} test runs at once are in this checkout.")


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
