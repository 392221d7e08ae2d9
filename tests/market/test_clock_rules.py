"""Whose clock is right: every case of the rules, and that no clock that is moved alone is ever followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.clock_rules import DECIDE_AFTER_SECONDS, Move, Readings, move_for

NOW = 1_780_000_000.0
HOUR = 3600.0


@pytest.mark.parametrize(
    ("own", "shared", "outside", "doubtful", "move"),
    [
        (NOW, NOW + 0.2, None, 0, Move.TAKE),
        (NOW + HOUR, NOW, None, 0, Move.TAKE),
        (NOW, NOW + HOUR, None, 0, Move.HOLD),
        (NOW, NOW - 300, NOW - 300, 0, Move.HOLD),
        (NOW + HOUR, NOW + HOUR, NOW + 3, 0, Move.HOLD),
        (NOW + HOUR, NOW + HOUR, NOW + HOUR - 3, 0, Move.STEP),
        (NOW - 300, NOW - 300, None, 0, Move.WAIT),
        (NOW - 300, NOW - 300, None, DECIDE_AFTER_SECONDS, Move.STEP),
        (NOW - 300, NOW - 300, NOW + 9 * HOUR, DECIDE_AFTER_SECONDS, Move.STEP),
        (NOW + 300, NOW - 300, None, 0, Move.WAIT),
        (NOW + 300, NOW - 300, None, DECIDE_AFTER_SECONDS, Move.HOLD),
    ],
)
def test_what_a_process_does(own: float, shared: float, outside: float | None, doubtful: float, move: Move) -> None:
    assert move_for(Readings(NOW, own, shared, outside, doubtful=doubtful)) is move


def test_a_process_that_has_just_begun_goes_by_the_others() -> None:
    assert move_for(Readings(NOW, NOW, NOW + HOUR, NOW, firm=False)) is Move.TAKE


@given(by=st.floats(2, 1e6) | st.floats(-1e6, -2), outside=st.none() | st.floats(-1e6, 1e6), doubtful=st.floats(0, 1e6))
def test_nobody_follows_one_clock_that_is_moved_alone(by: float, outside: float | None, doubtful: float) -> None:
    elsewhere = None if outside is None else NOW + outside
    own_moved = Readings(NOW, NOW + by, NOW, elsewhere, doubtful=doubtful)
    postgres_moved = Readings(NOW, NOW, NOW + by, elsewhere, doubtful=doubtful)
    assert move_for(own_moved) is Move.TAKE  # of PostgreSQL's, which goes as before
    assert move_for(postgres_moved) is Move.HOLD


@given(
    desk=st.just(NOW),
    own=st.floats(-1e6, 1e6),
    shared=st.floats(-1e6, 1e6),
    outside=st.none() | st.floats(-1e6, 1e6),
    doubtful=st.floats(0, 100),
)
def test_the_desk_steps_only_to_where_two_clocks_agree(
    desk: float, own: float, shared: float, outside: float | None, doubtful: float
) -> None:
    readings = Readings(desk, desk + own, desk + shared, None if outside is None else desk + outside, doubtful=doubtful)
    if move_for(readings) is Move.STEP:
        assert abs(own - shared) <= 1.001 or abs((outside or 0) - shared) <= 15.001
