"""`make bench-alternatives`: our desk and the bare pipeline beside what traders would use instead, in one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.table import Row


def run(folder: Path) -> list[Row]:
    from bench.alternatives import live, loads  # not above: the alternatives' own environment can't import these

    return live.run(folder) + loads.run(folder)
