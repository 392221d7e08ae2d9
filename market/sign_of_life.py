"""A process's sign of life: what the machine's timer says, in a file that reporting/alive.py reads. No Django.

Not the file's own time: that is the clock's, which can be moved.
"""

from __future__ import annotations

import time
from pathlib import Path


def give_sign(file: str) -> None:
    """A sign of life, if there is a file for it. One that can't be written must end nothing; the check will tell."""
    if not file:
        return
    whole = Path(f"{file}.new")
    try:
        whole.write_text(f"{time.monotonic():.3f}", encoding="ascii")
        whole.replace(file)
    except OSError:
        return
