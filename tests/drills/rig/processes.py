"""The desk's other processes on a drill's own database and Redis, to be killed and started again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.checks.testbed import ROOT
from tests.drills.rig.desk import Desk
from tests.processes import free_port


@dataclass
class DeskProcess:
    """One that is killed and comes back; `changes` are names in its environment."""

    desk: Desk
    changes: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def argv(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": self.desk.url,
            "REDIS_URL": self.desk.servers.own.redis_url,
            "DJANGO_SETTINGS_MODULE": "reporting.settings",
            **self.changes,
        }
        quiet = subprocess.DEVNULL
        argv = [sys.executable, "-m", *self.argv]
        self.process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


@dataclass
class Web(DeskProcess):
    """A web process, always at the same address."""

    port: int = field(default_factory=free_port)

    @property
    def argv(self) -> list[str]:
        return ["daphne", "-b", "127.0.0.1", "-p", str(self.port), "reporting.asgi:application"]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.changes = {"PROCESS_ROLE": "web", "API_REQUESTS_PER_MINUTE": "100000", **self.changes}
        super().start()


class Worker(DeskProcess):
    """The Celery worker."""

    @property
    def argv(self) -> list[str]:
        return ["celery", "-A", "reporting", "worker", "--without-gossip", "--without-mingle"]


class Beat(DeskProcess):
    """Celery's beat; where it keeps what it has sent says `changes`."""

    @property
    def argv(self) -> list[str]:
        return ["celery", "-A", "reporting", "beat", "--schedule", os.devnull, "--pidfile", ""]
