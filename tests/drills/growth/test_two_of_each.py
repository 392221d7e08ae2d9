"""Two web processes, workers, beats and listeners behind one proxy, each killed: nothing lost, nothing double."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from tests.drills.rig.desk import Desk, using
from tests.drills.rig.listeners import Listener
from tests.drills.rig.parts import Part
from tests.drills.rig.whole import Whole, whole
from tests.processes import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.long, pytest.mark.timeout(300)]

MOST_BROKEN = 2
"""Answers that may break with one web process's kill: those that were under way there."""
_TWICE = """SELECT count(*) FROM (SELECT 1 FROM prices_referencepricehistory
    GROUP BY market_id, delivery_start, delivery_end, last_update HAVING count(*) > 1) AS twice"""


def test_each_is_killed_in_turn(desk: Desk, tmp_path: Path, dice: random.Random) -> None:
    desk.row.done = "two of each behind a proxy, each killed in turn at 50 trades/s"
    with whole(desk, tmp_path, lambda _kind: {}, of_each=2, webs=2) as running:
        desk.feed.push(2500, rate=50)
        victims: list[Part | Listener] = [*running.parts.parts, *running.pair]
        dice.shuffle(victims)
        worst = max(_kill(running, victim) for victim in victims)
        worst = max(worst, running.settle())
        answers = Counter(running.reader.answers)
        desk.row.note(worst=worst, of=f"until the open page was right; answers {dict(answers)}")
        running.verify()
        assert answers.keys() <= {200, 502}
        assert answers[502] <= 2 * MOST_BROKEN
        assert desk.gaps() == []
        with using(desk.url), connection.cursor() as cursor:
            cursor.execute(_TWICE)
            assert cursor.fetchone() == (0,)


def _kill(running: Whole, victim: Part | Listener) -> float:
    """kill -9, and the next one a moment later; seconds until the open page was right without it."""
    if isinstance(victim, Listener):
        victim.kill()
    else:
        victim.end()
    seen = len(running.desk.stored_ids())
    wait_until(lambda: len(running.desk.stored_ids()) >= seen + 20, "20 more trades")
    lag = running.reader.lag()
    if isinstance(victim, Listener):
        victim.start(**running.names("listener"))
    else:
        victim.start()
        victim.wait_ready()
    return lag
