"""When the provider publishes: the clock's rhythm, and publications that were seen. Pure. Moments: POSIX seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

LATE_WINDOW = 30.0
"""Publication is late by 0 to this many seconds, without a pattern (less for short intervals: half of them)."""


@dataclass(frozen=True, slots=True)
class PublicationClock:
    """The provider's publication times: every `interval` seconds, aligned to the clock."""

    interval: float

    @property
    def late_window(self) -> float:
        return min(LATE_WINDOW, self.interval / 2)

    def slot(self, moment: float) -> float:
        """The publication time at or before `moment`."""
        return math.floor(moment / self.interval) * self.interval

    def slot_of_update(self, last_update: float) -> float:
        """The publication that a last_update belongs to; one stamped a little before its time is forgiven."""
        return self.slot(last_update + self.interval / 10)

    def next_slot(self, moment: float) -> float:
        """The first publication time at or after `moment`."""
        return math.ceil(moment / self.interval) * self.interval

    def is_aligned(self, last_update: float) -> bool:
        """Whether a last_update looks like a publication of the clock's rhythm, a very late one included."""
        after = last_update - self.slot_of_update(last_update)
        return after <= max(self.late_window, self.interval / 5)

    def due_after(self, last_update: float) -> float:
        """When the publication after `last_update` was due, however long ago: it is late until it is there."""
        if not self.is_aligned(last_update):
            return last_update + self.interval
        return self.slot_of_update(last_update) + self.interval

    def next_publication(self, last_update: float | None, now: float) -> float:
        """When the publication after `last_update` is due: in the past while it is being chased."""
        if last_update is None:
            return self.slot(now)
        due = self.due_after(last_update)
        return max(due, self.slot(now)) if self.is_aligned(last_update) else due


class Publication(NamedTuple):
    """One moment at which a market published: by the provider's word, and when we first saw it. POSIX seconds."""

    market_id: int
    last_update: float
    seen_at: float
