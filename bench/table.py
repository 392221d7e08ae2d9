"""What every benchmark returns, how two runs compare, and how a run is printed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

WORSE = 1.25
"""More than so many times the last run's figure is worth a look."""
_RATES = frozenset({"trades/s", "a second"})
"""Units of which more is better."""


@dataclass(frozen=True)
class Row:
    """One measured thing beside its floor. `ours` and `floor` are in `unit`: medians, or what `what` says."""

    what: str
    unit: str
    ours: float | None
    floor: float | None
    note: str = ""
    before: float | None = None
    """What the last run has for `compared`."""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.ours is not None and self.floor else None

    @property
    def compared(self) -> float | None:
        """What is compared with the last run: the ratio, as the floor feels the machine, too, or else our figure."""
        return self.ours if self.floor is None else self.ratio

    @property
    def is_worse(self) -> bool:
        """Whether it got worse by more than a quarter since the last run."""
        now, then = self.compared, self.before
        if now is None or then is None:
            return False
        return then > now * WORSE if self.unit in _RATES else now > then * WORSE


def beside(rows: Iterable[Row], last: Iterable[Row]) -> list[Row]:
    """The rows with what the last run had for each; one that has got or lost its floor has nothing to compare with."""
    known = {(row.what, row.unit, row.floor is None): row.compared for row in last}
    return [replace(row, before=known.get((row.what, row.unit, row.floor is None))) for row in rows]


# --- measuring ----------------------------------------------------------------------------------------------------
def alternate(ours: Callable[[], float], floor: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Medians of both, measured in turn so that a change of the machine's speed hits both alike."""
    measured = [(ours(), floor()) for _ in range(rounds)]
    return statistics.median(m[0] for m in measured), statistics.median(m[1] for m in measured)


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


# --- printing -----------------------------------------------------------------------------------------------------
def figure(value: float | None) -> str:
    """Three digits that say something, a dash for nothing."""
    if value is None:
        return "—"
    digits = 0 if abs(value) >= 100 or value == 0 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def console(rows: list[Row]) -> Iterator[str]:
    """A line for each row; the last run's ratio beside ours, or its figure where there is no floor."""
    width = max((len(row.what) for row in rows), default=0)
    yield f"{'what':<{width}}{'floor':>9}{'ours':>9}{'ratio':>8}{'last':>8}"
    for row in rows:
        mark = " worse" if row.is_worse else ""
        note = f" ({row.note})" if row.note else ""
        figures = f"{figure(row.floor):>9}{figure(row.ours):>9}{figure(row.ratio):>8}{figure(row.before):>8}"
        yield f"{row.what:<{width}}{figures}{mark}  {row.unit}{note}"
