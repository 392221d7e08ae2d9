"""What the recorded publications teach the policy: how late they come, and which markets publish at the same moments.

The price history is the record; it is read at most once an hour and process. Forgetting costs nothing but a little
freshness: the policy then starts from a uniform delay again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from prices import queries
from prices.polling.delays import NOTHING_LEARNT, Learnt, learn
from prices.publications import Publication, PublicationClock

LOOK_BACK = timedelta(days=2)
RELEARN_SECONDS = 3600.0

FEWEST_SHARED_SLOTS = 12
"""Two markets' publications are compared over at least so many slots (two hours) before they count as common."""

SAME_MOMENT_SECONDS = 1.5
"""Stamps are often cut to whole seconds: this near is the same moment."""

TOGETHER_SHARE = 0.9
MOST_MOMENTS_A_SLOT = 2.0
"""With more moments a slot on average a market's periods come one by one, and its first one says little."""


def learnt_from(publications: Iterable[Publication], rhythms: Mapping[int, PublicationClock]) -> Learnt:
    """What these publications of the last days say. Pure; their order doesn't matter. `rhythms` by market."""
    seen: dict[int, dict[float, list[float]]] = {}
    for publication in publications:
        rhythm = rhythms[publication.market_id]
        delay = delay_of(publication, rhythm)
        if delay is not None:
            slot = rhythm.slot_of_update(publication.last_update)
            seen.setdefault(publication.market_id, {}).setdefault(slot, []).append(delay)
    delays = {
        market_id: learn((d for of_slot in slots.values() for d in of_slot), rhythms[market_id].late_window)
        for market_id, slots in seen.items()
    }
    firsts = {market_id: _first_of_slots(slots) for market_id, slots in seen.items()}
    together: dict[int, int] = {}
    for rhythm in set(rhythms.values()):  # a market of another rhythm says nothing in every second or third slot
        together |= _together({market_id: first for market_id, first in firsts.items() if rhythms[market_id] == rhythm})
    return Learnt(delays, together)


def delay_of(publication: Publication, rhythm: PublicationClock) -> float | None:
    """Seconds after its slot at which the publication was out, None when it can't be told.

    The provider's own stamp is believed when it says more than the bare slot; else the first sight of it counts. When
    first sight came much later than a chase would allow, nobody was looking.
    """
    slot = rhythm.slot_of_update(publication.last_update)
    stated, seen = publication.last_update - slot, publication.seen_at - slot
    if not rhythm.is_aligned(publication.last_update) or seen > rhythm.interval:
        return None
    if stated <= 0:
        return max(0.0, seen) if seen < 2 * rhythm.late_window else None
    return min(stated + 0.5, max(seen, stated)) if stated.is_integer() else stated


def _first_of_slots(slots: Mapping[float, Collection[float]]) -> dict[float, float]:
    """The first delay of each slot; nothing for a market whose periods come one by one."""
    moments = sum(map(len, slots.values()))
    return {slot: min(d) for slot, d in slots.items()} if moments <= MOST_MOMENTS_A_SLOT * len(slots) else {}


def _together(firsts: Mapping[int, Mapping[float, float]]) -> dict[int, int]:
    """Each market of a group to the group's first one."""
    groups: dict[int, list[int]] = {}
    for market_id in sorted(firsts):
        leader = next((other for other in groups if _same_moments(firsts[other], firsts[market_id])), market_id)
        groups.setdefault(leader, []).append(market_id)
    return {market_id: leader for leader, group in groups.items() if len(group) > 1 for market_id in group}


def _same_moments(first: Mapping[float, float], other: Mapping[float, float]) -> bool:
    shared = first.keys() & other.keys()
    same = sum(abs(first[slot] - other[slot]) <= SAME_MOMENT_SECONDS for slot in shared)
    return len(shared) >= FEWEST_SHARED_SLOTS and same >= TOGETHER_SHARE * len(shared)


@dataclass
class Memory:
    """What was learnt last, and when; one for all threads of a process."""

    _learnt: Learnt = NOTHING_LEARNT
    _about: frozenset[tuple[int, float]] | None = None
    _until: float = 0.0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def recall(self, *, intervals: Mapping[int, float], now: float) -> Learnt:
        """What is known of these markets at `now` (POSIX seconds), each with the seconds between its publications.

        One query an hour, and when the markets or their rhythms change.
        """
        about = frozenset(intervals.items())
        with self._lock:
            if self._about != about or time.monotonic() >= self._until:
                since = now - LOOK_BACK.total_seconds()
                publications = queries.publications(market_ids=intervals.keys(), since=since)
                rhythms = {market_id: PublicationClock(interval) for market_id, interval in intervals.items()}
                self._learnt, self._about = learnt_from(publications, rhythms), about
                self._until = time.monotonic() + RELEARN_SECONDS
            return self._learnt

    def forget(self) -> None:
        """Read the record anew the next time."""
        with self._lock:
            self._about = None


memory = Memory()
