"""By hour and by quarter hour the clock has a statement of its own: it says what the one of all readings says."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from dashboard.figures.earnings.clock import Wanted, load_clock
from dashboard.figures.earnings.clock_sql import CLOCK
from dashboard.figures.earnings.rows_clock_sql import rows_clock
from dashboard.figures.history import load_history
from dashboard.figures.history_sql import priced
from dashboard.figures.readings import Reading
from market.models import Market, ReferenceRule
from tests.dashboard.figures.earnings.test_clock import assert_is_the_history
from tests.dashboard.figures.earnings.worlds import FIRST, Worlds, world

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

WORLDS = 40
RULES = ((15, "hour", 6), (0, "hour", 12), (30, "none", 20), (15, "none", 40), (30, "hour", 44), (15, "own", 60))
"""Minutes, source, and on which day of the worlds it begins."""


def rows(statement: str, wanted: Wanted) -> dict[Any, tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, wanted.parameters())
        return {row[:3]: row[3:] for row in cursor.fetchall()}


@pytest.mark.parametrize("rules", [(), RULES], ids=["own prices", "rules of prices"])
def test_both_statements_say_the_same(rules: tuple[tuple[int, str, int], ...]) -> None:
    chance = random.Random(412)
    worlds = Worlds(WORLDS, chance)
    for minutes, source, offset in rules:
        day = FIRST + timedelta(days=offset)
        ReferenceRule.objects.create(market=worlds.market, minutes=minutes, source=source, valid_from=day)
    market = Market.objects.get(pk=worlds.market.pk)
    stand_in = 0
    for number in range(WORLDS):
        trader = chance.choice([None, *worlds.traders])
        for reading in (Reading.HOUR, Reading.QUARTER):
            wanted = Wanted(market, trader, world(number), reading)
            found = rows(rows_clock(market, reading.minutes or 0), wanted)
            assert found == rows(priced(CLOCK, market, reading, beside="step,"), wanted)
            stand_in += any(row[-1] for row in found.values())
            history = load_history(market=market, trader=trader, days=wanted.days, reading=reading)
            assert_is_the_history(load_clock(wanted), history)
    assert bool(stand_in) == bool(rules)
