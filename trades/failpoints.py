"""Named points on a frame's way at which a drill may make the process fail. Idle unless DESK_FAILPOINT is set.

DESK_FAILPOINT=NAME:ACTION[:N] acts when NAME is reached for the Nth time (default 1). Actions: kill (SIGKILL, no
chance to tidy up), term (SIGTERM), raise (an exception that nobody expects), full (an OSError as of a full disk).
"""

from __future__ import annotations

import errno
import os
import signal

NAMES = (
    "after_receive",
    "before_journal",
    "after_journal",
    "before_insert",
    "after_insert",
    "before_commit",
    "after_commit",
)
ENVIRONMENT_NAME = "DESK_FAILPOINT"


class FailpointReached(Exception):
    """Raised by the action `raise`; derived from Exception alone, like a bug."""


def _configured() -> tuple[str, str, int]:
    name, _, rest = os.environ.get(ENVIRONMENT_NAME, "").partition(":")
    action, _, count = rest.partition(":")
    return name, action, int(count or 1)


_NAME, _ACTION, _COUNT = _configured()
_reached = 0


def reach(name: str) -> None:
    """Called where the way passes the point `name`."""
    global _reached  # noqa: PLW0603 - a counter of this process, for drills only
    if name != _NAME:
        return
    _reached += 1
    if _reached == _COUNT:
        _act()


def _act() -> None:
    if _ACTION == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif _ACTION == "term":
        os.kill(os.getpid(), signal.SIGTERM)
    elif _ACTION == "full":
        raise OSError(errno.ENOSPC, "No space left on device (failpoint)")
    elif _ACTION == "raise":
        raise FailpointReached(_NAME)
