"""Holes between connections: what nobody heard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from trades.feed.gaps import ConnectionSpan, UncoveredTime, uncovered_times

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
CERTAIN = timedelta(seconds=12)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def heard(start: float, until: float, over: bool = True) -> ConnectionSpan:
    return ConnectionSpan(at(start), at(until), over)


def found(*connections: ConnectionSpan, now: float = 1000) -> list[tuple[float, float]]:
    result = uncovered_times(connections, now=at(now), certain_after=CERTAIN)
    return [((h.start - START).total_seconds(), (h.end - START).total_seconds()) for h in result]


def test_between_two_connections_of_one_listener() -> None:
    assert found(heard(0, 10), heard(12, 20, over=False)) == [(10, 12)]


def test_an_overlapping_second_listener_leaves_no_hole() -> None:
    assert found(heard(0, 10), heard(12, 20), heard(5, 15)) == []


def test_one_that_may_still_be_alive_is_believed_for_a_while() -> None:
    silent = heard(0, 10, over=False)
    assert found(silent, heard(14, 15, over=False), now=15) == []
    assert found(silent, heard(14, 40, over=False), now=40) == [(10, 14)]


def test_the_end_is_open() -> None:
    assert found(heard(0, 10)) == []
    assert found() == []


spans = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=12)


@given(spans)
def test_holes_are_exactly_what_no_connection_covers(pieces: list[tuple[int, int]]) -> None:
    connections = [heard(start, start + length) for start, length in pieces]
    result = uncovered_times(connections, now=at(1000), certain_after=CERTAIN)
    if not pieces:
        assert result == []
        return
    first, last = min(s for s, _ in pieces), max(s for s, _ in pieces)
    for second in range(first, last):
        moment = at(second + 0.5)
        covered = any(c.start <= moment <= c.until for c in connections)
        assert covered != any(h.start < moment < h.end for h in result)
    assert result == sorted(result, key=lambda h: h.start)
    assert all(isinstance(h, UncoveredTime) and h.start < h.end for h in result)
