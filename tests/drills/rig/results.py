"""What a drill found: one row each, kept as a JSON line where DRILL_RESULTS says, shown as a table; the run's seed."""

from __future__ import annotations

import json
import os
import random
from dataclasses import asdict, dataclass
from pathlib import Path

SEED = int(os.environ.get("DRILL_SEED") or random.SystemRandom().randrange(10**6))
HEADINGS = ("drill", "what was done", "sent", "stored", "lost", "doubled", "worst", "took", "verdict")


@dataclass
class Row:
    """One drill's line. `worst` is the longest time in seconds from a frame's arrival to its row, or what `of` says:
    another time, or a number of requests."""

    drill: str
    done: str = ""
    sent: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    worst: float = 0.0
    of: str = ""
    took: float = 0.0
    verdict: str = ""

    def note(self, *, worst: float, of: str = "") -> None:
        """Keep the worst time; one that a drill has named itself stays."""
        if not self.of or of:
            self.worst, self.of = worst, of

    def keep(self) -> None:
        """Append to the file of this run's results, if one is wanted."""
        path = os.environ.get("DRILL_RESULTS")
        if path:
            with Path(path).open("a") as file:
                file.write(json.dumps(asdict(self)) + "\n")

    def cells(self) -> tuple[str, ...]:
        unit = "" if self.of.startswith("requests") else " s"
        worst = f"{self.worst:.{2 if unit else 0}f}{unit}{f' {self.of}' if self.of else ''}"
        numbers = (str(n) for n in (self.sent, self.stored, self.lost, self.doubled))
        return (self.drill, self.done, *numbers, worst, f"{self.took:.0f} s", self.verdict)


def read(path: Path) -> list[Row]:
    """The rows of a run, by name."""
    lines = path.read_text().splitlines() if path.exists() else []
    return sorted((Row(**json.loads(line)) for line in lines), key=lambda row: row.drill)


def table(rows: list[Row]) -> str:
    """A Markdown table, aligned so that it can be read as it is."""
    cells = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADINGS))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])
