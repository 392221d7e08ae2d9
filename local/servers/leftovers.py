"""Processes that an earlier run has left, and their end."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from local.servers.addresses import socket_dir
from local.servers.installation import ServerError, data_dir

STOP_SECONDS = 10


def end_leftovers(var: Path) -> None:
    """End the servers that still use this data folder after their starter died; others are never touched."""
    data, sock = str(data_dir(var)), str(socket_dir(var) / "redis.sock")
    end_processes([p for p in psutil.process_iter() if _uses(p, data, sock)], STOP_SECONDS)


def end_processes(processes: list[psutil.Process], seconds: float) -> None:
    """Ask these processes to end; after so many seconds end them by force. ServerError when even that fails."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            _ask_to_end(process)
    for process in still_alive(processes, seconds):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if alive := still_alive(processes, STOP_SECONDS):
        raise ServerError(f"A process of an earlier run does not end: {alive[0].pid}.")


def _ask_to_end(process: psutil.Process) -> None:
    """SIGTERM; PostgreSQL has its own: SIGINT for the server, SIGQUIT for an orphan, the rest ends with its parent."""
    if process.name() != "postgres":
        process.terminate()
    elif not any(part.startswith("postgres: ") for part in process.cmdline()[:1]):
        process.send_signal(signal.SIGINT)
    elif process.parent() is None or process.parent().name() != "postgres":
        process.send_signal(signal.SIGQUIT)


def still_alive(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that have not ended in time. A zombie has ended, also where nobody collects it (containers)."""
    deadline = time.monotonic() + seconds
    alive = [p for p in processes if _is_alive(p)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.02)
        alive = [p for p in alive if _is_alive(p)]
    return alive


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _uses(process: psutil.Process, data: str, sock: str) -> bool:
    """PostgreSQL's processes have the data folder as their own; Redis has its socket in its title or arguments."""
    try:
        name = process.name()
        if not _is_alive(process):
            return False
        if name == "postgres":
            return bool(process.cwd() == data)
        return name in {"redis-server", "valkey-server"} and any(sock in part for part in process.cmdline())
    except psutil.Error:
        return False
