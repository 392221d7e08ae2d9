"""Named points on a frame's way at which a drill makes a process fail, put around the product's functions from outside.

DESK_FAILPOINT=NAME:ACTION[:N] acts when NAME is reached for the Nth time (default 1). Actions: kill (SIGKILL, no
chance to tidy up), stop (SIGSTOP: frozen until SIGCONT), term (SIGTERM), raise (an exception that nobody expects),
full (an OSError as of a full disk).
The product knows nothing of it: `wrap` is called by sitecustomize.py of this folder once a module has been imported.
"""

from __future__ import annotations

import errno
import functools
import os
import signal
from collections.abc import Callable
from types import ModuleType
from typing import Any

ENVIRONMENT_NAME = "DESK_FAILPOINT"
PLACES = {
    "after_receive": ("trades.capture.pipeline", "Capture.take", "after"),
    "before_journal": ("trades.capture.journal", "Journal.append", "before"),
    "after_journal": ("trades.capture.journal", "Journal.append", "after"),
    "before_insert": ("trades.ledger.store", "_book", "before"),
    "after_insert": ("trades.ledger.store", "_settle", "before"),
    "before_commit": ("trades.ledger.store", "_settle", "after"),
    "after_commit": ("trades.capture.pipeline", "Capture._store", "after"),
}
"""Name -> module, function, and whether the point lies before or after its call."""

NAMES = tuple(PLACES)


class FailpointReached(Exception):
    """Raised by the action `raise`; derived from Exception alone, like a bug."""


class _Point:
    """The point of this process, and how often it has been reached."""

    def __init__(self, wanted: str) -> None:
        self.name, _, rest = wanted.partition(":")
        self.action, _, count = rest.partition(":")
        self.left = int(count or 1)

    def reach(self) -> None:
        self.left -= 1
        if self.left == 0:
            _act(self.action, self.name)


def _act(action: str, name: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "term":
        os.kill(os.getpid(), signal.SIGTERM)
    elif action == "full":
        raise OSError(errno.ENOSPC, "No space left on device (failpoint)")
    elif action == "raise":
        raise FailpointReached(name)


def wrap(module: ModuleType) -> None:
    """Put the wanted point around its function, if it is one of this module's."""
    point = _Point(os.environ.get(ENVIRONMENT_NAME, ""))
    where, path, side = PLACES.get(point.name, ("", "", ""))
    if where != module.__name__:
        return
    owner: Any = module
    *classes, name = path.split(".")
    for part in classes:
        owner = getattr(owner, part)
    setattr(owner, name, _passing(getattr(owner, name), point, side))


def _passing(function: Callable[..., Any], point: _Point, side: str) -> Callable[..., Any]:
    import inspect

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def passing(*args: Any, **kwargs: Any) -> Any:
            if side == "before":
                point.reach()
            result = await function(*args, **kwargs)
            if side == "after":
                point.reach()
            return result

        return passing

    @functools.wraps(function)
    def passed(*args: Any, **kwargs: Any) -> Any:
        if side == "before":
            point.reach()
        result = function(*args, **kwargs)
        if side == "after":
            point.reach()
        return result

    return passed
