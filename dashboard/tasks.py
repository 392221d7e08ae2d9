"""Celery's entry points: assumptions that were not judged where their price was stored, because that was killed;
events that nobody reads get their numbers, and the old ones are forgotten; the nightly table of like cases;
alerts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from celery import shared_task
from django.db import InterfaceError, OperationalError, ProgrammingError, connection

from dashboard.alerts import board_facts
from dashboard.alerts.delivering import deliver
from dashboard.alerts.watching import watch
from dashboard.assumptions.judging import sweep
from dashboard.events.store import forget_old
from dashboard.figures.firmness.store import build_day, days_to_build
from market import clock
from market.queries import active_markets

_NEXT_SECONDS = 0.5
_begun: dict[Callable[..., object], float] = {}
"""When this worker last began what it does every second (monotonic seconds)."""


def _is_next(work: Callable[..., object]) -> bool:
    """Whether it is time for it: of ticks that waited for a worker and come all at once the first does it."""
    now = time.monotonic()
    if now - _begun.get(work, float("-inf")) < _NEXT_SECONDS:
        return False
    _begun[work] = now
    return True


def _until_the_next(work: Callable[[], object]) -> None:
    """Without a database, or before an update has brought the tables, the next tick finds the same."""
    try:
        work()
    except (OperationalError, InterfaceError):
        connection.close()
    except ProgrammingError:
        with suppress(OperationalError, InterfaceError):
            connection.rollback()


@shared_task(name="dashboard.tasks.judge_assumptions", ignore_result=True)
def judge_assumptions() -> None:
    """One sweep."""
    if _is_next(sweep):
        _until_the_next(sweep)


@shared_task(name="dashboard.tasks.keep_events", ignore_result=True)
def keep_events() -> None:
    """Number what happened, and forget what is older than seven days: whoever begins to read has little to wait for."""
    _until_the_next(lambda: forget_old(now=clock.now()))
    _until_the_next(lambda: board_facts.forget_old(clock.now()))


@shared_task(name="dashboard.tasks.watch_alerts", ignore_result=True)
def watch_alerts() -> None:
    """One look at what is the case, then the mails and webhooks that are due, unless another thread of this worker is
    at them."""
    if _is_next(watch):
        _until_the_next(lambda: watch(clock.now()))
        _until_the_next(deliver)


@shared_task(name="dashboard.tasks.build_like_cases", ignore_result=True)
def build_like_cases() -> None:
    """Build the days that are settled and not built yet: once a night there is one; the other ticks find nothing."""
    _until_the_next(_build_settled_days)


def _build_settled_days() -> None:
    for market in active_markets():
        for day in days_to_build(market, clock.now()):
            build_day(market, day)
