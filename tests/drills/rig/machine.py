"""A server's machine with a TCP address of its own, which can go: `switch(Mode.GONE)`."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from local.simulators.fault_proxy import Proxy


def machine_of(url: str) -> Proxy:
    """Before the Unix socket of the server that a process has this address for."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return Proxy(parts.path)
    return Proxy(f"{unquote(parts.netloc.rpartition('@')[2])}/.s.PGSQL.5432")
