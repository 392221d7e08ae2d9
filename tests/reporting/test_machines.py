"""A server's machine is gone without a word: who waits for its answer waits some seconds, not a quarter of an hour."""

from __future__ import annotations

import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import redis
from django.conf import settings

from local.simulators.fault_proxy import Mode
from reporting import database, machines
from tests.drills.rig.machine import machine_of
from tests.processes import wait_until

pytestmark = pytest.mark.integration

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="a machine that goes needs Linux' socket filters")
SOON = 20.0
"""Seconds; a machine that is busy itself may take its time."""


@only_linux
def test_postgresql_s() -> None:
    """Of whoever asks when it is gone already, and of whoever waits for an answer to what had arrived."""
    given = os.environ["DATABASE_URL"]
    with machine_of(given) as machine, ThreadPoolExecutor(1) as beside:
        url = f"{given.partition('@')[0]}@127.0.0.1:{machine.port}{given[given.rindex('/') :]}"
        options = database.database(url, database.Speaker("worker", 1))["OPTIONS"]
        wanted = {name: options[name] for name in ("connect_timeout", *machines.for_libpq())}
        with psycopg.connect(url, autocommit=True, **wanted) as asked, psycopg.connect(url, **wanted) as waiting:
            answer = beside.submit(waiting.execute, "SELECT pg_sleep(40) /* until its machine is gone */")
            with psycopg.connect(given, autocommit=True) as other:
                begun = (
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%/* until its machine%%' AND pid <> %s"
                )
                wait_until(lambda: other.execute(begun, [other.info.backend_pid]).fetchone() == (1,), "the question")
            machine.switch(Mode.GONE)
            began = time.monotonic()
            with pytest.raises(psycopg.OperationalError):
                asked.execute("SELECT 1")
            with pytest.raises(psycopg.OperationalError):
                answer.result(SOON)
    assert machines.NOTICED_WITHIN / 2 < time.monotonic() - began < SOON


@only_linux
def test_redis_s() -> None:
    """A reader that waits for news without a time-out of its own, as the worker does for jobs."""
    with machine_of(settings.REDIS_URL.partition("?")[0]) as machine:
        address = f"redis://127.0.0.1:{machine.port}/0"
        options = {**machines.for_redis(address), "socket_timeout": None, "retry": None}
        with redis.Redis.from_url(address, **options) as client, ThreadPoolExecutor(1) as beside:
            client.ping()
            answer = beside.submit(client.blpop, ["nothing"], 0)
            with redis.Redis.from_url(settings.REDIS_URL) as other:
                wait_until(lambda: "blpop" in {one["cmd"] for one in other.client_list()}, "the question")
            machine.switch(Mode.GONE)
            began = time.monotonic()
            with pytest.raises((redis.ConnectionError, redis.TimeoutError)):
                answer.result(SOON)
    assert time.monotonic() - began < SOON


def test_a_command_may_wait_longer() -> None:
    for role, seconds in {"listener": 5, "web": 5, "worker": 5, "beat": 5, "import_trades": 60, "migrate": 60}.items():
        made = database.database("postgres://a@b/c", database.Speaker(role, 1))
        assert made["OPTIONS"]["tcp_user_timeout"] == seconds * 1000, role


def test_a_system_without_linux_s_names_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """As macOS: the time of silence has another name, and there is no limit for what is sent."""
    for name in ("TCP_KEEPIDLE", "TCP_USER_TIMEOUT"):
        monkeypatch.delattr(socket, name)
    monkeypatch.setattr(socket, "TCP_KEEPALIVE", 16, raising=False)
    assert machines.for_redis("redis://a")["socket_keepalive_options"] == {
        16: 3,
        socket.TCP_KEEPINTVL: 1,
        socket.TCP_KEEPCNT: 3,
    }


def test_a_unix_socket_is_on_this_machine() -> None:
    assert machines.for_redis("unix:///run/redis.sock") == {}
    named = machines.for_redis("rediss://cache.example:6379/0")["socket_keepalive_options"]
    assert socket.TCP_KEEPCNT in named


def test_an_address_may_say_otherwise() -> None:
    made = database.database("postgres://a@b/c?tcp_user_timeout=9000", database.Speaker("web", 1))
    assert int(made["OPTIONS"]["tcp_user_timeout"]) == 9000
