"""Whether a container's process is alive: `python -I reporting/alive.py web|listener|worker|beat`; exit code 0 or 1.

A web process answers /healthz. The others write into a file (ALIVE_FILE), from the loop that does their work, what the
machine's timer says (market/sign_of_life.py): a loop that hangs lets it grow old, a clock that is moved does not. Only
this process is judged, never what it depends on: a database that is away is no reason to end a listener. Standard
library only, and run as a file: it runs every few seconds.
"""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

OLDEST_SECONDS = {"listener": 30.0, "worker": 120.0, "beat": 60.0}
"""A worker that can't reach Redis doesn't beat; a longer outage than this restarts it, which costs nothing then."""


def problem(process: str, *, port: str, file: str, now: float) -> str:
    """What is wrong with the process in one sentence; empty when it is alive. `now`: `time.monotonic()`."""
    if process == "web":
        return _problem_of_web(port)
    if process not in OLDEST_SECONDS:
        return f"“{process}” is none of web, {', '.join(OLDEST_SECONDS)}"
    if not file:
        return "ALIVE_FILE names no file"
    try:
        age = now - float(Path(file).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return f"{file} is not there: the {process} has not begun its work"
    if age < 0:
        return f"the {process} last gave a sign before this machine was started"
    return "" if age <= OLDEST_SECONDS[process] else f"the {process} last gave a sign {age:.0f} s ago"


def _problem_of_web(port: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=4) as answer:
            answer.read()
    except OSError as error:
        return f"/healthz: {error}"
    return ""


if __name__ == "__main__":
    _found = problem(
        " ".join(sys.argv[1:]),
        port=os.environ.get("PORT") or "8000",
        file=os.environ.get("ALIVE_FILE", ""),
        now=time.monotonic(),
    )
    sys.exit(_found or 0)
