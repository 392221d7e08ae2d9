"""How far a file covers gaps of the feed, and why not further. Pure: takes intervals and names, gives sentences.

A file proves what was traded only if it was read whole, between its first and its last execution, for the traders and
the product lengths that it holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from market.rules import BLOCK, product_of_length

Interval = tuple[datetime, datetime]
"""From and until, UTC."""


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A gap that waits for somebody, and what earlier files have covered of it."""

    pk: int
    started_at: datetime
    ended_at: datetime
    covered: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Cover:
    """What a file says of a gap: `covered` by this file, `missing` after it. `why_not` is a sentence, or ""."""

    gap: OpenGap
    covered: Interval | None
    missing: tuple[Interval, ...]
    why_not: str = ""

    @property
    def closes(self) -> bool:
        return not self.missing

    def __str__(self) -> str:
        name = f"gap {_between(self.gap.started_at, self.gap.ended_at)}"
        if self.closes:
            return f"{name}: covered"
        if self.why_not:
            return f"{name}: stays open: {self.why_not}"
        return f"{name}: stays open for {missing_words(self.missing)}, which no imported file covers"


def missing_words(missing: Iterable[Interval]) -> str:
    """The intervals in words: what is still to be compared with the exchange."""
    return ", ".join(_between(*interval) for interval in missing)


def covers(gaps: Iterable[OpenGap], file: Interval | None, objections: Sequence[str]) -> list[Cover]:
    """What the file, whose trades were executed within `file`, says of each gap. `objections` hold for all of them."""
    return [_cover(gap, file, objections) for gap in gaps]


def objections_to(*, unread: int, traders: Collection[str], lengths: Collection[timedelta]) -> list[str]:
    """Why a file closes no gap: lines that were not booked, and desk's traders and product lengths that it lacks."""
    found = []
    if unread:
        found.append(f"{unread} lines of the file could not be booked")
    if traders:
        found.append(f"the file has no trades of {_names(sorted(traders))}, who traded then or lately")
    if lengths:
        products = sorted({product_of_length(length) for length in lengths})
        minutes = _names([str(product) for product in products if product != BLOCK])
        kinds = [f"periods of {minutes} minutes"] if minutes else []
        kinds += ["blocks"] if BLOCK in products else []
        found.append(f"the file holds no {' and no '.join(kinds)}, which the desk trades")
    return found


def _cover(gap: OpenGap, file: Interval | None, objections: Sequence[str]) -> Cover:
    everything = ((gap.started_at, gap.ended_at),)
    rest = without(everything, gap.covered)
    if objections:
        return Cover(gap, None, rest or everything, "; ".join(objections))
    if file is None or file[1] < gap.started_at or file[0] > gap.ended_at:
        return Cover(gap, None, rest or everything, "the file's trades were executed at another time")
    covered = (max(file[0], gap.started_at), min(file[1], gap.ended_at))
    return Cover(gap, covered, without(rest, [covered]))


def without(intervals: Iterable[Interval], taken: Iterable[Interval]) -> tuple[Interval, ...]:
    """What is left of the intervals when others are taken out of them."""
    left = list(intervals)
    for start, end in taken:
        left = [part for a, b in left for part in ((a, min(b, start)), (max(a, end), b)) if part[0] < part[1]]
    return tuple(left)


def _between(start: datetime, end: datetime) -> str:
    until = f"{end:%H:%M:%S}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    return f"{start:%Y-%m-%d %H:%M:%S} to {until} UTC"


def _names(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
