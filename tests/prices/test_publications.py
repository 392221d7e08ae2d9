"""The provider's rhythm: publication times aligned to the clock, however late they come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prices.publications import LATE_WINDOW, Publication, PublicationClock

TEN_MINUTES = PublicationClock(600)
SLOT = 1_764_000_000.0  # a multiple of 600
moments = st.floats(SLOT, SLOT + 10**6, allow_nan=False)


def test_publication_times_are_multiples_of_the_interval() -> None:
    assert SLOT % 600 == 0
    assert [TEN_MINUTES.slot(SLOT + s) - SLOT for s in (0, 1, 599.9, 600)] == [0, 0, 0, 600]
    assert [TEN_MINUTES.next_slot(SLOT + s) - SLOT for s in (0, 1, 599.9, 600)] == [0, 600, 600, 600]


@pytest.mark.parametrize(("interval", "window"), [(600, LATE_WINDOW), (60, LATE_WINDOW), (30, 15), (10, 5)])
def test_the_late_window_is_half_of_a_short_interval(interval: float, window: float) -> None:
    assert PublicationClock(interval).late_window == window


@given(moments)
def test_a_moment_lies_between_its_publication_times(moment: float) -> None:
    assert TEN_MINUTES.slot(moment) <= moment <= TEN_MINUTES.next_slot(moment)


@pytest.mark.parametrize(
    ("after", "aligned"), [(0, True), (-59, True), (30, True), (119, True), (121, False), (300, False)]
)
def test_a_late_stamp_is_still_of_the_clocks_rhythm(after: float, aligned: bool) -> None:
    assert TEN_MINUTES.is_aligned(SLOT + after) is aligned


def test_the_next_publication_follows_the_known_one_or_the_clock() -> None:
    now = SLOT + 700
    assert TEN_MINUTES.next_publication(None, now) == SLOT + 600
    assert TEN_MINUTES.next_publication(SLOT + 5, SLOT + 100) == SLOT + 600
    assert TEN_MINUTES.next_publication(SLOT + 5, SLOT + 1900) == SLOT + 1800, "those in between will not come"
    assert TEN_MINUTES.next_publication(SLOT + 300, now) == SLOT + 900, "away from the clock's rhythm: its own"


@pytest.mark.parametrize(("last_update", "due"), [(5, 600), (59, 600), (300, 900)])
def test_a_missed_publication_was_due_once(last_update: float, due: float) -> None:
    """However long ago: later publication times make nothing fresher."""
    assert TEN_MINUTES.due_after(SLOT + last_update) == SLOT + due


def test_a_publication_says_whose_and_when() -> None:
    assert Publication(1, SLOT, SLOT + 3).seen_at - SLOT == 3
