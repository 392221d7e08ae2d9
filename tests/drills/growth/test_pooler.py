"""The whole desk behind PgBouncer in transaction mode: each transaction has another connection, and all is right."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from local.checks.testbed import ROOT
from reporting.database import session_settings
from tests.drills.rig.desk import Desk
from tests.drills.rig.pooler import KINDS, Pooler, pooler
from tests.drills.rig.whole import Whole, whole
from tests.processes import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(300)]

COMMANDS = ("migrate", "check_positions", "check_assumptions", "verify_audit", "replay_journal")


def test_the_whole_desk_behind_it(desk: Desk, tmp_path: Path) -> None:
    desk.row.done = "web, worker, beat, listener behind PgBouncer"
    with pooler(desk, tmp_path) as through, whole(desk, tmp_path, through.environment) as running:
        desk.feed.push(150, rate=50)
        desk.row.note(worst=running.settle(more_prices=0), of="until the open page was right")
        wait_until(lambda: running.prices() > 20, "prices:\n", 40, running.said)
        for kind in KINDS:
            _check_limits(through, kind)
        with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter: options"):
            psycopg.connect(through.url("web"), options="-c statement_timeout=5000")
        running.verify()
        assert running.errors() == []
        assert set(running.reader.answers) == {200}


def _check_limits(through: Pooler, kind: str) -> None:
    """The pooler sets for a session what the process can't (reporting/database.py)."""
    with psycopg.connect(through.url(kind), autocommit=True, prepare_threshold=None) as own:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            found = own.execute("SELECT setting::int FROM pg_settings WHERE name = %s", [name]).fetchone()
            assert found == (session_settings(kind).get(name, 0),), (kind, name)


@pytest.mark.long
def test_each_process_and_the_pooler_killed_in_turn(desk: Desk, tmp_path: Path, dice: random.Random) -> None:
    desk.row.done = "behind PgBouncer; it, web, and two workers, beats and listeners killed in turn"
    with pooler(desk, tmp_path) as through, whole(desk, tmp_path, through.environment, of_each=2) as running:
        desk.feed.push(2000, rate=50)
        _harm(running, through, dice)
        desk.row.note(worst=running.settle(), of="until the open page was right")
        for name in COMMANDS:
            _run(through, name)
        running.verify()
        assert "prepared statement" not in running.said() + through.said()


def _harm(running: Whole, through: Pooler, dice: random.Random) -> None:
    """Each killed and started again, in any order, while trades come in."""
    victims = [*running.parts.parts, *running.pair, through]
    dice.shuffle(victims)
    for victim in victims:
        if victim is through:
            through.server.kill()
            through.server.start()
        elif victim in running.pair:
            running.restart(victim)
        else:
            victim.end()
            victim.start()
        seen = len(running.desk.stored_ids())
        wait_until(lambda: len(running.desk.stored_ids()) >= seen + 20, "20 more trades")  # noqa: B023


def _run(through: Pooler, command: str) -> None:
    argv, environment = [sys.executable, "manage.py", command], {**os.environ, **through.environment("")}
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
