"""What every benchmark returns, and how it is printed and kept."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Row:
    """One measured thing beside its floor. `ours` and `floor` are medians in `unit`."""

    what: str
    unit: str
    ours: float | None
    floor: float | None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.ours is not None and self.floor else None


def alternate(ours: Callable[[], float], floor: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Medians of both, measured in turn so that a change of the machine's speed hits both alike."""
    measured = [(ours(), floor()) for _ in range(rounds)]
    return statistics.median(m[0] for m in measured), statistics.median(m[1] for m in measured)


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(rows: list[Row]) -> None:
    print(f"{'what':<58}{'floor':>12}{'ours':>12}{'ratio':>8}  unit")
    for row in rows:
        figures = (f"{v:,.3f}" if v is not None else "—" for v in (row.floor, row.ours))
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else "—"
        floor, ours = figures
        print(f"{row.what:<58}{floor:>12}{ours:>12}{ratio:>8}  {row.unit}" + (f" ({row.note})" if row.note else ""))


def keep(rows: list[Row]) -> Path:
    """Write the table with machine, versions and commit to bench/results/."""
    RESULTS.mkdir(exist_ok=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    path = RESULTS / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    machine = {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "commit": commit,
    }
    path.write_text(json.dumps({"machine": machine, "rows": [asdict(r) | {"ratio": r.ratio} for r in rows]}, indent=1))
    return path
