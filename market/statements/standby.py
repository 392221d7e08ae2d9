"""Reads that a hot standby answers: only once it holds all that the primary had when it was asked, else not at all."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import psycopg
import structlog
from django.db import Error, connections

from market.statements.time_limits import ended_after

log = structlog.get_logger("market.statements.standby")

ALIAS = "standby"
WAIT_SECONDS = 0.25
"""For so long a read waits for the standby to catch up."""
LOOK_SECONDS = 0.01
LONGEST_SECONDS = 10.0
"""After so long a read is given up: PostgreSQL ends a statement after 5 s, but not one that is frozen itself."""
LONGEST_LOOK = 2.0
"""For so long a look at how it is waits for its answer."""
REST_SECONDS = 5.0
"""So long a standby that was late, or away, is not asked again."""
LATELY_SECONDS = 60.0
"""So long people are told that it was given up."""

# What others can see is on the primary's disk, unless a commit there waits for none; and whose history it is. The
# insert position may be one that no standby ever reaches (findings/): then the primary answers.
_PRIMARY = """SELECT (CASE current_setting('synchronous_commit')
        WHEN 'off' THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END)::text,
    system_identifier FROM pg_control_system()"""
_STANDBY = """SELECT pg_is_in_recovery() AND system_identifier = %(system)s,
    pg_last_wal_replay_lsn() >= %(reached)s::pg_lsn,
    pg_wal_lsn_diff(%(reached)s::pg_lsn, pg_last_wal_replay_lsn())::bigint FROM pg_control_system()"""


_BROKEN = (Error, psycopg.Error, OSError)
"""What a connection that has just died raises, by Django and below it."""


class NotNowError(Exception):
    """The standby can't answer now; the primary does."""


class Trouble(StrEnum):
    """Why a standby is not read."""

    AWAY = "away"
    LATE = "late"
    FOREIGN = "foreign"
    """It is no standby, or another primary's."""
    FAILED = "failed"
    """It answers, and yet this process has given it up within the last minute."""
    UNKNOWN = "unknown"
    """The primary does not say how far it is."""


_WORDS = {
    Trouble.LATE: f"it is more than {WAIT_SECONDS} s behind",
    Trouble.FOREIGN: "it is no standby of this primary",
}


@dataclass(frozen=True, slots=True)
class StandbyState:
    """How the standby is: why it is not read, how much WAL (bytes) it has not replayed yet, and its error's words."""

    trouble: Trouble | None
    behind: int | None = None
    error: str = ""


class Standby:
    """The standby that DATABASE_REPLICA_URL names, as this process knows it."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._rests_until = self._given_up_at = float("-inf")
        self._why = ""
        self._lock = threading.Lock()

    @property
    def is_there(self) -> bool:
        """Whether there is one, and it was not late or away a moment ago."""
        return ALIAS in connections.settings and self._monotonic() >= self._rests_until

    def rest(self, why: str) -> None:
        """Leave it alone for a moment."""
        with self._lock:
            is_news = self._monotonic() >= self._rests_until
            self._given_up_at, self._why = self._monotonic(), why
            self._rests_until = self._given_up_at + REST_SECONDS
        if is_news:
            log.warning("standby_not_used", reason=why, seconds=REST_SECONDS)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Within, this thread's statements go to the standby, which holds all that was committed before.

        Raises NotNowError before anything was sent there that matters. It refuses whatever writes. What breaks within
        is raised as it is: whoever asked does so again without.
        """
        primary, standby = connections["default"], connections[ALIAS]
        try:
            trouble = self._look(*_reached()).trouble
        except _BROKEN as error:
            self._give_up(str(error))
        if trouble is not None:
            self._give_up(_WORDS[trouble])
        connections["default"] = standby
        try:
            with _given_up_after(LONGEST_SECONDS, standby.connection.fileno()):
                yield
        finally:
            connections["default"] = primary
            with suppress(Error):
                standby.close()

    def state(self) -> StandbyState | None:
        """How it is now; None where there is none. Leaves it as it was."""
        if ALIAS not in connections.settings:
            return None
        try:
            reached, system = _reached()
        except Error as error:
            return StandbyState(Trouble.UNKNOWN, error=_first_line(error))
        try:
            found = self._look(reached, system)
        except _BROKEN as error:
            return StandbyState(Trouble.AWAY, error=_first_line(error))
        finally:
            with suppress(Error):
                connections[ALIAS].close()
        if found.trouble is None and self._monotonic() - self._given_up_at < LATELY_SECONDS:
            return StandbyState(Trouble.FAILED, found.behind, self._why)
        return found

    def _look(self, reached: str, system: int) -> StandbyState:
        """Whether it has all up to this place, soon; a standby that freezes meanwhile ends the look with an error."""
        standby = connections[ALIAS]
        standby.ensure_connection()
        with _given_up_after(LONGEST_LOOK, standby.connection.fileno()):
            return self._wait_for(reached, system)

    def _wait_for(self, reached: str, system: int) -> StandbyState:
        """As it is once it has replayed up to this place, or when that has taken too long."""
        deadline = self._monotonic() + WAIT_SECONDS
        with connections[ALIAS].cursor() as cursor:
            while True:
                cursor.execute(_STANDBY, {"system": system, "reached": reached})
                is_standby, holds_all, behind = cursor.fetchone()
                if not is_standby:
                    return StandbyState(Trouble.FOREIGN)
                if holds_all:
                    return StandbyState(None, 0)
                if self._monotonic() >= deadline:
                    return StandbyState(Trouble.LATE, behind)
                time.sleep(LOOK_SECONDS)

    def _give_up(self, why: str) -> None:
        with suppress(Error):
            connections[ALIAS].close()
        self.rest(_first_line(why))
        raise NotNowError(why)


def _reached() -> tuple[str, int]:
    """How far the primary is, and whose history it has. Raises django.db.Error, as where it is a standby itself."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_PRIMARY)
        reached, system = cursor.fetchone()
    return str(reached), int(system)


def _first_line(why: object) -> str:
    return (str(why).strip() or "away").splitlines()[0]


@contextmanager
def _given_up_after(seconds: float, descriptor: int) -> Iterator[None]:
    """The connection ends after so long, whatever it waits for. By a descriptor of our own: another can't be meant."""
    with socket.socket(fileno=os.dup(descriptor)) as own, ended_after(seconds, partial(_end, own)):
        yield


def _end(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


standby = Standby()
"""This process's."""
