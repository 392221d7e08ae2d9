"""How the desk's clocks stand: what the processes have written down of those that are moved. No writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import ProgrammingError, connection

from market.clock import MOVED_SECONDS
from market.models import ClockReport

REPORTS_HOLD = timedelta(seconds=60)
"""A process that has said nothing about its clock for so long is gone, or right again."""

STEP_IS_NEWS_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MovedClock:
    """A clock that is not the desk's time: whose, and how many seconds it is ahead."""

    whose: str
    ahead: float


@dataclass(frozen=True, slots=True)
class ClockState:
    """How the desk's clocks stand: those that are moved, and by how much the desk's time stepped within an hour."""

    moved: tuple[MovedClock, ...]
    stepped_by: float | None = None


def state_of_clocks(*, now: datetime) -> ClockState:
    """What the processes have written down, as of `now` (UTC). Two small queries.

    Nothing, where an update has not brought the tables yet.
    """
    try:
        return _state(now)
    except ProgrammingError:
        return ClockState(())


def _state(now: datetime) -> ClockState:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ahead, stepped_by, stepped_at FROM market_deskclock WHERE id = 1")
        row = cursor.fetchone() or (0.0, None, None)
    ahead, stepped_by, stepped_at = row
    moved = [MovedClock("PostgreSQL", -ahead)] if abs(ahead) > MOVED_SECONDS else []
    reports = ClockReport.objects.filter(seen_at__gt=now - REPORTS_HOLD).order_by("process")
    moved += [MovedClock(report.process, report.ahead) for report in reports]
    is_news = stepped_at is not None and abs(now - stepped_at) < STEP_IS_NEWS_FOR
    return ClockState(tuple(moved), stepped_by if is_news else None)
