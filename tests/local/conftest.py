from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.checks import testbed
from local.servers import leftovers
from local.servers.addresses import socket_dir


@pytest.fixture
def var() -> Iterator[Path]:
    """A data folder with a space in its path, that an unprivileged user can get to if the checkout lets it."""
    parent = Path(tempfile.mkdtemp(dir=testbed.ROOT / "var" / "test"))
    parent.chmod(0o755)
    yield from _used(parent / "a desk")
    shutil.rmtree(parent)


@pytest.fixture
def closed_var(tmp_path: Path) -> Iterator[Path]:
    """A data folder below a folder that only we can enter."""
    tmp_path.chmod(0o700)
    yield from _used(tmp_path / "a closed desk")


def _used(path: Path) -> Iterator[Path]:
    yield path
    leftovers.end_leftovers(path)
    shutil.rmtree(socket_dir(path), ignore_errors=True)
    shutil.rmtree(Path("/var/tmp") / socket_dir(path).name, ignore_errors=True)
