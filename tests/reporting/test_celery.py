"""What worker and beat load."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from django.conf import settings

_LOADED = """
import json, sys
sys.argv = ["celery", "-A", "reporting", sys.argv[1]]
from reporting.celery import app
app.loader.init_worker()
app.finalize()
tasks = sorted(name for name in app.tasks if not name.startswith("celery."))
unwanted = ("requests", "accounts", "dashboard", "prices", "trades", "django.contrib.admin")
print(json.dumps([tasks, [name for name in unwanted if name in sys.modules]]))
"""


def loaded(process: str) -> tuple[list[str], list[str]]:
    """The tasks that a process of Celery knows, and what it has loaded of what they work with."""
    argv = [sys.executable, "-c", _LOADED, process]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "reporting.settings"}
    said = subprocess.run(argv, check=True, capture_output=True, text=True, env=environment).stdout
    tasks, modules = json.loads(said)
    return tasks, modules


def test_a_worker_knows_every_task_that_beat_sends() -> None:
    sent = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert sent <= set(loaded("worker")[0])


def test_beat_loads_nothing_of_what_tasks_work_with() -> None:
    assert loaded("beat") == ([], [])
