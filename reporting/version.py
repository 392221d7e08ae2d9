"""The product's version: the newest heading of CHANGELOG.md, read once."""

from __future__ import annotations

import re
from pathlib import Path


def newest(changelog: str) -> str:
    """The first `## X.Y.Z` heading's number, or "unknown" without one."""
    match = re.search(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    return match[1] if match else "unknown"


def _read() -> str:
    path = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
    return newest(path.read_text(encoding="utf-8")) if path.exists() else "unknown"


VERSION = _read()
