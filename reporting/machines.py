"""How soon a process notices that a server's machine is gone: without power or network it closes no connection.

TCP alone would believe in it for a quarter of an hour, and for ever where a process only listens. A machine that is
there acknowledges what its server has room for. One whose server reads nothing for as long, while more is sent than
that, is given up as well, and whoever sent it tries again.
"""

from __future__ import annotations

import socket
from typing import Any

NOTICED_WITHIN = 5
"""Seconds without a word from a machine that owes one, after which a connection to it is given up."""
NOTICED_BY_A_COMMAND = 60
"""The same of a command, which may send more at once than a server reads while it waits for a lock."""
_BETWEEN, _PROBES = 1, 3
"""A silent connection is asked for a word so many seconds apart, and so often."""


def _silent_for(seconds: int) -> int:
    """After how many seconds of silence a connection is asked for a word, to be given up after `seconds`."""
    return (seconds + 1) // 2


def for_libpq(seconds: int = NOTICED_WITHIN) -> dict[str, int]:
    """Parameters of a connection to PostgreSQL; of no effect on a Unix socket."""
    return {
        "tcp_user_timeout": seconds * 1000,
        "keepalives_idle": _silent_for(seconds),
        "keepalives_interval": _BETWEEN,
        "keepalives_count": _PROBES,
    }


def for_redis(url: str) -> dict[str, Any]:
    """Keywords of redis-py, and options of kombu's transport; none for a Unix socket, which is on this machine."""
    if url.startswith("unix:"):
        return {}
    wanted = {
        "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE": _silent_for(NOTICED_WITHIN),
        "TCP_KEEPINTVL": _BETWEEN,
        "TCP_KEEPCNT": _PROBES,
        "TCP_USER_TIMEOUT": NOTICED_WITHIN * 1000,  # Linux alone has it; elsewhere probes have to do
    }
    known = {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}
    return {"socket_keepalive": True, "socket_keepalive_options": known}
