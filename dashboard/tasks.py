"""Celery's entry points: a round where no thread of the worker has done one lately; events that nobody reads get their
numbers, and the old ones are forgotten; the nightly table of like cases; closed days' sums for histories.
"""

from __future__ import annotations

from celery import shared_task

from dashboard.alerts import board_facts
from dashboard.events.store import forget_old
from dashboard.figures.firmness.store import build_day, days_to_build
from dashboard.figures.kept.keeping import keep_some
from dashboard.rounds import rounds, until_the_next
from market import clock
from market.queries import active_markets


@shared_task(name="dashboard.tasks.do_round", ignore_result=True)
def do_round() -> None:
    """One round, if this worker's own thread has done none lately."""
    rounds.do_if_overdue()


@shared_task(name="dashboard.tasks.keep_events", ignore_result=True)
def keep_events() -> None:
    """Number what happened, and forget what is older than seven days: whoever begins to read has little to wait for."""
    until_the_next(lambda: forget_old(now=clock.now()))
    until_the_next(lambda: board_facts.forget_old(clock.now()))


@shared_task(name="dashboard.tasks.build_like_cases", ignore_result=True)
def build_like_cases() -> None:
    """Build the days that are settled and not built yet: once a night there is one; the other ticks find nothing."""
    until_the_next(_build_settled_days)


def _build_settled_days() -> None:
    for market in active_markets():
        for day in days_to_build(market, clock.now()):
            build_day(market, day)


@shared_task(name="dashboard.tasks.keep_history", ignore_result=True)
def keep_history() -> None:
    """Keep the sums of closed days that are not kept, or hold no more: a few seconds of it, the rest the next time."""
    until_the_next(lambda: keep_some(clock.now()))
