"""The desk's time: the only clock that the product asks, in every process the same.

Each process carries its time on with a timer that nobody can set (and that goes on while a machine sleeps). It begins
with PostgreSQL's clock and stays with it as long as both go alike. When one of them is moved, the process neither
believes nor follows it; the rules of market/clock_rules.py say what it does. What a process decides is written down in
market_deskclock, and the others go by it: how far the desk's time is ahead of PostgreSQL's clock (usually 0).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, ProgrammingError, transaction

from market import clock_row
from market.clock_row import Look
from market.clock_rules import AGREE_SECONDS, DECIDE_AFTER_SECONDS, Move, Readings, move_for
from market.models import ClockReport
from market.signals import desk_clock_stepped

log = structlog.get_logger("market.clock")

LOOK_EVERY_SECONDS = 2.0
REPORT_EVERY_SECONDS = 10.0
MOVED_SECONDS = 2.0
"""A clock is called moved from here on; machines that ask a time server differ by milliseconds."""

SLOW_ANSWER_SECONDS = 1.0
"""An answer of PostgreSQL's that took longer says too little about its clock."""

OUTSIDE_HOLDS_SECONDS = 7200.0
FIRM_AFTER_SECONDS = DECIDE_AFTER_SECONDS + 3.0


def _timer() -> Callable[[], float]:
    """Seconds since this machine started, its sleep included where the system can tell."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic if boot_time is None else partial(time.clock_gettime, boot_time)


class DeskClock:
    """The desk's time in this process. Reading it costs nothing and never fails; `follow` looks at the other clocks."""

    def __init__(self, timer: Callable[[], float] | None = None, wall: Callable[[], float] | None = None) -> None:
        self._timer = timer or _timer()
        self._wall = wall or time.time
        self._ahead = self._wall() - self._timer()
        self._stepped: float | None = None
        self._firm_at = float("-inf")
        self._outside: tuple[float, float] | None = None
        self._doubt_since: float | None = None
        self._looked_at = self._reported_at = float("-inf")
        self._said = False
        self._looking = threading.Lock()

    def posix(self) -> float:
        """The desk's time in POSIX seconds."""
        return self._timer() + self._ahead

    def own_deviation(self) -> float:
        """How far this process's own clock is ahead of the desk's time, in seconds."""
        return self._wall() - self.posix()

    @property
    def is_firm(self) -> bool:
        """Whether the time is sure: not within seconds of a start with another clock than PostgreSQL's, when one of
        them may just have been moved and the other processes are about to say which."""
        return self._timer() >= self._firm_at

    def hear_outside(self, http_date: str | None) -> None:
        """What a provider's answer says of the time (its `Date`). What can't be read says nothing."""
        with suppress(TypeError, ValueError, OverflowError):
            moment = parsedate_to_datetime(http_date or "")
            if moment.tzinfo is not None:
                at = self._timer()
                self._outside = (moment.timestamp() - at, at)

    def follow(self, *, every: float = LOOK_EVERY_SECONDS) -> None:
        """Look at PostgreSQL's clock and this machine's, unless that was done within `every` seconds.

        Not within a transaction: what is decided must stand at once. Raises django.db.Error without PostgreSQL. Where
        an update has not brought the table yet, there is nothing to look at.
        """
        if self._timer() - self._looked_at < every or not self._looking.acquire(blocking=False):
            return
        try:
            self._looked_at = self._timer()
            look = self._look()
            if look is not None:
                self._judge(look)
            self.report()
        except ProgrammingError:
            return
        finally:
            self._looking.release()

    def has_stepped(self) -> bool:
        """Whether another process has let the desk's time step since the last look. One small query."""
        return self._stepped is not None and clock_row.stepped() != self._stepped

    def _look(self) -> Look | None:
        began = self._timer()
        row = clock_row.read()
        ended = self._timer()
        return Look((began + ended) / 2, *row) if row and ended - began <= SLOW_ANSWER_SECONDS else None

    def _judge(self, look: Look) -> None:
        if self._stepped is None:
            self._begin(look)
            return
        self._ahead += look.stepped - self._stepped  # what another process decided
        self._stepped = look.stepped
        readings = self._readings(look)
        move = move_for(readings)
        jump = readings.shared - readings.desk
        self._doubt_since = (self._doubt_since or look.at) if move is Move.WAIT else None
        if move is Move.TAKE:
            self._ahead = readings.shared - look.at
            self._keep(look)
        elif move is Move.HOLD:
            ahead = readings.desk - look.postgres
            self._decide(look, 0.0 if abs(ahead) <= AGREE_SECONDS else ahead)
        elif move is Move.STEP:
            self._decide(look, look.ahead, jump)

    def _readings(self, look: Look) -> Readings:
        outside = None
        if self._outside and look.at - self._outside[1] < OUTSIDE_HOLDS_SECONDS:
            outside = self._outside[0] + look.at
        return Readings(
            desk=look.at + self._ahead,
            own=self._wall() - (self._timer() - look.at),
            shared=look.postgres + look.ahead,
            outside=outside,
            firm=self.is_firm,
            doubtful=0.0 if self._doubt_since is None else look.at - self._doubt_since,
        )

    def _decide(self, look: Look, ahead: float, jump: float = 0.0) -> None:
        """Write down how far the desk is ahead of PostgreSQL's clock, unless another process just did."""
        with transaction.atomic(durable=True):
            if not clock_row.write(look, ahead, jump):
                return
            if jump:
                desk_clock_stepped.send(sender=None, seconds=jump, now=self._moment(look.at + self._ahead))
        self._ahead = look.postgres + ahead - look.at
        self._stepped = look.stepped + jump
        if jump:
            log.error("desk_clock_stepped", seconds=round(jump, 1))
        else:
            log.error("database_clock_moved", ahead_of_desk_seconds=round(-ahead, 1) + 0.0)  # no -0.0

    def _begin(self, look: Look) -> None:
        """The first look: the time is what the others go by, or PostgreSQL's if they are all gone."""
        ahead = look.ahead if look.in_use else 0.0
        if ahead != look.ahead:
            with transaction.atomic(durable=True):
                if not clock_row.write(look, ahead, 0.0):
                    return
        shared = look.postgres + ahead - look.at
        if abs(shared - self._ahead) > AGREE_SECONDS:
            self._firm_at = look.at + FIRM_AFTER_SECONDS
        self._ahead, self._stepped = shared, look.stepped

    def _keep(self, look: Look) -> None:
        """Say that what was decided is in use, now and then: a process that starts goes by it as long as others do."""
        if look.ahead and self._timer() - self._reported_at >= REPORT_EVERY_SECONDS:
            clock_row.keep()

    def report(self) -> None:
        """Write down that this process's own clock is moved, now and then while it is; and once that it is right."""
        deviation = self.own_deviation()
        moved = abs(deviation) > MOVED_SECONDS
        if self._timer() - self._reported_at < REPORT_EVERY_SECONDS and moved == self._said:
            return
        self._reported_at = self._timer()
        if moved:
            values = {"ahead": deviation, "seen_at": self._moment(self.posix())}
            ClockReport.objects.update_or_create(process=process_name(), defaults=values)
        elif self._said:
            ClockReport.objects.filter(process=process_name()).delete()
        if moved != self._said:
            if moved:
                log.error("clock_moved", ahead_of_desk_seconds=round(deviation, 1))
            else:
                log.warning("clock_right_again")
        self._said = moved

    @staticmethod
    def _moment(posix: float) -> datetime:
        return datetime.fromtimestamp(posix, tz=UTC)


desk = DeskClock()
"""This process's."""


_still: ContextVar[datetime | None] = ContextVar("still", default=None)


def now() -> datetime:
    """The desk's time, UTC."""
    return _still.get() or datetime.fromtimestamp(desk.posix(), tz=UTC)


@contextmanager
def standing_still() -> Iterator[datetime]:
    """Within, `now` is the moment at which the block began: of which it is known what could be read."""
    token = _still.set(now())
    try:
        yield now()
    finally:
        _still.reset(token)


def follow_if_possible() -> None:
    """`follow` for who can go on without PostgreSQL."""
    with suppress(DatabaseError, InterfaceError):
        desk.follow()


def report_if_possible() -> None:
    """`report` for who can go on without PostgreSQL, and has nothing else to do with it: only when there is need."""
    with suppress(DatabaseError, InterfaceError):
        desk.report()


def process_name() -> str:
    """This process among the desk's."""
    return f"{settings.PROCESS_ROLE} {socket.gethostname()} {os.getpid()}"[:120]
