"""No secret in anything that a test run has said: `python -m local.checks.secrecy FOLDER` reads all of its results.

FOLDER has what pytest caught of every test (its junit files) and what the processes of the tests have written.
"""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from local.checks.testbed import SECRET_KEY

KEEP_IN = "TEST_PROCESSES_SAID"
"""Names the folder where processes' output is kept, while a whole run is on."""

PLANTED = {
    "the tests' SECRET_KEY": SECRET_KEY[-16:],
    "the password of the tests' users": "a long enough password",
    "the tests' database password": "planted-database-password",
    "the tests' Redis password": "planted-redis-password",
    "the tests' Sentry key": "planted5e9a1d",
}
"""Secrets that the tests use where the product uses real ones."""


def keep(log: Path) -> None:
    """Keep a process's output for the end of the run."""
    folder = os.environ.get(KEEP_IN)
    if folder and log.exists():
        Path(folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(log, Path(folder) / f"{uuid.uuid4().hex}.log")


def said_in(text: str) -> Iterator[str]:
    """Which of the secrets the text has."""
    yield from (what for what, secret in PLANTED.items() if secret in text)


def search(folder: Path) -> tuple[int, list[str]]:
    """(files read, one sentence for each secret that one of them has)."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in {".xml", ".log"}]
    finds = [f"{path} has {what}" for path in files for what in said_in(path.read_text(errors="replace"))]
    return len(files), finds


def main(folder: str) -> int:
    """1 when a secret was said, or when there was nothing to read."""
    count, finds = search(Path(folder))
    for sentence in finds:
        print(sentence)
    print(f"Secrets: {count} files of output read, {len(finds)} secrets found.")
    return 1 if finds or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
