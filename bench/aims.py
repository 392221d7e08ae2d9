"""What the figures should be, and which of a run's are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.table import Row, figure


@dataclass(frozen=True)
class Aim:
    """A bound of our figure, in the row's unit, or of its ratio to the floor."""

    at_most: float | None = None
    at_least: float | None = None
    of_floor: bool = False

    def holds(self, row: Row) -> bool:
        """A row without the figure that is asked for holds nothing."""
        value = row.ratio if self.of_floor else row.ours
        if value is None:
            return False
        return (self.at_most is None or value <= self.at_most) and (self.at_least is None or value >= self.at_least)

    def words(self, unit: str) -> str:
        of = "× floor" if self.of_floor else unit
        bounds = (("≤", self.at_most), ("≥", self.at_least))
        return " ".join(f"{sign} {bound:,g} {of}".rstrip() for sign, bound in bounds if bound is not None)


AIMS: dict[str, tuple[Aim, ...]] = {
    "send -> DOM, 15 viewers, 100 a minute: median": (Aim(at_most=20), Aim(at_most=5, of_floor=True)),
    "send -> DOM, 15 viewers, 100 a minute: p99": (Aim(at_most=80), Aim(at_most=4, of_floor=True)),
    "send -> DOM, 15 viewers, 20 a second: median": (Aim(at_most=5, of_floor=True),),
    "send -> DOM, 15 viewers, a burst of 100 complete": (Aim(at_most=250),),
    "refresh storm, board answers of one process": (Aim(at_least=0.5, of_floor=True),),
    "refresh storm, p99 of an answer": (Aim(at_most=1.5, of_floor=True),),
    "refresh storm, what must not be": (Aim(at_most=0),),
    "refresh storm, send -> socket meanwhile, p99": (Aim(at_most=250),),
    "the listener's whole way, sustained": (Aim(at_least=5_000),),
    "replay of a journal of 144,000": (Aim(at_most=40),),
    "an ordinary minute, 15 viewers, all processes": (Aim(at_most=3),),
    "an idle minute, all processes": (Aim(at_most=1),),
    "a full board, 10 open assumptions on each of 120 rows, send -> DOM; floor: without": (
        Aim(at_most=1.1, of_floor=True),
    ),
    "assumptions, a year of one trader with 5,000": (Aim(at_most=300),),
    "assumptions, a year of one trader with 5,000 of a million stored; floor: 5,000 stored": (
        Aim(at_most=1.3, of_floor=True),
    ),
    "history of a trader, a year; floor: their plain sum": (Aim(at_most=1.5, of_floor=True),),
    "history of the desk (15 traders), a year; floor: their plain sum": (Aim(at_most=2, of_floor=True),),
    "500 open pages, 20 changes a second, send -> socket p99": (Aim(at_most=500),),
}
"""Row -> what must hold of it."""


OF_BASE = {
    "an ordinary minute, 15 viewers, all processes": 0.55,
    "an idle minute, all processes": 0.5,
}
"""Row -> at most this share of what commit 105cb3b took, both measured in one run (bench/against.py)."""


def missed_of_base(what: str, share: float | None) -> str:
    """A line if the row has an aim against the base and misses it; empty otherwise."""
    at_most = OF_BASE.get(what)
    if at_most is None or share is None or share <= at_most:
        return ""
    return f"{what}: {figure(share)} of the base, aim ≤ {at_most:g}"


def words(row: Row) -> str:
    """The row's aims for people; empty when there are none."""
    return "; ".join(aim.words(row.unit) for aim in AIMS.get(row.what, ()))


def missed(rows: Iterable[Row]) -> Iterator[str]:
    """A line for each aim that these rows miss."""
    for row in rows:
        for aim in AIMS.get(row.what, ()):
            if not aim.holds(row):
                value = f"{figure(row.ratio)} × floor" if aim.of_floor else f"{figure(row.ours)} {row.unit}".rstrip()
                yield f"{row.what}: {value}, aim {aim.words(row.unit)}"


def unmeasured(rows: Iterable[Row]) -> list[str]:
    """Aims that no row is there for."""
    return sorted(AIMS.keys() - {row.what for row in rows})
