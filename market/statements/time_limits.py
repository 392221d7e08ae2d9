"""What waits for somebody else is ended after a time, whatever it waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def ended_after(seconds: float, end: Callable[[], None]) -> Iterator[None]:
    """`end` is called, by a thread of its own, if the block takes longer: to cut off what it waits for."""
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
