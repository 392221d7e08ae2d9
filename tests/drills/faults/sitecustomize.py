"""Read by a child process that has this folder on PYTHONPATH: syncs fail while the file DRILL_SYNC_FAILS exists.

DRILL_SYNC_SECONDS makes every sync slow instead.
"""

from __future__ import annotations

import errno
import os
import time

_sync = os.fdatasync


def _fdatasync(file: int) -> None:
    if os.path.exists(os.environ.get("DRILL_SYNC_FAILS", "")):
        raise OSError(errno.EIO, "Input/output error (drill)")
    time.sleep(float(os.environ.get("DRILL_SYNC_SECONDS", "0")))
    _sync(file)


os.fdatasync = _fdatasync
