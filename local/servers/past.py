"""The past that a new desk begins with: made up beside the servers' start and the migrations, then stored by the desk.

Of markets alone whose exchange and provider are both played here, each once: `var/past/` says of which.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

from local.servers.processes import FIRST_MARKET, PRODUCTS, DeskError, Plan

ROOT = Path(__file__).resolve().parents[2]
DAYS = 60
BUSY, BUSY_BESIDE = "1", "0.3"
"""Other markets are smaller than the German one, and the desk is to be there within a minute."""
_PATIENCE_SECONDS = 300


class Past:
    """Begin; hand over to `create_demo`; say that it is stored; go on. Without DEBUG there is none."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.folder = plan.var / "past"
        wanted = plan.played_codes if plan.debug else []
        self._makers: dict[str, subprocess.Popen[bytes] | None] = {
            code: None for code in wanted if not self._is_stored(code).exists()
        }

    def begin(self) -> None:
        """Start what makes it up, a process for each market."""
        for code in self._makers:
            busy = BUSY if code == FIRST_MARKET else BUSY_BESIDE
            options = ["--area", code, *PRODUCTS, "--days", str(DAYS), "--busy", busy, "--into", str(self.folder)]
            self._makers[code] = self._start(sys.executable, "manage.py", "simulate_past", *options)

    def _start(self, *command: str, stderr: int | IO[bytes] = subprocess.PIPE) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self._plan.environment,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )

    def arguments(self) -> list[str]:
        """For `create_demo`, once it is all there: where it is. DeskError says what could not be made up."""
        for code, maker in self._makers.items():
            _, stderr = maker.communicate(timeout=_PATIENCE_SECONDS) if maker else (b"", b"")
            if maker and maker.returncode:
                raise DeskError(f"simulate_past {code} failed: {stderr.decode(errors='replace').strip()[-300:]}")
        return ["--past", str(self.folder)] if self._makers else []

    def stored(self) -> None:
        """The desk has it: the files may go."""
        for code in self._makers:
            self._is_stored(code).touch()
            for path in self.folder.glob(f"{code}-*.jsonl"):
                path.unlink()

    def go_on(self) -> None:
        """What the first page does without, once that is there: assumptions of the past days."""
        if self._makers:
            command = ["nice", sys.executable, "manage.py", "create_demo_assumptions"]
            with (self._plan.var / "log" / "past.log").open("ab") as log:
                self._makers["assumptions"] = self._start(*command, stderr=log)

    def end(self) -> None:
        """End what still makes something up."""
        for maker in self._makers.values():
            if maker and maker.poll() is None:
                maker.kill()
                maker.wait()

    def _is_stored(self, code: str) -> Path:
        return self.folder / f"{code}.stored"
