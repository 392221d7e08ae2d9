"""The primary is lost under load and a synchronous standby promoted: nothing is lost, no address changes.

It is killed, which everybody hears at once; or its machine is gone, which nobody hears.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.servers import embedded
from local.simulators.fault_proxy import Mode, Proxy
from tests.drills.rig.desk import Desk
from tests.drills.rig.feed import trade
from tests.drills.rig.machine import machine_of
from tests.drills.rig.standby import hot_standby, synchronous
from tests.drills.rig.whole import Whole, whole
from tests.processes import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.long, pytest.mark.timeout(240)]

RIGHT_WITHIN = 15.0
"""Seconds from the promotion until boards are right."""
AWAY = 3.0
"""Seconds without a primary."""
SUCCESSOR = "successor"


def _killed(primary: embedded.Server, _machine: Proxy) -> None:
    primary.kill()


def _gone(primary: embedded.Server, machine: Proxy) -> None:
    machine.switch(Mode.GONE)
    primary.kill()  # nobody who had its address hears of that


def _either(machine: Proxy, url: str) -> dict[str, str]:
    """Both servers in one address, as libpq tries them: the one that takes writes is meant."""
    user, _, place = url.partition("@")
    return {"DATABASE_URL": f"{user}@127.0.0.1:{machine.port},{place}?target_session_attrs=read-write"}


def _sent(running: Whole) -> int:
    """How many trades of the board's trader the exchange has pushed."""
    frames = (json.loads(trade(int(sent.exchange_id))) for sent in list(running.desk.feed.sent))
    return sum(frame["trade_confirmation"]["trader_id"] == running.reader.trader for frame in frames)


@pytest.mark.parametrize("harm", [_killed, _gone], ids=lambda harm: harm.__name__.strip("_"))
def test_a_synchronous_standby_takes_over(
    desk: Desk, tmp_path: Path, harm: Callable[[embedded.Server, Proxy], None]
) -> None:
    how = harm.__name__.strip("_")
    desk.row.done = f"PostgreSQL {how} at 50 trades/s, its synchronous standby promoted {AWAY:g} s later"
    with machine_of(desk.url) as machine, hot_standby(desk.servers, SUCCESSOR) as successor:
        names = _either(machine, successor.url(desk.database))
        with (
            synchronous(desk.servers, SUCCESSOR),
            whole(desk, tmp_path, lambda _kind: names, of_each=2) as running,
        ):
            desk.feed.push(1500, rate=50)
            wait_until(lambda: len(desk.feed.sent) > 300, "the first trades")
            seen = desk.stored_ids()
            harm(desk.postgres, machine)
            time.sleep(AWAY)
            desk.url = successor.url(desk.database)
            successor.promote()
            promoted, wanted = time.monotonic(), _sent(running)
            assert seen <= desk.stored_ids(), "what was committed is on the standby"
            wait_until(lambda: running.reader.page >= wanted, f"{wanted} trades on the open page", 40, running.said)
            took = time.monotonic() - promoted
            desk.row.note(worst=took, of="from the promotion until the open page was right")
            running.settle()
            assert took <= RIGHT_WITHIN
            for listener in running.pair:
                assert listener.terminate() == 0
        # The old one is back, for the copies that are compared; no process of the desk runs that could find it.
        running.verify()
        assert len(seen) > 200
