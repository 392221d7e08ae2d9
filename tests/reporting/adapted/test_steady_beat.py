"""How often beat looks whether a tick is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from celery.beat import Scheduler
from celery.schedules import schedule
from django.conf import settings

from reporting.adapted.steady_beat import SteadyScheduler

EVERY = {"quick": 5.0, "slow": 12.0}
A_LOOK = timedelta(milliseconds=0.1)
"""What one look takes here: the clock stands still otherwise."""


class Clock:
    """A clock that the test winds on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def looks(kind: type[Scheduler], ticks: int) -> tuple[int, dict[str, list[datetime]]]:
    """How often a scheduler looked until so many ticks were sent, as beat's service has it look; and when they were."""
    clock = Clock()
    sent: dict[str, list[datetime]] = {name: [] for name in EVERY}

    class Counted(kind):  # type: ignore[valid-type, misc]
        def apply_entry(self, entry: Any, producer: Any = None) -> None:
            sent[entry.name].append(clock.now)

    entries = {
        name: {"task": name, "schedule": schedule(seconds, nowfun=lambda: clock.now)} for name, seconds in EVERY.items()
    }
    beat = Counted(app=Celery("ticks", broker="memory://", set_as_current=False), schedule={}, lazy=True)
    beat.merge_inplace(entries)
    looked = 0
    while sum(map(len, sent.values())) < ticks:
        looked += 1
        interval = beat.tick()
        clock.now += A_LOOK
        if interval and interval > 0:
            clock.wait(interval)
    return looked, sent


def test_it_sleeps_until_a_tick_is_due() -> None:
    looked, sent = looks(SteadyScheduler, ticks=20)
    assert looked <= 3 * 20
    for name, seconds in EVERY.items():
        gaps = [(after - before).total_seconds() for before, after in zip(sent[name], sent[name][1:], strict=False)]
        assert seconds <= min(gaps) <= max(gaps) < seconds + 0.01, name


def test_celery_s_own_looks_a_hundred_times() -> None:
    assert looks(Scheduler, ticks=20)[0] > 50 * 20


def test_the_desk_s_beat_is_it() -> None:
    assert f"{SteadyScheduler.__module__}:{SteadyScheduler.__name__}" == settings.CELERY_BEAT_SCHEDULER


@pytest.mark.parametrize("seconds", [0, 0.005, 30.0])
def test_what_is_left_is_not_shortened(seconds: float) -> None:
    assert SteadyScheduler.adjust(SteadyScheduler.__new__(SteadyScheduler), seconds) == seconds
