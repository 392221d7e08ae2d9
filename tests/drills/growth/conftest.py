from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.drills.rig.servers import DrillServers
from tests.drills.rig.standby import HotStandby, hot_standby


@pytest.fixture(scope="session")
def follower(drill_servers: DrillServers) -> Iterator[HotStandby]:
    """A standby of the drills' PostgreSQL, which follows it."""
    with hot_standby(drill_servers) as made:
        yield made
