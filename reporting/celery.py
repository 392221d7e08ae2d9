"""Celery's entry point: `celery -A reporting worker` and `celery -A reporting beat`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals

from reporting import alive, job_status

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reporting.settings")

app = Celery("reporting")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """Django's LOGGING stays: without a receiver here Celery would take over the root logger."""


@signals.heartbeat_sent.connect
@signals.before_task_publish.connect
def give_sign_of_life(**_kwargs: Any) -> None:
    """The worker's loop beats every few seconds; beat publishes a tick, or tries to, as often."""
    alive.touch(os.environ.get("ALIVE_FILE", ""))


@signals.task_success.connect
def note_success(sender: Any, **_kwargs: Any) -> None:
    """For /metrics: a job that stands still is seen by the age of its last success."""
    job_status.note(sender.name)
