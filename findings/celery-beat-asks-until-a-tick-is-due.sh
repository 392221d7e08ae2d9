#!/usr/bin/env bash
# Guess: beat sleeps until the next task is due, then sends it: about two looks at its schedule a task.
# Seen (celery 5.7.0, Python 3.11): it wakes ten milliseconds before, and looks again without a pause until the time has
# come: more than a hundred looks a task, ten milliseconds of a core each. A scheduler whose `adjust` gives the seconds
# back as they are looks twice.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0
cat > "$folder/looks.py" <<'PYTHON'
import time

from celery import Celery
from celery.beat import Scheduler
from celery.schedules import schedule

TASKS = 20


def looks_a_task(kind):
    sent = []

    class Counted(kind):
        def apply_entry(self, entry, producer=None):
            sent.append(entry)

    beat = Counted(app=Celery("made-up", broker="memory://"), schedule={}, lazy=True)
    beat.merge_inplace({"made-up": {"task": "made-up", "schedule": schedule(0.1)}})
    looked = 0
    while len(sent) < TASKS:  # what celery.beat.Service does
        looked += 1
        interval = beat.tick()
        if interval and interval > 0:
            time.sleep(interval)
    return looked / TASKS


class Steady(Scheduler):
    def adjust(self, n, drift=0.0):
        return n


for kind in (Scheduler, Steady):
    looks = looks_a_task(kind)
    print(kind.__name__, "more than 20 looks a task" if looks > 20 else "at most 3" if looks <= 3 else f"{looks:.0f}")
PYTHON
said=$("$folder/venv/bin/python" "$folder/looks.py" | paste -sd ';')
echo "$said"
if [ "$said" != "Scheduler more than 20 looks a task;Steady at most 3" ]; then
    echo "Changed: beat looks at its schedule at other moments now." >&2
    exit 1
fi
