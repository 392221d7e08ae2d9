"""A worker's rounds: every second, in a thread of its own, it looks for what is to be judged and what is to be told.

Not by ticks: one would be a message of beat, the broker and the worker each second, and stand still with any of them.
So a round needs PostgreSQL alone. Several workers' rounds do nothing twice: whose turn it is, and what is done already,
PostgreSQL knows. A tick from time to time does one where no thread has lately (dashboard/tasks.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError, connection

from dashboard.alerts.delivering import Lanes
from dashboard.alerts.watching import watch
from dashboard.assumptions.judging import Sweeper
from market import clock

log = structlog.get_logger("dashboard.rounds")

EVERY = 1.0
"""Seconds from one round to the next."""
DELIVER_EVERY = 5.0
"""Seconds between two looks for what is to be delivered once more; what is new is delivered at once."""
OVERDUE = 3.0
"""Seconds without a round, after which somebody else does one."""


def until_the_next(work: Callable[[], object]) -> None:
    """Without a database, or before an update has brought the tables, the next time finds the same."""
    try:
        work()
    except (OperationalError, InterfaceError, InternalError):  # the last: it had frozen within a transaction
        connection.close()
    except ProgrammingError:
        with suppress(OperationalError, InterfaceError):
            connection.rollback()


class Rounds:
    """Those of this process."""

    def __init__(self) -> None:
        self._sweeper, self.lanes = Sweeper(), Lanes()
        self._begun = float("-inf")
        self._deliver_at = 0.0
        self._alone = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Rounds from now on, until `stop`."""
        self._thread = threading.Thread(target=self._run, name="rounds", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """No more rounds; waits so long for what is under way."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(seconds)
        self.lanes.close()

    def do_if_overdue(self) -> None:
        """One round, where none was begun lately."""
        if time.monotonic() - self._begun >= OVERDUE:
            self.do_one()

    def do_one(self) -> None:
        """One round. Nothing while another thread is at it."""
        if not self._alone.acquire(blocking=False):
            return
        try:
            self._begun = time.monotonic()
            until_the_next(lambda: self._sweeper.look(self._begun))
            until_the_next(self._watch)
        finally:
            self._alone.release()

    def _watch(self) -> None:
        new = watch(clock.now())
        if new or self._begun >= self._deliver_at:
            self.lanes.begin()
            self._deliver_at = self._begun + DELIVER_EVERY

    def _run(self) -> None:
        next_at = time.monotonic()
        while not self._ended.wait(max(0.0, next_at - time.monotonic())):
            try:
                self.do_one()
            except Exception:  # a bug in one round must not end all that follow
                log.error("round_failed", exc_info=True)
                connection.close()
            next_at = max(next_at + EVERY, time.monotonic())
        connection.close()


rounds = Rounds()
