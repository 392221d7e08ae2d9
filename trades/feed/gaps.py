"""When was no listener connected? Pure: takes what is known of the connections, gives the holes between them.

A connection proves that the feed was heard from its start until it was last said to be alive (or was closed). What no
connection proves is a gap: the exchange replays nothing, so what it pushed then never reached the desk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ConnectionSpan:
    """One connection: heard from `start`, proven until `until`; `over` when it can't be alive any more. UTC."""

    start: datetime
    until: datetime
    over: bool


@dataclass(frozen=True, slots=True)
class UncoveredTime:
    """Nobody was connected from `start` to `end`."""

    start: datetime
    end: datetime


def uncovered_times(
    connections: Iterable[ConnectionSpan], *, now: datetime, certain_after: timedelta
) -> list[UncoveredTime]:
    """The holes that are certain at `now`, in order.

    A connection that is not over counts as heard until `now` if it was proven less than `certain_after` ago: its next
    word may still come. The time after the last connection is no hole yet: it ends when somebody connects.
    """
    gaps: list[UncoveredTime] = []
    covered: datetime | None = None
    for connection in sorted(connections, key=lambda c: c.start):
        if covered is not None and connection.start > covered:
            gaps.append(UncoveredTime(covered, connection.start))
        until = connection.until
        if not connection.over and now - connection.until < certain_after:
            until = max(until, now)
        covered = until if covered is None else max(covered, until)
    return gaps
