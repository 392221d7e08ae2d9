"""Packages that another one loads only because they are installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_out(*names: str) -> Iterator[None]:
    """While this lasts, whoever imports one of these packages finds that it is not installed, unless it is loaded."""
    absent = dict.fromkeys(name for name in names if name not in sys.modules)
    sys.modules.update(absent)  # type: ignore[arg-type]  # None: what `import` takes for “not there”
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
