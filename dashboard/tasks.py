"""Celery's entry points: assumptions that were not judged where their price was stored, because that was killed;
events that nobody reads get their numbers, and the old ones are forgotten; and the nightly table of like cases.
"""

from __future__ import annotations

import time
from contextlib import suppress

from celery import shared_task
from django.db import InterfaceError, OperationalError, ProgrammingError, connection

from dashboard.assumptions.judging import sweep
from dashboard.events.store import forget_old
from dashboard.figures.firmness.store import build_day, days_to_build
from market import clock
from market.queries import active_markets

_NEXT_SECONDS = 0.5
_last = [float("-inf")]


@shared_task(name="dashboard.tasks.judge_assumptions", ignore_result=True)
def judge_assumptions() -> None:
    """One sweep; of ticks that waited for a worker and come all at once the first does it.

    Without a database, or before an update has brought the tables, the next tick finds the same.
    """
    if time.monotonic() - _last[0] < _NEXT_SECONDS:
        return
    _last[0] = time.monotonic()
    try:
        sweep()
    except (OperationalError, InterfaceError):
        connection.close()
    except ProgrammingError:
        with suppress(OperationalError, InterfaceError):
            connection.rollback()


@shared_task(name="dashboard.tasks.keep_events", ignore_result=True)
def keep_events() -> None:
    """Number what happened, and forget what is older than seven days: whoever begins to read has little to wait for."""
    try:
        forget_old(now=clock.now())
    except (OperationalError, InterfaceError):
        connection.close()
    except ProgrammingError:
        with suppress(OperationalError, InterfaceError):
            connection.rollback()


@shared_task(name="dashboard.tasks.build_like_cases", ignore_result=True)
def build_like_cases() -> None:
    """Build the days that are settled and not built yet: once a night there is one; the other ticks find nothing.

    Without a database, or before an update has brought the table, a later tick finds the same.
    """
    try:
        for market in active_markets():
            for day in days_to_build(market, clock.now()):
                build_day(market, day)
    except (OperationalError, InterfaceError):
        connection.close()
    except ProgrammingError:
        with suppress(OperationalError, InterfaceError):
            connection.rollback()
