"""Read by a child process that has this folder on PYTHONPATH: failing disks and failpoints, from outside the product.

Syncs fail while the file DRILL_SYNC_FAILS exists; DRILL_SYNC_SECONDS makes every sync slow instead; DESK_FAILPOINT
names a point at which the process fails (failpoints.py).
"""

from __future__ import annotations

import errno
import os
import time

import failpoints
from after_import import after_import

_sync = os.fdatasync


def _fdatasync(file: int) -> None:
    if os.path.exists(os.environ.get("DRILL_SYNC_FAILS", "")):
        raise OSError(errno.EIO, "Input/output error (drill)")
    time.sleep(float(os.environ.get("DRILL_SYNC_SECONDS", "0")))
    _sync(file)


os.fdatasync = _fdatasync


if os.environ.get(failpoints.ENVIRONMENT_NAME):
    after_import({where for where, *_ in failpoints.PLACES.values()}, failpoints.wrap)
