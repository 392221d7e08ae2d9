"""Where the embedded servers listen: unix sockets in a short folder of their own, derived from the data folder.

A socket's path may have 104 characters at most, and a checkout can lie anywhere, so the sockets are not under var/.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from urllib.parse import quote

DATABASE_NAME = "reporting"
DATABASE_USER = "reporting"


def socket_dir(var: Path) -> Path:
    """The folder of the sockets that belong to this data folder; the same for every process, restart and user."""
    digest = hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:12]
    return Path("/tmp") / f"reporting-{digest}"  # noqa: S108 - TMPDIR differs from shell to shell, this must not


def database_url(var: Path) -> str:
    """DATABASE_URL of the embedded PostgreSQL whose data is under `var`."""
    return f"postgres://{DATABASE_USER}@{quote(str(socket_dir(var)), safe='')}/{DATABASE_NAME}"


def redis_url(var: Path) -> str:
    """REDIS_URL of the embedded Redis whose data is under `var`."""
    return f"unix://{socket_dir(var) / 'redis.sock'}"


def write_addresses(var: Path) -> None:
    """Say where the embedded servers of this data folder listen, in the file where reporting/settings.py reads it."""
    path = var / "run" / "servers.env"
    text = f"DATABASE_URL={database_url(var)}\nREDIS_URL={redis_url(var)}\n"
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(text)
    unfinished.replace(path)


if __name__ == "__main__":
    write_addresses(Path(sys.argv[1]))
