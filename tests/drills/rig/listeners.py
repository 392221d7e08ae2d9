"""A real `listen_trades` process that a drill kills, freezes and starts again."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from local.checks.testbed import ROOT
from tests.processes import AS_INSTALLED, wait_until

PATIENCE = 45.0
FAULTS = Path(__file__).resolve().parents[1] / "faults"


class Listener:
    """One listener by name: its process, its journal folder, its log (over all its lives)."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.code = ROOT  # whose listen_trades it is: another checkout's for another version
        self.journal = folder / name
        self._log: list[str] = []
        self._environment = {**environment, "TRADE_JOURNAL_DIR": str(self.journal)}
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def start(self, *, connected: bool = True, **changes: str) -> None:
        """Start it (again) with these names in its environment, and wait until it is connected."""
        before = self.said("exchange_connected")
        environment = {
            **os.environ,
            **self._environment,
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": f"{AS_INSTALLED}:{self.code}",
            "DJANGO_SETTINGS_MODULE": "reporting.settings",  # another version has no settings for tests
            **changes,
        }
        # A pipe, not a file: a drill that limits the size of files must not silence the log.
        self._process = subprocess.Popen(
            [sys.executable, str(self.code / "manage.py"), "listen_trades", "--name", self.name],
            cwd=self.code,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        if connected:
            self.wait_said("exchange_connected", before + 1)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._log.append(line.decode(errors="replace"))

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self.wait_end()

    def terminate(self, seconds: float = 10) -> int:
        """SIGTERM; its exit code. It has ten seconds."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self.wait_end(seconds)

    def wait_end(self, seconds: float = PATIENCE) -> int:
        assert self._process is not None
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {seconds} s:\n{self.output()}") from None
        if self._reader is not None:
            self._reader.join(10)
        return code

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    @property
    def frozen(self) -> bool:
        """Whether it has been stopped by a signal and not gone on yet."""
        status = Path(f"/proc/{self.pid}/stat").read_text()
        return status.rpartition(")")[2].split()[0] == "T"

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def limit_files(self, size: int | None) -> None:
        """No file may grow above `size` bytes (as on a full disk); None lifts it."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY if size is None else size, hard))

    def output(self) -> str:
        return "".join(self._log)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Log lines with this event, in order."""
        lines = [json.loads(line) for line in list(self._log) if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    def said(self, name: str) -> int:
        return len(self.events(name))

    def wait_said(self, name: str, times: int = 1, seconds: float = PATIENCE) -> None:
        wait_until(lambda: self.said(name) >= times, f"{self.name}: {times} x {name}\n", seconds, self.output)

    def end(self) -> None:
        if self.running:
            self.kill()
