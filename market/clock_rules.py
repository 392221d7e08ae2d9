"""Whose clock is right? Pure: takes what the clocks say at one moment, gives what a process is to do about it.

A running process carries its time on with a timer that nobody can set, so a clock that is moved under it shows as a
difference. Three others are asked what it means: the process's own clock, PostgreSQL's, and the provider's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

AGREE_SECONDS = 1.0
"""Clocks that differ by less are the same: an answer of PostgreSQL's is on its way for milliseconds."""

OUTSIDE_AGREES_SECONDS = 15.0
"""The provider gives its time in whole seconds, at the beginning or the end of an answer that may take 5 s."""

DECIDE_AFTER_SECONDS = 12.0
"""So long a process waits for somebody who knows more: the worker, which hears the provider, looks every 5 s."""


class Move(Enum):
    """What to do after a look at the clocks."""

    TAKE = "the desk's time is PostgreSQL's, as far ahead of it as is written down"
    WAIT = "go on as before, and look again"
    HOLD = "go on as before, and write down how far that is ahead of PostgreSQL's clock now"
    STEP = "the desk's time steps to PostgreSQL's, and what is measured by it with it"


@dataclass(frozen=True, slots=True)
class Readings:
    """What the clocks say at one moment, in POSIX seconds.

    `shared`: PostgreSQL's clock and what the desk is ahead of it. `outside`: the provider's, if it was heard. `firm`:
    the desk's time is sure in this process. `doubtful`: seconds since the clocks first differed.
    """

    desk: float
    own: float
    shared: float
    outside: float | None = None
    firm: bool = True
    doubtful: float = 0.0


def move_for(readings: Readings) -> Move:
    """What a process does that reads this.

    One clock that differs alone has been moved, and nobody follows it. When this machine's and PostgreSQL's have moved
    together, either was right before and now: the provider knows; without it two of three are believed.
    """
    desk, shared = readings.desk, readings.shared
    if not readings.firm or _same(shared, desk):
        return Move.TAKE
    if _same(readings.own, desk):
        return Move.HOLD
    if readings.outside is not None:
        if _same(readings.outside, desk, OUTSIDE_AGREES_SECONDS):
            return Move.HOLD
        if _same(readings.outside, shared, OUTSIDE_AGREES_SECONDS):
            return Move.STEP
    if readings.doubtful < DECIDE_AFTER_SECONDS:
        return Move.WAIT
    return Move.STEP if _same(readings.own, shared) else Move.HOLD


def _same(one: float, other: float, within: float = AGREE_SECONDS) -> bool:
    return abs(one - other) <= within
