"""Each process and server killed or stopped while finals are stored: no final is without its verdict, none has two."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from dashboard.assumptions.checking import differences
from dashboard.assumptions.models import VerdictRecord
from local.servers.embedded import Server
from tests.dashboard.people import a_trader
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.parts import BEAT, LISTENER, WORKER, Part, logs, running, web
from tests.drills.rig.servers import frozen
from tests.processes import wait_until
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]

WITHIN = 2.0
"""Seconds from a final's storing to its verdict: also of one that an error left without, for a worker's rounds."""
_UNJUDGED = """SELECT count(*) FROM dashboard_assumedperiod AS p
    JOIN prices_referencepricehistory AS h ON h.delivery_start = p.reference_start AND h.last_update >= p.gate_closes_at
    WHERE p.delivery_hour <> 'x-1' AND NOT EXISTS (SELECT 1 FROM dashboard_verdictrecord AS v
        WHERE v.period_id = p.id AND v.final_updated_at = h.last_update)"""
"""Of those that were stored by the product; `store_without_judging` makes the other ones."""
_FINALS = """SELECT count(*) FROM prices_referencepricehistory"""


@dataclass
class Watch:
    """Looks at what is committed, many times a second: since when is a final there without a verdict?"""

    url: str
    longest: float = 0.0
    looks: int = 0
    finals: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        since: float | None = None
        while not self._ended.wait(0.02):
            with suppress(psycopg.Error), psycopg.connect(self.url, autocommit=True, connect_timeout=2) as looking:
                while not self._ended.wait(0.02):
                    (unjudged,) = looking.execute(_UNJUDGED).fetchone() or (0,)
                    (self.finals,) = looking.execute(_FINALS).fetchone() or (0,)
                    self.looks += 1
                    since = (since or time.monotonic()) if unjudged else None
                    self.longest = max(self.longest, time.monotonic() - since if since else 0.0)

    @contextmanager
    def looking(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(20)


Meanwhile = Callable[[], None]


def _killed(parts: list[Part], meanwhile: Meanwhile) -> None:
    for part in parts:
        part.end()
    meanwhile()
    for part in parts:
        part.start()


def _stopped(parts: list[Part], meanwhile: Meanwhile) -> None:
    for part in parts:
        part.signal(signal.SIGSTOP)
    meanwhile()
    for part in parts:
        part.signal(signal.SIGCONT)


def _server_killed(server: Server, meanwhile: Meanwhile) -> None:
    server.kill()
    meanwhile()
    server.start()


def _server_stopped(server: Server, meanwhile: Meanwhile) -> None:
    with frozen(server):
        meanwhile()


_HARMS: dict[str, tuple[Callable[[list[Part], Meanwhile], None], Callable[[Server, Meanwhile], None]]] = {
    "killed": (_killed, _server_killed),
    "stopped": (_stopped, _server_stopped),
}
_SHORT = {("worker", "killed"), ("PostgreSQL", "killed")}
_VICTIMS = ("PostgreSQL", "Valkey", "web", "worker", "beat", "listener")
_NOT_NEEDED = {"Valkey", "web", "beat", "listener"}
"""What a round does without."""
_CASES = [
    *((victim, harm, 1.0) for victim, harm in sorted(_SHORT)),
    *(pytest.param(victim, harm, 10.0, marks=pytest.mark.long) for victim in _VICTIMS for harm in _HARMS),
]


@pytest.mark.parametrize(("victim", "harm", "seconds"), _CASES)
def test_each_final_has_one_verdict_at_once(desk: Desk, tmp_path: Path, victim: str, harm: str, seconds: float) -> None:
    desk.row.done = f"{victim} {harm} for {seconds:g} s, a final every 0.1 s"
    with using(desk.url):
        germany()
        a_trader()
    watch = Watch(desk.url)
    finals = (sys.executable, "-m", "tests.drills.theories.finals", "100")
    commands = {"web": [web()], "worker": [WORKER, finals], "beat": [BEAT], "listener": [LISTENER]}
    with running(desk, tmp_path, commands) as parts, watch.looking():
        wait_until(lambda: watch.finals > 10, "finals:\n", 60, lambda: logs(tmp_path))
        _swept(desk)  # the worker's rounds have begun
        during: list[float] = []

        def meanwhile() -> None:
            began = time.monotonic()
            if victim in _NOT_NEEDED:
                during.append(_swept(desk))
            time.sleep(max(0.0, began + seconds - time.monotonic()))

        server = {"PostgreSQL": desk.postgres, "Valkey": desk.redis}.get(victim)
        if server is None:
            _HARMS[harm][0](parts[victim], meanwhile)
        else:
            _HARMS[harm][1](server, meanwhile)
        before = watch.finals
        wait_until(lambda: watch.finals > before + 20, "finals again:\n", 60, lambda: logs(tmp_path))
        longest = watch.longest
        _swept(desk)
        swept = max(*during, _swept(desk)) if during else _swept(desk)
    desk.row.note(worst=longest, of=f"without a verdict, {watch.finals} finals; by a round {swept:.1f} s")
    assert longest <= WITHIN
    assert swept <= WITHIN
    assert watch.looks > 20
    with using(desk.url):
        stored = list(VerdictRecord.objects.values_list("period", "final_updated_at"))
        assert len(stored) == len(set(stored)) >= watch.finals
        assert [sentence for sentence in differences() if "on record" in sentence] == []


def _swept(desk: Desk) -> float:
    """Seconds until a final that nothing has judged has its verdict by a worker's round."""
    from tests.drills.theories.finals import store_without_judging

    with using(desk.url):
        period = store_without_judging()
        began = time.monotonic()
        wait_until(lambda: VerdictRecord.objects.filter(period=period).exists(), "a round")
        return time.monotonic() - began
