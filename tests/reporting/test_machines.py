"""A server's machine is gone without a word: who waits for its answer waits some seconds, not a quarter of an hour."""

from __future__ import annotations

import os
import socket
import time

import psycopg
import pytest
import redis
from django.conf import settings

from reporting import database, machines
from tests.drills.rig.machine import Machine, socket_of

pytestmark = pytest.mark.integration

SOON = 20.0
"""Seconds; a machine that is busy itself may take its time."""


def test_postgresql_s() -> None:
    given = os.environ["DATABASE_URL"]
    with Machine(socket_of(given)) as machine:
        url = f"{given.partition('@')[0]}@127.0.0.1:{machine.port}{given[given.rindex('/') :]}"
        options = database.database(url, database.Speaker("worker", 1))["OPTIONS"]
        wanted = {name: options[name] for name in ("connect_timeout", *machines.for_libpq())}
        with psycopg.connect(url, autocommit=True, **wanted) as asked:
            machine.vanish()
            began = time.monotonic()
            with pytest.raises(psycopg.OperationalError):
                asked.execute("SELECT 1")
    assert machines.NOTICED_WITHIN / 2 < time.monotonic() - began < SOON


def test_redis_s() -> None:
    """A reader that waits for news without a time-out of its own, as the worker does for jobs."""
    with Machine(socket_of(settings.REDIS_URL.partition("?")[0])) as machine:
        address = f"redis://127.0.0.1:{machine.port}/0"
        with redis.Redis.from_url(address, retry=None, **machines.for_redis(address)) as client:
            client.ping()
            machine.vanish()
            began = time.monotonic()
            with pytest.raises((redis.ConnectionError, redis.TimeoutError)):
                client.blpop(["nothing"], 0)
    assert time.monotonic() - began < SOON


def test_a_unix_socket_is_on_this_machine() -> None:
    assert machines.for_redis("unix:///run/redis.sock") == {}
    named = machines.for_redis("rediss://cache.example:6379/0")["socket_keepalive_options"]
    assert socket.TCP_KEEPCNT in named


def test_an_address_may_say_otherwise() -> None:
    made = database.database("postgres://a@b/c?tcp_user_timeout=9000", database.Speaker("web", 1))
    assert int(made["OPTIONS"]["tcp_user_timeout"]) == 9000
