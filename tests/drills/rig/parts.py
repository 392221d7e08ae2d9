"""The desk's own processes beside the listeners that drills start: by name, to be killed, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from local.checks.testbed import ROOT
from tests.drills.rig.desk import Desk
from tests.processes import free_port

_CELERY = (sys.executable, "-m", "celery", "-A", "reporting")
WORKER = (*_CELERY, "worker", "--without-gossip", "--without-mingle", "-l", "WARNING")
BEAT = (*_CELERY, "beat", "-l", "WARNING")
LISTENER = (sys.executable, "manage.py", "listen_trades")

Commands = Mapping[str, list[tuple[str, ...]]]


def web(port: int | None = None) -> tuple[str, ...]:
    """A web process at this port, or at a free one."""
    at = str(port or free_port())
    return (sys.executable, "-m", "daphne", "-v", "0", "-p", at, "reporting.asgi:application")


@dataclass
class Part:
    """One process."""

    argv: tuple[str, ...]
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(self.argv, stdout=output, stderr=output, env=self.env, cwd=ROOT)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)


@contextmanager
def running(desk: Desk, folder: Path, commands: Commands) -> Iterator[dict[str, list[Part]]]:
    """Processes by what they are of, each working on the drill's own servers; they log into the folder."""
    env = {
        **os.environ,
        "DATABASE_URL": desk.url,
        "REDIS_URL": desk.servers.own.redis_url,
        "EXCHANGE_WS_URL": desk.exchange.url,
        "MARKET_DATA_URL": "http://127.0.0.1:9",
        "MARKET_DATA_REQUESTS_PER_MINUTE": "100000",
        "MARKET_DATA_REQUESTS_PER_HOUR": "100000",
        "TRADE_JOURNAL_DIR": str(folder / "journal"),
        "DJANGO_SETTINGS_MODULE": "reporting.settings",
    }
    parts = {
        name: [Part(argv, {**env, "PROCESS_ROLE": name}, folder / f"{name}.log") for argv in several]
        for name, several in commands.items()
    }
    try:
        for part in (part for several in parts.values() for part in several):
            part.start()
        yield parts
    finally:
        for part in (part for several in parts.values() for part in several):
            part.end()


def logs(folder: Path) -> str:
    """The end of each log."""
    return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-1500:]}" for path in folder.glob("*.log"))
