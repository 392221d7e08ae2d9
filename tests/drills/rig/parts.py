"""The desk's own processes beside the listeners that drills start: by name, to be killed, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from local.checks.testbed import ROOT
from local.servers.processes import QUIET_WORKER
from tests.drills.rig.desk import Desk
from tests.processes import free_port, wait_until
from tests.web.serving import answers

_CELERY = (sys.executable, "-m", "celery", "-A", "reporting")
WORKER = (*_CELERY, "worker", *QUIET_WORKER, "-l", "WARNING")
BEAT = (*_CELERY, "beat", "-l", "WARNING")
LISTENER = (sys.executable, "manage.py", "listen_trades")

Commands = Mapping[str, list[tuple[str, ...]]]


def web(port: int | None = None) -> tuple[str, ...]:
    """A web process at this port, or at a free one."""
    at = str(port or free_port())
    return (sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", at, "reporting.asgi:application")


def environment_on(desk: Desk) -> dict[str, str]:
    """Of a process that works on the drill's own servers."""
    return {
        **os.environ,
        "DATABASE_URL": desk.url,
        "REDIS_URL": desk.servers.own.redis_url,
        "DJANGO_SETTINGS_MODULE": "reporting.settings",
    }


@dataclass
class Part:
    """One process."""

    argv: tuple[str, ...]
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    address: str = ""
    """Where a web process answers."""

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(self.argv, stdout=output, stderr=output, env=self.env, cwd=ROOT)

    def wait_ready(self) -> None:
        """Until a web process answers; no other has a place to ask at."""
        if self.address:
            wait_until(lambda: answers(self.address), f"{self.address}:\n", details=self.log.read_text)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def terminate(self) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        self.signal(signal.SIGTERM)
        return self.process.wait(20)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)


def part_of(desk: Desk, log: Path, kind: str, **changes: str) -> Part:
    """A web process, which always answers at the same address, a worker or a beat on the drill's own servers."""
    env = {**environment_on(desk), "PROCESS_ROLE": kind, **changes}
    if kind != "web":
        return Part({"worker": WORKER, "beat": BEAT}[kind], env, log)
    port = free_port()
    return Part(web(port), {"API_REQUESTS_PER_MINUTE": "100000", **env}, log, address=f"http://127.0.0.1:{port}")


@contextmanager
def running(desk: Desk, folder: Path, commands: Commands) -> Iterator[dict[str, list[Part]]]:
    """Processes by what they are of, each working on the drill's own servers; they log into the folder."""
    env = {
        **environment_on(desk),
        "EXCHANGE_WS_URL": desk.exchange.url,
        "MARKET_DATA_URL": "http://127.0.0.1:9",
        "MARKET_DATA_REQUESTS_PER_MINUTE": "100000",
        "MARKET_DATA_REQUESTS_PER_HOUR": "100000",
        "TRADE_JOURNAL_DIR": str(folder / "journal"),
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


@dataclass
class Parts:
    """Web processes, workers and beats of one desk. `environment` says for a kind of process where everything is."""

    folder: Path
    environment: Callable[[str], dict[str, str]]
    parts: list[Part] = field(default_factory=list)

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_details: object) -> None:
        for part in self.parts:
            part.end()

    def web(self, name: str = "web") -> str:
        """Start one; its address."""
        port = free_port()
        part = self._start(name, "web", web(port))
        part.address = f"http://127.0.0.1:{port}"
        part.wait_ready()
        return part.address

    def worker(self, name: str = "worker") -> Part:
        return self._start(name, "worker", (*WORKER, "-n", f"{name}@desk"))

    def beat(self, name: str = "beat") -> Part:
        return self._start(name, "beat", BEAT)

    def _start(self, name: str, kind: str, argv: tuple[str, ...]) -> Part:
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONUNBUFFERED": "1",
            "PROCESS_ROLE": kind,
            **self.environment(kind),
        }
        part = Part(argv, env, self.folder / f"{name}.log")
        self.parts.append(part)
        part.start()
        return part

    def of(self, name: str) -> Part:
        """The one whose log has this name."""
        (part,) = (part for part in self.parts if part.log.stem == name)
        return part

    def said(self) -> str:
        """What all of them have said."""
        return "\n".join(f"--- {part.log.name}\n{part.log.read_text(errors='replace')}" for part in self.parts)
