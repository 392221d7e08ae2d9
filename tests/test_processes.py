"""What tests start: nothing of a process outlives it, also not what PostgreSQL does for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.processes import running, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

WRITER = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as late:
    late.execute("INSERT INTO market_deskclock (id) SELECT 1 FROM pg_sleep(0.5)")
"""


def test_what_a_killed_process_had_sent_is_done_before_the_test_goes_on(tmp_path: Path) -> None:
    with connection.cursor() as cursor:

        def at_work() -> bool:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
            )
            return cursor.fetchone() == (1,)

        with running(sys.executable, "-c", WRITER, log=tmp_path / "writer.log") as writer:
            wait_until(at_work, "the statement")
            writer.kill()
        cursor.execute("SELECT count(*) FROM market_deskclock")
        assert cursor.fetchone() == (1,)
