"""CPU seconds and memory of every process: a minute with 100 trades and 15 viewers, and a minute without either."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.desk import Viewers, a_frame, listener, log_in, process, web
from bench.table import Row
from local.servers.processes import QUIET_WORKER
from local.simulators.exchange import ScriptedExchange
from local.simulators.provider import Faults, Limits, Market, SimulatedProvider, simulated_server

MINUTE = 60.0
TRADES, VIEWERS = 100, 15
SERVERS = POSTGRESQL, REDIS = "PostgreSQL", "Redis"


def run(folder: Path) -> list[Row]:
    prefix = f"cost{time.time_ns()}"
    logins = [log_in(f"{prefix}-{number}") for number in range(VIEWERS)]
    with ExitStack() as stack:
        exchange = stack.enter_context(ScriptedExchange())
        provider = stack.enter_context(_provider())
        address, web_pid = stack.enter_context(web(MARKET_DATA_URL=provider))
        pids = {"web": web_pid, "listener": stack.enter_context(listener(exchange.url, folder))}
        for name, extra in (("worker", QUIET_WORKER), ("beat", ())):
            argv = ["-m", "celery", "-q", "-A", "reporting", name, *extra, "--loglevel", "ERROR"]
            pids[name] = stack.enter_context(process(*argv, MARKET_DATA_URL=provider)).pid
        pids |= _servers(folder)
        exchange.wait_for_connections(1, 30)
        time.sleep(20)  # starting costs are no part of a minute, nor is the chase after all prices at the first start
        _clear_up()
        idle = _spent(pids, lambda: time.sleep(MINUTE))
        idle_memory = _memory(pids)
        with Viewers(address, logins):
            time.sleep(5)  # nor is the first look at a board
            ordinary = _spent(pids, lambda: _trade(exchange, [login.trader_id for login in logins]))
            memory, shares = _memory(pids), _shares(pids)
    return [
        Row("an ordinary minute, 15 viewers, all processes", "CPU s", sum(ordinary.values()), None, _words(ordinary)),
        Row("an idle minute, all processes", "CPU s", sum(idle.values()), None, _words(idle)),
        Row("memory in an ordinary minute, all processes", "MB", sum(memory.values()), None, _words(memory, 0)),
        Row("memory in an idle minute, all processes", "MB", sum(idle_memory.values()), None, _words(idle_memory, 0)),
        Row("proportional memory, our own processes", "MB", sum(shares.values()), None, _words(shares, 0)),
    ]


def _clear_up() -> None:
    """What PostgreSQL and the worker would do in these minutes after the benchmarks before, by themselves."""
    from django.db import connection

    from dashboard.figures.kept.keeping import keep_some
    from market import clock

    keep_some(clock.now(), seconds=float("inf"))  # else the worker is at a year of days, five seconds of each minute
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def _words(figures: dict[str, float], digits: int = 2) -> str:
    """Each process with its figure."""
    return ", ".join(f"{name} {value:.{digits}f}" for name, value in figures.items())


def _trade(exchange: ScriptedExchange, traders: list[str]) -> None:
    began = time.monotonic()
    for number in range(TRADES):
        time.sleep(max(0.0, began + number * MINUTE / TRADES - time.monotonic()))
        exchange.send(a_frame(traders[number % len(traders)]))
    time.sleep(max(0.0, began + MINUTE - time.monotonic()))


def _spent(pids: dict[str, int], work: Callable[[], object]) -> dict[str, float]:
    before = {name: family_seconds(pid) for name, pid in pids.items()}
    work()
    return {name: family_seconds(pid) - before[name] for name, pid in pids.items()}


def _family(pid: int) -> list[psutil.Process]:
    head = psutil.Process(pid)
    return [head, *head.children(recursive=True)]


def family_seconds(pid: int) -> float:
    """CPU of a process and its children; with those that have ended, as the parent counts them."""
    total = 0.0
    for member in _family(pid):
        times = member.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _memory(pids: dict[str, int]) -> dict[str, float]:
    return {name: family_memory(pid) for name, pid in pids.items()}


def family_memory(pid: int) -> float:
    """Megabytes of the whole family; what its members share is counted once for each (PostgreSQL: too much)."""
    return float(sum(member.memory_info().rss for member in _family(pid))) / 1e6


def _shares(pids: dict[str, int]) -> dict[str, float]:
    """Megabytes of the Python processes; what several share is counted once, a part for each (PSS)."""
    ours = {name: pid for name, pid in pids.items() if name not in SERVERS}
    return {name: sum(member.memory_full_info().pss for member in _family(pid)) / 1e6 for name, pid in ours.items()}


def _servers(folder: Path) -> dict[str, int]:
    """PostgreSQL and Redis: this process's own children that are not ours to start."""
    found = {}
    for child in psutil.Process(os.getpid()).children():
        name = child.name()
        if "postgres" in name:
            found[POSTGRESQL] = child.pid
        elif "valkey" in name or "redis" in name:
            found[REDIS] = child.pid
    return found


@contextmanager
def _provider() -> Iterator[str]:
    """A provider with the real pace."""
    import threading

    server = simulated_server(SimulatedProvider(Market(seed=1), Limits(50, 1000), Faults()), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
