"""The embedded servers: they start, stop, survive kill -9, and nothing stale stops the next start."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest
import redis

from local.checks import testbed
from local.servers import cluster, embedded, installation
from local.servers.addresses import socket_dir

pytestmark = pytest.mark.integration


def one(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        assert row
        return row[0]


def test_both_answer_on_sockets_that_nobody_else_can_enter(var: Path) -> None:
    with embedded.running(var, fast=True) as running:
        assert one(running.database_url, "select current_database() || ' ' || current_user") == "reporting reporting"
        assert one(running.database_url, "show server_encoding") == "UTF8"
        assert one(running.database_url, "select lower('ÄÖÜ')") == "äöü"
        assert one(running.database_url, "show listen_addresses") == ""
        assert redis.Redis.from_url(running.redis_url).ping()
        for server in (running.postgres, running.redis):
            assert not [c for c in psutil.Process(server.pid).net_connections("inet") if c.status == "LISTEN"]
        assert stat.S_IMODE(socket_dir(var).stat().st_mode) == 0o700
    assert not embedded.postgres_ready(running.database_url)
    assert not embedded.redis_ready(running.redis_url)


def test_the_product_keeps_what_is_committed_and_tests_may_be_fast(var: Path) -> None:
    cluster.prepare(var)
    assert "--fsync=on" in embedded.postgres_command(var)
    assert "--synchronous_commit=on" in embedded.postgres_command(var)
    assert "--fsync=off" in embedded.postgres_command(var, fast=True)


def test_data_is_still_there_after_a_stop_and_after_kill_9(var: Path) -> None:
    with embedded.running(var) as running:
        with psycopg.connect(running.database_url) as connection:
            connection.execute("create table kept as select 41 as n")
        running.postgres.kill()
        assert not embedded.postgres_ready(running.database_url)
        running.postgres.start()
        assert one(running.database_url, "update kept set n = 42 returning n") == 42
        running.redis.kill()
        running.redis.start()
        assert embedded.redis_ready(running.redis_url)
    with embedded.running(var) as running:
        assert one(running.database_url, "select n from kept") == 42


def test_servers_whose_starter_was_killed_are_ended_by_the_next_start(var: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from local import servers\n"
        "with servers.running(Path(sys.argv[1]), fast=True) as r:\n"
        "    print(r.postgres.pid, r.redis.pid, flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, str(var)], cwd=testbed.ROOT, stdout=subprocess.PIPE)
    assert starter.stdout
    pids = [int(text) for text in starter.stdout.readline().split()]
    starter.kill()
    starter.wait()
    assert all(psutil.pid_exists(pid) for pid in pids)
    with embedded.running(var, fast=True) as running:
        assert {running.postgres.pid, running.redis.pid}.isdisjoint(pids)
        assert not [pid for pid in pids if psutil.pid_exists(pid) and not is_zombie(pid)]


def is_zombie(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def stranger() -> Iterator[int]:
    """A living process that has nothing to do with any server, run as the user that PostgreSQL runs as."""
    user = installation.account(testbed.ROOT / "var" / "nobody-uses-this")
    process = subprocess.Popen(["sleep", "600"], cwd="/", **installation.run_as(user))
    yield process.pid
    assert process.poll() is None, "the stranger must be left alone"
    process.kill()
    process.wait()


def test_a_stale_pid_file_that_names_a_living_stranger_does_not_stop_the_start(var: Path, stranger: int) -> None:
    with embedded.running(var, fast=True) as running:
        pid_file = installation.data_dir(var) / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        running.postgres.kill()
        running.redis.kill()
        pid_file.write_text("\n".join([str(stranger), *lines[1:]]) + "\n")
        sock_lock = socket_dir(var) / ".s.PGSQL.5432.lock"
        sock_lock.write_text("\n".join([str(stranger), *lines[1:5]]) + "\n")
    with embedded.running(var, fast=True) as running:
        assert one(running.database_url, "select 1") == 1


def test_a_half_made_cluster_is_made_anew(var: Path) -> None:
    (var / "postgres.partial").mkdir(parents=True)
    (var / "postgres.partial" / "PG_VERSION").write_text("18\n")
    with embedded.running(var, fast=True) as running:
        assert one(running.database_url, "select 1") == 1


def test_where_the_unprivileged_user_cannot_go_data_and_binaries_lie_elsewhere(closed_var: Path) -> None:
    mode = closed_var.parent.stat().st_mode
    with embedded.running(closed_var, fast=True) as running:
        assert one(running.database_url, "select 1") == 1
    if os.geteuid() == 0:
        home = Path("/var/tmp") / socket_dir(closed_var).name
        assert (closed_var / "postgres").readlink() == home / "postgres"
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert closed_var.parent.stat().st_mode == mode
    with embedded.running(closed_var, fast=True) as running:
        assert one(running.database_url, "select 1") == 1


def test_a_folder_that_somebody_put_in_the_way_is_refused(var: Path, tmp_path: Path) -> None:
    var.mkdir(parents=True)
    socket_dir(var).symlink_to(tmp_path)
    try:
        with pytest.raises(installation.ServerError, match="is in the way"):
            cluster.prepare(var)
    finally:
        socket_dir(var).unlink()


def test_data_of_another_version_is_left_alone(var: Path) -> None:
    cluster.prepare(var)
    (installation.data_dir(var) / "PG_VERSION").write_text("16\n")
    with pytest.raises(installation.ServerError, match="no data folder of PostgreSQL 18"):
        cluster.prepare(var)


def test_a_server_that_does_not_start_says_where_its_log_is(var: Path) -> None:
    began = time.monotonic()
    server = embedded.Server(["false"], Path("/"), var / "log" / "false.log", lambda: False)
    with pytest.raises(installation.ServerError, match=r"false\.log"):
        server.start()
    assert time.monotonic() - began < 5


def test_without_postgresql_the_sockets_keep_their_folder(var: Path) -> None:
    cluster.prepare(var)
    cluster.prepare(var, postgres=False)
    assert stat.S_IMODE(socket_dir(var).stat().st_mode) == 0o700
    with embedded.running(var, fast=True) as running:
        assert one(running.database_url, "select 1") == 1
