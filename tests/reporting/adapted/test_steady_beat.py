"""How often beat looks whether a tick is due."""

from __future__ import annotations

import time
from typing import Any

import pytest
from celery import Celery
from celery.beat import Scheduler
from celery.schedules import schedule
from django.conf import settings

from reporting.adapted.steady_beat import SteadyScheduler

EVERY = {"quick": 0.05, "slow": 0.12}


def looks(kind: type[Scheduler], ticks: int) -> tuple[int, dict[str, list[float]]]:
    """How often a scheduler looked until so many ticks were sent, as beat's service has it look; and when they were."""
    sent: dict[str, list[float]] = {name: [] for name in EVERY}

    class Counted(kind):  # type: ignore[valid-type, misc]
        def apply_entry(self, entry: Any, producer: Any = None) -> None:
            sent[entry.name].append(time.monotonic())

    entries = {name: {"task": name, "schedule": schedule(seconds)} for name, seconds in EVERY.items()}
    app = Celery("ticks", broker="memory://", set_as_current=False)
    beat = Counted(app=app, schedule={}, lazy=True)
    beat.merge_inplace(entries)
    looked = 0
    while sum(map(len, sent.values())) < ticks:
        looked += 1
        interval = beat.tick()
        if interval and interval > 0:
            time.sleep(interval)
    return looked, sent


def test_it_sleeps_until_a_tick_is_due() -> None:
    looked, sent = looks(SteadyScheduler, ticks=12)
    assert looked <= 3 * 12
    for name, seconds in EVERY.items():
        gaps = [after - before for before, after in zip(sent[name], sent[name][1:], strict=False)]
        assert min(gaps) > 0.9 * seconds, name
    assert len(sent["quick"]) > len(sent["slow"]) > 1


def test_the_desk_s_beat_is_it() -> None:
    assert f"{SteadyScheduler.__module__}:{SteadyScheduler.__name__}" == settings.CELERY_BEAT_SCHEDULER


@pytest.mark.parametrize("seconds", [0, 0.005, 30.0])
def test_what_is_left_is_not_shortened(seconds: float) -> None:
    assert SteadyScheduler.adjust(SteadyScheduler.__new__(SteadyScheduler), seconds) == seconds
