"""How far a file covers a gap, in intervals and in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trades.feed.gap_coverage import Interval, OpenGap, covers, objections_to, without


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC)


GAP = OpenGap(7, at(10), at(11))


@pytest.mark.parametrize(
    ("file", "covered", "missing", "words"),
    [
        ((at(9), at(12)), (at(10), at(11)), (), "covered"),
        ((at(10, 20), at(12)), (at(10, 20), at(11)), ((at(10), at(10, 20)),), "10:00:00 to 10:20:00 UTC"),
        ((at(9), at(10, 30)), (at(10), at(10, 30)), ((at(10, 30), at(11)),), "10:30:00 to 11:00:00 UTC"),
        (
            (at(10, 10), at(10, 50)),
            (at(10, 10), at(10, 50)),
            ((at(10), at(10, 10)), (at(10, 50), at(11))),
            "10:00:00 to 10:10:00 UTC, 2026-11-23 10:50:00 to 11:00:00 UTC",
        ),
        ((at(11, 1), at(12)), None, ((at(10), at(11)),), "executed at another time"),
        (None, None, ((at(10), at(11)),), "executed at another time"),
    ],
)
def test_a_file_covers_what_lies_between_its_executions(
    file: Interval | None, covered: Interval | None, missing: tuple[Interval, ...], words: str
) -> None:
    (cover,) = covers([GAP], file, [])
    assert (cover.covered, cover.missing, cover.closes) == (covered, missing, not missing)
    assert words in str(cover)


def test_two_files_cover_together_what_neither_covers_alone() -> None:
    (cover,) = covers([OpenGap(7, at(10), at(11), ((at(10), at(10, 30)),))], (at(10, 30), at(12)), [])
    assert cover.closes


def test_an_objection_leaves_the_gap_open_and_says_why() -> None:
    objections = objections_to(unread=2, traders={"trader_9"}, lengths={timedelta(minutes=15)})
    (cover,) = covers([GAP], (at(9), at(12)), objections)
    assert (cover.covered, cover.closes) == (None, False)
    for words in ("2 lines of the file could not be booked", "no trades of trader_9", "no periods of 15 minutes"):
        assert words in str(cover)
    assert objections_to(unread=0, traders=set(), lengths=set()) == []


def test_blocks_are_named_once_and_without_their_lengths() -> None:
    lengths = {timedelta(minutes=30), *(timedelta(hours=hours) for hours in (2, 24, 25))}
    (sentence,) = objections_to(unread=0, traders=set(), lengths=lengths)
    assert sentence == "the file holds no periods of 30 minutes and no blocks, which the desk trades"


def test_a_gap_over_midnight_names_both_days() -> None:
    (cover,) = covers([OpenGap(1, at(23), at(23) + timedelta(hours=2))], None, [])
    assert "2026-11-23 23:00:00 to 2026-11-24 01:00:00 UTC" in str(cover)


def test_many_traders_are_counted() -> None:
    (sentence,) = objections_to(unread=0, traders={f"t{i}" for i in range(5)}, lengths=set())
    assert "t0, t1, t2 and 2 more" in sentence


minutes = st.integers(0, 59)


@given(st.lists(st.tuples(minutes, minutes)), minutes)
def test_what_is_left_is_what_nothing_took(taken: list[tuple[int, int]], minute: int) -> None:
    """Minute by minute, against sets."""
    intervals = [(at(10, min(pair)), at(10, max(pair))) for pair in taken]
    left = without([(at(10), at(11))], intervals)
    moment = at(10, minute)
    expected = not any(start <= moment < end for start, end in intervals)
    assert any(start <= moment < end for start, end in left) == expected
