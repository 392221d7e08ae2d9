"""BUSY=1: one core is kept busy by another process, as on a machine that is shared."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def busy_core(*, wanted: bool = True) -> Iterator[subprocess.Popen[bytes] | None]:
    """A process of its own that computes without a pause, for the length of the block."""
    if not wanted:
        yield None
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield process
        finally:
            process.kill()
