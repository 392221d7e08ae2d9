"""A run: its rows with machine, versions and commit. docs/performance.json is the last one that was recorded."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.table import Row

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "docs" / "performance.json"
RESULTS = ROOT / "bench" / "results"
_PACKAGES = ("Django", "channels", "daphne", "psycopg")


@dataclass(frozen=True)
class Run:
    """`at` is an ISO moment (UTC); memory in GB."""

    at: str
    commit: str
    machine: dict[str, str | int | float]
    versions: dict[str, str]
    rows: list[Row]

    def as_json(self) -> str:
        rows = [asdict(row) | {"ratio": row.ratio} for row in self.rows]
        return json.dumps(asdict(self) | {"rows": rows}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Run:
        facts = json.loads(text)
        names = {field.name for field in fields(Row)}
        rows = [Row(**{name: value for name, value in row.items() if name in names}) for row in facts.pop("rows")]
        return cls(**facts, rows=rows)


def last_run(path: Path = RECORDED) -> Run | None:
    """The recorded run, if there is one."""
    return Run.from_json(path.read_text()) if path.exists() else None


def this_run(rows: list[Row]) -> Run:
    """These rows as measured here and now, on the servers that Django is connected to."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Run(now, _commit(), _machine(), {"Python": platform.python_version()} | _packages() | _servers(), rows)


def keep(run: Run) -> Path:
    """Write it among the results; where."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.fromisoformat(run.at):%Y%m%dT%H%M%S}.json"
    path.write_text(run.as_json())
    return path


# --- what it was measured on ----------------------------------------------------------------------------------------
def _commit() -> str:
    """The commit; with a plus when files differ from it."""
    commit, changes = (_git(*command) for command in (("rev-parse", "HEAD"), ("status", "--porcelain")))
    return commit + ("+" if changes else "")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:  # a copy without git
        return ""
    return done.stdout.strip()


def _machine() -> dict[str, str | int | float]:
    import psutil  # type: ignore[import-untyped]

    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory": round(psutil.virtual_memory().total / 1e9, 1),
    }


def _processor() -> str:
    """Its name where Linux tells it, its architecture elsewhere."""
    try:
        named = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        named = None
    return named[1].strip() if named else platform.machine()


def _packages() -> dict[str, str]:
    return {name: version(name) for name in _PACKAGES}


def _servers() -> dict[str, str]:
    import redis
    from django.conf import settings
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = str(cursor.fetchone()[0])
    client = redis.Redis.from_url(settings.REDIS_URL)
    told = dict(client.info("server"))
    client.close()
    name = "Valkey" if "valkey_version" in told else "Redis"
    return {"PostgreSQL": postgres.partition(" ")[0], name: str(told.get("valkey_version", told["redis_version"]))}
