"""Advisory locks: each number has one meaning and one place, and a chase of prices keeps no listener waiting."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from market.locks import AdvisoryLock
from tests.processes import wait_until
from tests.trades.frames import germany
from trades.feed.connections import ListenerHealth, keep_connection_alive, open_connection, record_gaps
from trades.models import FeedConnection, FeedGap

ROOT = Path(__file__).resolve().parents[2]
APPS = ("reporting", "market", "accounts", "trades", "prices", "dashboard")
HOME = ROOT / "market" / "locks.py"
LIKE_A_NUMBER = range(7_000_000, 7_100_000)


def strangers(source: str, name: str) -> Iterator[str]:
    """What this source has of lock numbers that are not from the register, a sentence each."""
    tree = ast.parse(source)
    takes_locks = any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and "advisory_" in node.value
        for node in ast.walk(tree)
    )
    if takes_locks and "AdvisoryLock." not in source:
        yield f"{name} takes an advisory lock: its number must be one of market/locks.py."
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value in LIKE_A_NUMBER:
            yield f"{name}:{node.lineno} writes the number {node.value}: name it in market/locks.py and use that name."


def test_no_two_locks_have_the_same_number() -> None:
    numbers = [int(lock) for lock in AdvisoryLock.__members__.values()]
    assert sorted(numbers) == sorted(set(numbers)), "market/locks.py: two locks have the same number; give one another."


def test_every_lock_has_its_number_from_the_register() -> None:
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py") if path != HOME]
    found = [line for path in files for line in strangers(path.read_text(), str(path.relative_to(ROOT)))]
    assert found == [], "\n".join(found)


def test_a_lock_that_is_written_elsewhere_is_named() -> None:
    source = 'LOCK = 7_021_002\ncursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])\n'
    assert list(strangers(source, "trades/new.py")) == [
        "trades/new.py takes an advisory lock: its number must be one of market/locks.py.",
        "trades/new.py:1 writes the number 7021002: name it in market/locks.py and use that name.",
    ]


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lock", [AdvisoryLock.PRICE_CHASE, AdvisoryLock.FEED_GAPS])
def test_a_listener_says_that_it_lives_whoever_holds_which_lock(lock: AdvisoryLock) -> None:
    """A chase holds its lock for minutes. Without a sign of life every board says that the exchange is away."""
    market, now = germany(), datetime.now(UTC)
    pk = open_connection(market=market, listener="l1", at=now - timedelta(seconds=2))
    with psycopg.connect(**connection.get_connection_params() | {"autocommit": True}) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [lock, market.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        keep_connection_alive(connection_pk=pk, health=ListenerHealth(now))
        assert record_gaps(market_id=market.pk, now=now) == 0
    assert FeedConnection.objects.get(pk=pk).alive_at == now


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
def test_gaps_that_another_listener_was_looking_for_are_found_by_the_next_look() -> None:
    market, now = germany(), datetime.now(UTC)
    FeedConnection.objects.create(
        market=market, listener="l1", connected_at=now - timedelta(hours=2), alive_at=now - timedelta(hours=1)
    )
    with psycopg.connect(**connection.get_connection_params() | {"autocommit": True}) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [AdvisoryLock.FEED_GAPS, market.pk])
        open_connection(market=market, listener="l2", at=now)
    assert FeedGap.objects.count() == 0
    wait_until(lambda: record_gaps(market_id=market.pk, now=now) == 1, "the lock of a session that has ended")
