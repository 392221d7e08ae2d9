"""What a worker's thread has between two tasks: the connection that it had, unless something has gone wrong on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from celery import Celery, signals
from celery.fixups.django import DjangoWorkerFixup
from django.db import Error, connection

from reporting.celery import app

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _a_connection_of_a_thread_s(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a worker, where it may be closed; a test's own stays open otherwise."""
    monkeypatch.setitem(connection.settings_dict, "CONN_HEALTH_CHECKS", True)
    connection.close()
    connection.connect()
    yield
    connection.close()


def session() -> int:
    """PostgreSQL's process of this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def between_tasks(of: Celery) -> None:
    """What Celery and its apps do after a task and before the next."""
    fixup = DjangoWorkerFixup(of)
    fixup.close_database()
    fixup.close_database()
    signals.task_prerun.send(sender=None)


def test_it_is_kept_from_task_to_task() -> None:
    first = session()
    for _ in range(3):
        between_tasks(app)
        assert session() == first


def test_celery_alone_closes_it() -> None:
    first = session()
    between_tasks(Celery("another", set_as_current=False))
    assert session() != first


def test_one_that_was_cut_meanwhile_is_another_with_the_next_task() -> None:
    first = session()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    other.close()
    between_tasks(app)
    assert session() != first


def test_one_on_which_something_went_wrong_is_not_kept() -> None:
    """It may be a server's that takes no writes any more: it answers, and Django would keep it."""
    first = session()
    with suppress(Error), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM nothing_of_that_name")
    between_tasks(app)
    assert session() != first
