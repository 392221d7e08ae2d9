"""How soon a process notices that a server's machine is gone: without power or network it closes no connection.

TCP alone would believe in it for a quarter of an hour, and for ever where a process only listens. A server that is
there acknowledges what it gets, however busy it is: its machine's kernel does.
"""

from __future__ import annotations

import socket
from typing import Any

NOTICED_WITHIN = 5
"""Seconds without a word from a machine that owes one, after which a connection to it is given up."""
_PROBES = {"idle": 3, "interval": 1, "count": 3}
"""A connection that is silent for so many seconds is asked for a word: so often, this far apart."""


def for_libpq(seconds: int = NOTICED_WITHIN) -> dict[str, int]:
    """Parameters of a connection to PostgreSQL; of no effect on a Unix socket."""
    return {"tcp_user_timeout": seconds * 1000, **{f"keepalives_{name}": value for name, value in _PROBES.items()}}


def for_redis(url: str) -> dict[str, Any]:
    """Keywords of redis-py, and options of kombu's transport; none for a Unix socket, which is on this machine."""
    if url.startswith("unix:"):
        return {}
    wanted = {
        "TCP_KEEPIDLE": _PROBES["idle"],
        "TCP_KEEPINTVL": _PROBES["interval"],
        "TCP_KEEPCNT": _PROBES["count"],
        "TCP_USER_TIMEOUT": NOTICED_WITHIN * 1000,
    }
    known = {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}
    return {"socket_keepalive": True, "socket_keepalive_options": known}
