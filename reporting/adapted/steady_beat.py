"""Celery's beat, which sleeps until a tick is due.

Its own scheduler wakes ten milliseconds before, and asks until then, some 120 times a tick, whether the time has come:
a fifth of what an idle desk's processes cost together. Waking late by a timer's milliseconds harms no tick of ours.
"""

from __future__ import annotations

from celery.beat import Scheduler


class SteadyScheduler(Scheduler):
    """In memory: the schedule of the settings is all there is, no file to lose."""

    def adjust(self, n: float, drift: float = 0.0) -> float:
        """The seconds to a tick, as they are: Celery's takes ten milliseconds off."""
        return n
