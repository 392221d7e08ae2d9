"""Who viewed what: one row for each user, thing and hour, written beside the requests and never in their way.

A storm of refreshes costs a look into a set. What is noted is written within a moment by a thread of its own; while
PostgreSQL is away it waits in memory (docs/decisions/0010-audit-log.md).
"""

from __future__ import annotations

import atexit
import queue
import threading
import time
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import Error as DatabaseProblem
from django.db import connection, reset_queries

from accounts.audit.log import record
from accounts.audit.models import Action

log = structlog.get_logger("accounts.audit.view_log")

MOST_WAITING = 20_000
_SECONDS_AT_THE_END = 2.0


@dataclass(frozen=True, slots=True)
class View:
    """Somebody looked at something, first at `at` (UTC) in that hour."""

    actor: str
    subject: str
    address: str
    at: datetime


class ViewLog:
    """The views of this process."""

    def __init__(self) -> None:
        self._hour = ""
        self._noted: set[tuple[str, str]] = set()
        self._waiting: queue.Queue[View] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, *, actor: str, subject: str, at: datetime, address: str = "") -> None:
        """Note a view; quick, and never an error. Only the first of an hour is written down."""
        if not self._is_first(actor, subject, f"{at:%Y%m%d%H}"):
            return
        try:
            self._waiting.put_nowait(View(actor, subject, address, at))
        except queue.Full:
            log.error("views_not_recorded", actor=actor, subject=subject)
            return
        self._start()

    def _is_first(self, actor: str, subject: str, hour: str) -> bool:
        with self._lock:
            if hour != self._hour:
                self._hour, self._noted = hour, set()
            if (actor, subject) in self._noted:
                return False
            self._noted.add((actor, subject))
            return True

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._write_for_ever, name="views", daemon=True)
                self._thread.start()
                atexit.register(self.flush)

    def _write_for_ever(self) -> None:
        while True:
            self._write(self._waiting.get())

    def _write(self, view: View) -> None:
        pause, tries = threading.Event(), 0
        while True:
            try:
                write(view)
            except DatabaseProblem as error:
                if tries % 30 == 0:
                    log.warning("views_wait_for_the_database", error=str(error).splitlines()[0] if str(error) else "")
                tries += 1
                pause.wait(2)
            else:
                self._waiting.task_done()
                return

    def flush(self, seconds: float = _SECONDS_AT_THE_END) -> bool:
        """Wait until all that was noted is written; False when that takes too long."""
        deadline = time.monotonic() + seconds
        while self._waiting.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self._waiting.unfinished_tasks


def write(view: View) -> None:
    """One row. Raises django.db errors."""
    try:
        record(action=Action.VIEWED, actor=view.actor, subject=view.subject, address=view.address, at=view.at)
    finally:
        reset_queries()
        connection.close()  # back to the pool: this thread is no request that would do so


view_log = ViewLog()
