"""Read by a child process that has this folder on PYTHONPATH: its clock goes as far ahead as the file DRILL_CLOCK says.

What is moved is everything that reads the clock in that process, libraries included; timers go on as they do when an
administrator or a time server sets a machine's clock.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

_LOOK_EVERY_SECONDS = 0.1


def _ahead(file: Path) -> float:
    try:
        return float(file.read_text() or 0)
    except (OSError, ValueError):
        return 0.0


def _taken_over() -> time_machine.Coordinates:
    """This process's clock, which goes on as it did: what passes until it is taken over, seconds where a machine is
    busy while much is imported, is made good by a timer."""
    before, timer = time.time(), time.monotonic()
    clock = time_machine.travel(datetime.fromtimestamp(before, UTC), tick=True).start()
    clock.shift(timedelta(seconds=before + (time.monotonic() - timer) - time.time()))
    return clock


def _follow(file: Path, clock: time_machine.Coordinates) -> None:
    moved = 0.0
    while True:
        ahead = _ahead(file)
        clock.shift(timedelta(seconds=ahead - moved))
        moved = ahead
        time.sleep(_LOOK_EVERY_SECONDS)


threading.Thread(target=_follow, args=(Path(os.environ["DRILL_CLOCK"]), _taken_over()), daemon=True).start()
