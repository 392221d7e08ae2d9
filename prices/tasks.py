"""Celery's entry point: beat sends a tick every few seconds (settings.CELERY_BEAT_SCHEDULE)."""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery import shared_task, signals
from django.db import InterfaceError, InternalError, OperationalError, connection

from market import clock
from prices.polling import loop, run

log = structlog.get_logger(__name__)


NEXT_TICK_SECONDS = 1.0
"""Ticks that waited for a worker come all at once: the first of them does what there is to do."""
_begun = {"at": float("-inf")}
"""When the last chase of this process began (monotonic seconds)."""


@shared_task(name="prices.tasks.chase_reference_prices", ignore_result=True)
def chase_reference_prices() -> None:
    """Bring the reference prices up to date; without PostgreSQL nothing is asked, and the next tick tries again."""
    if time.monotonic() - _begun["at"] < NEXT_TICK_SECONDS:
        return
    _begun["at"] = time.monotonic()
    try:
        run.chase_prices(now=clock.now())
    except (OperationalError, InterfaceError, InternalError) as error:  # the last: it had frozen within a transaction
        connection.close()
        log.warning("chase_without_database", error=str(error).strip().splitlines()[:1])


@signals.worker_shutting_down.connect
def stop_chasing(**_kwargs: Any) -> None:
    """A chase that is on ends as soon as its requests are answered."""
    loop.stopping.set()
