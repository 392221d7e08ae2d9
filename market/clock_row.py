"""The row of market_deskclock: what the processes have decided of the desk's time, read and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

_LOOK = """
    SELECT extract(epoch FROM clock_timestamp())::float8, ahead, decisions, stepped,
        clock_timestamp() - kept_at BETWEEN '-60 seconds' AND '60 seconds'
    FROM market_deskclock WHERE id = 1
"""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at PostgreSQL's clock: what it said (POSIX seconds) when the timer showed `at`, and what is decided.

    `stepped`: by how many seconds the desk's time has stepped in all. `in_use`: processes go by what is decided.
    """

    at: float
    postgres: float
    ahead: float
    decisions: int
    stepped: float
    in_use: bool


def read() -> tuple[Any, ...] | None:
    """PostgreSQL's clock and the row, as Look has them after `at`; None when the row had to be made first."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK)
        row: tuple[Any, ...] | None = cursor.fetchone()
        if row is None:
            cursor.execute("INSERT INTO market_deskclock (id) VALUES (1) ON CONFLICT DO NOTHING")
    return row


def stepped() -> float:
    """By how many seconds the desk's time has stepped in all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT stepped FROM market_deskclock WHERE id = 1")
        row = cursor.fetchone()
    return float(row[0]) if row else 0.0


def keep() -> None:
    """What is decided is in use."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE market_deskclock SET kept_at = clock_timestamp() WHERE id = 1")


def write(look: Look, ahead: float, jump: float) -> bool:
    """Whether this decision is the next one; another process may have been quicker."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE market_deskclock SET ahead = %(ahead)s, decisions = decisions + 1, kept_at = clock_timestamp(),
                   stepped = stepped + %(jump)s,
                   stepped_by = CASE WHEN %(jump)s <> 0 THEN %(jump)s ELSE stepped_by END,
                   stepped_at = CASE WHEN %(jump)s <> 0 THEN to_timestamp(%(desk)s) ELSE stepped_at END
               WHERE id = 1 AND decisions = %(seen)s""",
            {"ahead": ahead, "jump": jump, "desk": look.postgres + ahead, "seen": look.decisions},
        )
        return bool(cursor.rowcount)
