"""Web processes of a test's own, as the product starts them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.processes import free_port, running, wait_until


@contextmanager
def starting_web(log: Path, **environment: str) -> Iterator[str]:
    """A web process that is being started: its address."""
    port = free_port()
    argv = (sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "reporting.asgi:application")
    with running(*argv, log=log, PROCESS_ROLE="web", **environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def web_process(log: Path, **environment: str) -> Iterator[str]:
    """A web process that answers: its address."""
    with starting_web(log, **environment) as address:
        wait_until(lambda: answers(address), "the web process", details=log.read_text)
        yield address


def answers(address: str, path: str = "healthz") -> bool:
    """Whether the process is there. Until it listens, a connection to its free port may even be one to itself."""
    try:
        return requests.get(f"{address}/{path}", timeout=2).ok
    except requests.RequestException:
        return False
