"""Celery's entry point: `celery -A reporting worker` and `celery -A reporting beat`."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from celery import Celery, bootsteps, signals
from celery.schedules import schedule

from market.sign_of_life import give_sign
from reporting.adapted.kept_connections import look_after_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reporting.settings")
# Worker and beat would begin with Django's checks, which bring in every page. `migrate` makes them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("reporting")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()  # of the apps that the process has: beat's one has none


def _desk_time() -> datetime:
    from market import clock  # has models: Django must be set up

    return clock.now()


@app.on_after_configure.connect
def beat_by_the_desks_time(sender: Celery, **_kwargs: Any) -> None:
    """Beat goes by a clock that nobody can move: with the machine's it would stand still for as long as that is set
    back."""
    sender.conf.beat_schedule = {
        name: {**entry, "schedule": schedule(entry["schedule"], nowfun=_desk_time)}
        for name, entry in sender.conf.beat_schedule.items()
    }


@signals.before_task_publish.connect
def say_that_the_clock_moved(**_kwargs: Any) -> None:
    """Beat has nothing to do with PostgreSQL otherwise."""
    from market import clock

    clock.report_if_possible()


@signals.setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """Django's LOGGING stays: without a receiver here Celery would take over the root logger."""


signals.task_prerun.connect(look_after_connections)


@signals.celeryd_after_setup.connect
def begin_rounds(**_kwargs: Any) -> None:
    """Before the broker is asked for: rounds need none."""
    from dashboard.rounds import rounds

    rounds.start()


@signals.worker_shutdown.connect
def end_rounds(**_kwargs: Any) -> None:
    from dashboard.rounds import rounds

    rounds.stop()


SIGN_EVERY = 5.0
"""Seconds between two of the worker's signs of life."""


class SignsOfLife(bootsteps.StartStopStep):
    """The worker's come from the timers of the loop that does its work.

    Celery's own heartbeats come from there, too, but each is a message to Redis every two seconds, to watchers that the
    desk does not have: `--without-heartbeat` leaves them out.
    """

    requires = ("celery.worker.components:Timer",)
    _repeated: Any = None

    def start(self, parent: Any) -> None:
        give_sign_of_life()
        self._repeated = parent.timer.call_repeatedly(SIGN_EVERY, give_sign_of_life)

    def stop(self, parent: Any) -> None:
        if self._repeated is not None:
            parent.timer.cancel(self._repeated)


app.steps["worker"].add(SignsOfLife)


@signals.before_task_publish.connect
def give_sign_of_life(**_kwargs: Any) -> None:
    """Beat publishes a tick, or tries to, every few seconds."""
    give_sign(os.environ.get("ALIVE_FILE", ""))


@signals.task_success.connect
def note_success(sender: Any, **_kwargs: Any) -> None:
    """For /metrics: a job that stands still is seen by the age of its last success."""
    from reporting import job_status

    job_status.note(sender.name)
