"""What is open at the desk, from facts to sentences; and each names a runbook that is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.figures.feed_status import FeedStates
from dashboard.figures.incidents import Facts, Incident, Level, clock_incidents, incidents, standby_incidents
from market.clock_state import ClockState, MovedClock
from market.statements.standby import StandbyState, Trouble
from prices.feed import StandstillReason as Why
from tests.dashboard.boards import the_feeds
from trades.feed.status import ListenerState

RUNBOOKS = Path(__file__).resolve().parents[3] / "docs" / "runbooks"
ONE, TWO = ListenerState("l1", False, 0, 0), ListenerState("l2", False, 0, 0)
WELL = Facts("DE", the_feeds(), (ONE, TWO), gaps=0, quarantine={"unusable": 0, "conflict": 0}, refused=False)


def standing_still(why: Why) -> FeedStates:
    feeds = the_feeds(prices="down")
    return replace(feeds, prices=replace(feeds.prices, why=why))


def only(facts: Facts) -> Incident:
    [found] = incidents(facts)
    assert (RUNBOOKS / f"{found.runbook}.md").exists()
    return found


def test_a_desk_that_is_well_has_nothing_open() -> None:
    assert incidents(WELL) == []


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (replace(WELL, feeds=the_feeds(connected=False), listeners=()), Level.ALARM, "No listener is connected"),
        (replace(WELL, listeners=(ONE,)), Level.NOTICE, "Only one listener"),
        (replace(WELL, listeners=(ONE, replace(TWO, journal_failed=True))), Level.ALARM, "disk of l2 fails"),
        (replace(WELL, listeners=(ONE, replace(TWO, waiting=100))), Level.ALARM, "100 frames of l2 wait"),
        (replace(WELL, listeners=(ONE, replace(TWO, overflows=1))), Level.ALARM, "memory of l2 was full"),
        (replace(WELL, refused=True), Level.ALARM, "429"),
        (replace(WELL, feeds=the_feeds(prices="down")), Level.ALARM, "does not answer"),
        (replace(WELL, feeds=standing_still(Why.UNUSABLE)), Level.ALARM, "answers can't be used"),
        (replace(WELL, feeds=standing_still(Why.FUTURE)), Level.ALARM, "times are in the future"),
        (replace(WELL, feeds=standing_still(Why.REFUSED)), Level.ALARM, "refuses requests"),
        (replace(WELL, feeds=standing_still(Why.UNASKED)), Level.ALARM, "Nobody asks"),
        (replace(WELL, feeds=the_feeds(prices="none")), Level.NOTICE, "answers, and has no price"),
        (replace(WELL, feeds=the_feeds(prices="late")), Level.NOTICE, "is late"),
        (replace(WELL, corrected_finals=1), Level.NOTICE, "1 final price was corrected"),
        (replace(WELL, corrected_finals=2), Level.NOTICE, "2 final prices were corrected"),
        (replace(WELL, gaps=1), Level.NOTICE, "1 gap of the exchange feed has"),
        (replace(WELL, gaps=2), Level.NOTICE, "2 gaps of the exchange feed have"),
        (replace(WELL, quarantine={"conflict": 1}), Level.NOTICE, "1 conflict with a stored trade"),
        (replace(WELL, quarantine={"unusable": 3}), Level.NOTICE, "3 frames that could not be used wait"),
    ],
)
def test_each_trouble_is_one_sentence_with_a_runbook(facts: Facts, level: Level, words: str) -> None:
    found = only(facts)
    assert (found.level, found.market) == (level, "DE")
    assert words in found.sentence


def test_a_burst_that_is_being_stored_is_no_incident() -> None:
    assert incidents(replace(WELL, listeners=(ONE, replace(TWO, waiting=99)))) == []


def test_alarms_come_first() -> None:
    found = incidents(replace(WELL, gaps=1, refused=True, quarantine={"conflict": 1}))
    assert [one.level for one in found] == [Level.ALARM, Level.NOTICE, Level.NOTICE]


def test_clocks_that_are_moved_are_named_with_how_far_and_which_way() -> None:
    state = ClockState((MovedClock("PostgreSQL", -300.2), MovedClock("worker a 7", 3600)), stepped_by=-60.0)
    assert [one.sentence for one in clock_incidents(state)] == [
        "The desk's time was set 60 s behind within the last hour, by all its clocks.",
        "The clock of PostgreSQL is 300 s behind: the desk does not follow it.",
        "The clock of worker a 7 is 3600 s ahead: the desk does not follow it.",
    ]
    assert {one.runbook for one in clock_incidents(state)} == {"clock-moved"}
    assert clock_incidents(ClockState(())) == []


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Trouble.AWAY, "does not answer"),
        (Trouble.LATE, "is behind"),
        (Trouble.FOREIGN, "no standby of this primary"),
        (Trouble.FAILED, "given up within the last minute"),
        (Trouble.UNKNOWN, "not known"),
    ],
)
def test_a_standby_that_is_not_read_is_a_notice(trouble: Trouble, words: str) -> None:
    [found] = standby_incidents(StandbyState(trouble))
    assert (found.level, found.market) == (Level.NOTICE, "")
    assert words in found.sentence
    assert (RUNBOOKS / f"{found.runbook}.md").exists()


@pytest.mark.parametrize("state", [None, StandbyState(None, 0)])
def test_none_and_one_that_is_read_are_nothing(state: StandbyState | None) -> None:
    assert standby_incidents(state) == []
