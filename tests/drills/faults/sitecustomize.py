"""Read by a child process that has this folder on PYTHONPATH: failing disks and failpoints, from outside the product.

Syncs fail while the file DRILL_SYNC_FAILS exists; DRILL_SYNC_SECONDS makes every sync slow instead; DESK_FAILPOINT
names a point at which the process fails (failpoints.py).
"""

from __future__ import annotations

import errno
import importlib.abc
import importlib.machinery
import os
import sys
import time
from collections.abc import Sequence
from types import ModuleType

import failpoints

_sync = os.fdatasync


def _fdatasync(file: int) -> None:
    if os.path.exists(os.environ.get("DRILL_SYNC_FAILS", "")):
        raise OSError(errno.EIO, "Input/output error (drill)")
    time.sleep(float(os.environ.get("DRILL_SYNC_SECONDS", "0")))
    _sync(file)


os.fdatasync = _fdatasync


class _Wrapping(importlib.abc.Loader):
    """Loads a module as ever, then puts the failpoint around its function."""

    def __init__(self, real: importlib.abc.Loader) -> None:
        self._real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        failpoints.wrap(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that have failpoints."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in {where for where, *_ in failpoints.PLACES.values()}:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Wrapping(spec.loader)
        return spec


if os.environ.get(failpoints.ENVIRONMENT_NAME):
    sys.meta_path.insert(0, _Finder())
