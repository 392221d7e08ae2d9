"""Everything that the embedded servers need before they start: folders, a cluster with its database."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import nullcontext, suppress
from pathlib import Path

from local.servers.addresses import DATABASE_NAME, DATABASE_USER, socket_dir
from local.servers.installation import (
    Account,
    ServerError,
    account,
    can_enter,
    data_dir,
    far_home,
    postgres_bin,
    private_folder,
    run_as,
)
from local.servers.leftovers import end_leftovers


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
    private_folder(sockets, user)
    (sockets / "redis.sock").unlink(missing_ok=True)
    if postgres:
        _prepare_postgres(var, user)


def _prepare_postgres(var: Path, user: Account | None) -> None:
    _place_data(var, user)
    data = data_dir(var)
    if not data.exists():
        _make_cluster(data, postgres_bin(var, user), user)
    _check_cluster(data, user)
    (data / "postmaster.pid").unlink(missing_ok=True)  # no process of this folder lives: end_leftovers saw to it
    for stale in socket_dir(var).glob(".s.PGSQL.*"):
        stale.unlink(missing_ok=True)


def _place_data(var: Path, user: Account | None) -> None:
    """Data under `var`, or far from it with a link there when the unprivileged user can't get to `var`."""
    link = var / "postgres"
    if user is None or can_enter(var, user):
        return
    target = far_home(var) / "postgres"
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_symlink():
        link.unlink()  # a copied checkout must not share the original's data
    if link.exists():
        raise ServerError(f"The user “{user.name}” can't get to {link}; move it away, or open the folders above it.")
    private_folder(target.parent, user)
    shutil.rmtree(target, ignore_errors=True)  # of an earlier checkout at the same place
    link.symlink_to(target)


def _make_cluster(data: Path, binaries: Path, user: Account | None) -> None:
    """initdb and the database, in a folder that takes its final name when all is done."""
    unfinished = data.with_name(f"{data.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    private_folder(unfinished, user)
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
        **run_as(user),
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
