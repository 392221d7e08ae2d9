"""Loads settings again and again, each time in a process that has read nothing of the product yet.

Reads {"environment", "code", "said"} as lines of JSON, runs each code in a fork and answers with its exit code. What a
fork brings along are libraries alone: they are most of the time of a start.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django.conf
import dotenv
import environs
import structlog

LIBRARIES = (django.conf, dotenv, environs, structlog)
OWN = ("reporting", "market", "accounts", "trades", "prices", "dashboard")


def next_question() -> dict[str, Any]:
    """What the fork that returns from here shall run; the first process answers until nobody asks any more."""
    for line in sys.stdin:
        if os.fork() == 0:
            asked: dict[str, Any] = json.loads(line)
            return asked
        print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
    sys.exit()


if __name__ == "__main__":
    question = next_question()
    assert not [name for name in sys.modules if name.partition(".")[0] in OWN]
    os.environ.clear()
    os.environ.update(question["environment"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(f"{question['said']}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    exec(question["code"], {"__name__": "__main__"})
