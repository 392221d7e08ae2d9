#!/usr/bin/env bash
# Guess: a task "every 5 seconds" is a matter of seconds that pass, so a clock that a time server sets back by an hour costs
# at most one tick; and a tick that expires after 5 s is thrown away only when it has waited that long.
# Seen (celery 5.7.0, Python 3.11): beat sends nothing for as long as the clock was set back (its entries are due by the
# wall clock), and a worker whose clock is 6 s ahead of beat's calls every such tick expired on arrival.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0 time-machine==3.6.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import UTC, datetime, timedelta

import time_machine
from celery import Celery
from celery.beat import Scheduler

app = Celery("ticks", broker="memory://")
app.conf.update(timezone="UTC", beat_schedule={"tick": {"task": "tick", "schedule": 5, "options": {"expires": 5}}})
app.task(name="tick")(lambda: None)
sent = []


class Noting(Scheduler):
    def apply_async(self, entry, **_more):
        sent.append(entry.name)


def ticks(scheduler: Scheduler, clock, seconds: int) -> int:
    """How many ticks go out while so many seconds pass, in steps of half a second."""
    before = len(sent)
    for _ in range(2 * seconds):
        clock.shift(timedelta(seconds=0.5))
        while scheduler.tick() == 0:
            pass
    return len(sent) - before


with time_machine.travel(datetime(2026, 11, 28, 12, tzinfo=UTC), tick=False) as clock:
    scheduler = Noting(app=app)
    ticks(scheduler, clock, 10)
    steady = ticks(scheduler, clock, 60)
    clock.shift(timedelta(hours=-1))
    after = ticks(scheduler, clock, 3500)
    returned = ticks(scheduler, clock, 160)

with time_machine.travel(datetime(2026, 11, 28, 12, tzinfo=UTC), tick=False) as clock:
    message = app.amqp.as_task_v2("id", "tick", expires=5)
    told = datetime.fromisoformat(message.headers["expires"])
    clock.shift(timedelta(seconds=6))
    expired = datetime.now(told.tzinfo) > told

print(f"ticks a minute: {steady}; in 3500 s after the step: {after}; in the 160 s after that: {returned}; expired: {expired}")
if steady != 12 or after != 0 or returned < 10 or not expired:
    sys.exit("Changed: beat takes a clock that is set back in another way now.")
PYTHON
