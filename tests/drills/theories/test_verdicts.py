"""Each process and server killed or stopped while finals are stored: no final is without its verdict, none has two."""

from __future__ import annotations

import os
import signal
import subprocess
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
from local.checks.testbed import ROOT
from local.servers.embedded import Server
from tests.dashboard.people import a_trader
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.servers import frozen
from tests.processes import free_port, wait_until
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]

WITHIN = 2.0
"""Seconds from a final's storing to its verdict."""
SWEPT_WITHIN = 5.0
"""Seconds to the verdict of one that an error left without, once all run again: beat finds Valkey again after 2 s."""
_UNJUDGED = """SELECT count(*) FROM dashboard_assumedperiod AS p
    JOIN prices_referencepricehistory AS h ON h.delivery_start = p.reference_start AND h.last_update >= p.gate_closes_at
    WHERE NOT EXISTS (SELECT 1 FROM dashboard_verdictrecord AS v
        WHERE v.period_id = p.id AND v.final_updated_at = h.last_update)"""
_FINALS = """SELECT count(*) FROM prices_referencepricehistory"""


@dataclass
class Part:
    """One of the desk's processes, to be killed, stopped and started again."""

    argv: tuple[str, ...]
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(self.argv, stdout=output, stderr=output, env=self.env, cwd=ROOT)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)


@contextmanager
def _parts(desk: Desk, folder: Path) -> Iterator[dict[str, list[Part]]]:
    """Web, worker, beat and listener by name; with the worker goes the process that stores finals for it."""
    env = {
        **os.environ,
        "DATABASE_URL": desk.url,
        "REDIS_URL": desk.servers.own.redis_url,
        "EXCHANGE_WS_URL": desk.exchange.url,
        "MARKET_DATA_URL": "http://127.0.0.1:9",
        "MARKET_DATA_REQUESTS_PER_MINUTE": "100000",
        "MARKET_DATA_REQUESTS_PER_HOUR": "100000",
        "TRADE_JOURNAL_DIR": str(folder / "journal"),
        "DJANGO_SETTINGS_MODULE": "reporting.settings",
    }
    celery = (sys.executable, "-m", "celery", "-A", "reporting")
    worker = (*celery, "worker", "--without-gossip", "--without-mingle", "-l", "WARNING")
    port = str(free_port())
    made = {
        "web": [(sys.executable, "-m", "daphne", "-v", "0", "-p", port, "reporting.asgi:application")],
        "worker": [worker, (sys.executable, "-m", "tests.drills.theories.finals", "100")],
        "beat": [(*celery, "beat", "-l", "WARNING")],
        "listener": [(sys.executable, "manage.py", "listen_trades")],
    }
    parts = {
        name: [Part(argv, {**env, "PROCESS_ROLE": name}, folder / f"{name}.log") for argv in commands]
        for name, commands in made.items()
    }
    try:
        for part in (part for several in parts.values() for part in several):
            part.start()
        yield parts
    finally:
        for part in (part for several in parts.values() for part in several):
            part.end()


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


def _killed(parts: list[Part], seconds: float) -> None:
    for part in parts:
        part.end()
    time.sleep(seconds)
    for part in parts:
        part.start()


def _stopped(parts: list[Part], seconds: float) -> None:
    for part in parts:
        part.signal(signal.SIGSTOP)
    time.sleep(seconds)
    for part in parts:
        part.signal(signal.SIGCONT)


def _server_killed(server: Server, seconds: float) -> None:
    server.kill()
    time.sleep(seconds)
    server.start()


def _server_stopped(server: Server, seconds: float) -> None:
    with frozen(server):
        time.sleep(seconds)


_HARMS: dict[str, tuple[Callable[[list[Part], float], None], Callable[[Server, float], None]]] = {
    "killed": (_killed, _server_killed),
    "stopped": (_stopped, _server_stopped),
}
_SHORT = {("worker", "killed"), ("PostgreSQL", "killed")}
_VICTIMS = ("PostgreSQL", "Valkey", "web", "worker", "beat", "listener")
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
    with _parts(desk, tmp_path) as parts, watch.looking():
        wait_until(lambda: watch.finals > 10, "finals:\n", 60, lambda: _logs(tmp_path))
        server = {"PostgreSQL": desk.postgres, "Valkey": desk.redis}.get(victim)
        if server is None:
            _HARMS[harm][0](parts[victim], seconds)
        else:
            _HARMS[harm][1](server, seconds)
        before = watch.finals
        wait_until(lambda: watch.finals > before + 20, "finals again:\n", 60, lambda: _logs(tmp_path))
        parts["worker"][1].end()  # or the next price of the day would judge what is for the sweep
        longest = watch.longest
        swept = _sweep_after(desk)
    desk.row.note(worst=longest, of=f"without a verdict, {watch.finals} finals; by the sweep {swept:.1f} s")
    assert longest <= WITHIN
    assert swept <= SWEPT_WITHIN
    assert watch.looks > 20
    with using(desk.url):
        stored = list(VerdictRecord.objects.values_list("period", "final_updated_at"))
        assert len(stored) == len(set(stored)) >= watch.finals
        assert [sentence for sentence in differences() if "on record" in sentence] == []


def _sweep_after(desk: Desk) -> float:
    """Seconds until a final that nothing has judged has its verdict by beat and worker, once all run again."""
    from tests.drills.theories.finals import store_without_judging

    with using(desk.url):
        period = store_without_judging()
        began = time.monotonic()
        wait_until(lambda: VerdictRecord.objects.filter(period=period).exists(), "the sweep")
        return time.monotonic() - began


def _logs(folder: Path) -> str:
    return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-1500:]}" for path in folder.glob("*.log"))
