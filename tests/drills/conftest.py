from __future__ import annotations

import random
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests.drills.rig import servers
from tests.drills.rig.desk import Desk
from tests.drills.rig.results import SEED, Row


@pytest.fixture(scope="session")
def drill_servers() -> Iterator[servers.DrillServers]:
    """Durable servers of this worker's own, to be killed."""
    with servers.running() as running:
        yield running


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """This drill's line in the table; written when the drill has ended."""
    module = request.node.path.stem.removeprefix("test_")
    line = Row(f"{module}: {request.node.name.removeprefix('test_')}")
    request.node.drill_row = line
    return line


@pytest.fixture
def desk(drill_servers: servers.DrillServers, row: Row, django_db_blocker: DjangoDbBlocker) -> Iterator[Desk]:
    """An exchange, a database of its own, and listeners to be started."""
    with (
        django_db_blocker.unblock(),
        tempfile.TemporaryDirectory(prefix="drill-") as folder,
        Desk(drill_servers, Path(folder), row) as opened,
    ):
        yield opened


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Chance that can be had again: DRILL_SEED. A failing drill shows the seed."""
    print(f"DRILL_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


def pytest_report_header() -> str:
    return f"drills: DRILL_SEED={SEED}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    line: Row | None = getattr(item, "drill_row", None)
    if line is not None and call.when == "call":
        line.took, line.verdict = report.duration, "held" if report.passed else "FAILED"
        line.keep()
    return report
