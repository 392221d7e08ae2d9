"""Who is at work: what a row of the log says when nobody names an actor. The web process sets it for each request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

COMMAND = "(command line)"


@dataclass(frozen=True, slots=True)
class Worker:
    """Both are asked only when a row is written."""

    actor: Callable[[], str]
    address: Callable[[], str]


_at_work: ContextVar[Worker | None] = ContextVar("audit_worker", default=None)


def current() -> tuple[str, str]:
    """(actor, address) of whoever is at work."""
    worker = _at_work.get()
    return (worker.actor(), worker.address()) if worker else (COMMAND, "")


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    """For the length of a `with` block this one is at work."""
    token = _at_work.set(worker)
    try:
        yield
    finally:
        _at_work.reset(token)
