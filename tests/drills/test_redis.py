"""Redis killed, frozen and emptied: it carries only hints, so capture doesn't notice."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis

from tests.drills.rig.desk import Desk
from tests.drills.rig.servers import frozen
from tests.processes import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]


def _killed(desk: Desk, seconds: float) -> None:
    desk.redis.kill()
    time.sleep(seconds)
    desk.redis.start()


def _frozen(desk: Desk, seconds: float) -> None:
    with frozen(desk.redis):
        time.sleep(seconds)


def _flushed(desk: Desk, seconds: float) -> None:
    with redis.Redis.from_url(desk.servers.own.redis_url) as client:
        for _ in range(10):
            client.flushall()
            time.sleep(seconds / 10)


_CASES = [
    pytest.param(harm, seconds, marks=[pytest.mark.long] if seconds > 2 or harm is _flushed else [])
    for harm in (_killed, _frozen, _flushed)
    for seconds in (2, 15)
]


@pytest.mark.parametrize(("harm", "seconds"), _CASES, ids=lambda v: getattr(v, "__name__", str(v)).strip("_"))
def test_capture_goes_on(desk: Desk, harm: Callable[[Desk, float], None], seconds: int) -> None:
    desk.row.done = f"Redis {harm.__name__.strip('_')} for {seconds} s"
    desk.listener()
    desk.feed.push(50 * (seconds + 1))
    wait_until(lambda: len(desk.feed.sent) > 20, "the first trades")
    harm(desk, seconds)
    desk.feed.wait()
    desk.wait_stored(desk.feed.ids())
    desk.verify()
    assert desk.row.lost == 0
    assert desk.row.worst < 2, "a trade waited for Redis"
