"""When a rule finds something, what an episode is, and when a delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.alerts.rules import (
    MOST_ATTEMPTS,
    QUIET,
    BoardFacts,
    Change,
    Condition,
    Episode,
    Finding,
    Kind,
    Level,
    RowFacts,
    changes,
    of_board,
    pause_after,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def board(*rows: RowFacts, result: str | None = None, samples: tuple[tuple[datetime, Decimal], ...] = ()) -> BoardFacts:
    value = None if result is None else Decimal(result)
    return BoardFacts("trader_1", "DE", "2026-11-23", "EUR", rows, value, samples)


def row(net: str, *minutes: int) -> RowFacts:
    return RowFacts("10-11", Decimal(net), tuple((f"phase{m}", NOW + m * MINUTE) for m in minutes))


@pytest.mark.parametrize(
    ("net", "gates", "fires"),
    [
        ("5", (10, 40), "phase10"),
        ("-5", (10,), "phase10"),
        ("5", (-20, 10), "phase10"),
        ("5", (11,), None),
        ("5", (-1,), None),
        ("0", (5,), None),
        ("4.99", (5,), None),
        ("5", (), None),
    ],
)
def test_open_mwh(net: str, gates: tuple[int, ...], fires: str | None) -> None:
    found = of_board(Condition(Kind.OPEN_MWH, Decimal(5), 10), board(row(net, *gates)), NOW)
    assert [finding.facts["phase"] for finding in found] == ([fires] if fires else [])


@pytest.mark.parametrize(
    ("kind", "threshold", "result", "level"),
    [
        (Kind.RESULT_BELOW, "-100", "-100.01", Level.ALERT),
        (Kind.RESULT_BELOW, "-100", "-100", None),
        (Kind.RESULT_BELOW, "-100", None, None),
        (Kind.LOSS_LIMIT, "100", "-79.99", None),
        (Kind.LOSS_LIMIT, "100", "-80", Level.WARNING),
        (Kind.LOSS_LIMIT, "100", "-100", Level.ALERT),
        (Kind.LOSS_LIMIT, "100", "500", None),
    ],
)
def test_results(kind: Kind, threshold: str, result: str | None, level: Level | None) -> None:
    found = of_board(Condition(kind, Decimal(threshold)), board(result=result), NOW)
    assert [finding.level for finding in found] == ([level] if level else [])


@pytest.mark.parametrize(
    ("samples", "swing"),
    [
        ({-20: "0", -4: "50"}, "100"),
        ({-20: "500", -11: "100", -4: "90"}, None),
        ({-20: "0"}, "100"),
        ({-4: "250"}, "-150"),
        ({}, None),
    ],
)
def test_swings(samples: dict[int, str], swing: str | None) -> None:
    taken = tuple((NOW + minutes * MINUTE, Decimal(value)) for minutes, value in samples.items())
    found = of_board(Condition(Kind.RESULT_SWING, Decimal(100), 10), board(result="100", samples=taken), NOW)
    assert [finding.facts["swing"] for finding in found] == ([swing] if swing else [])


def test_an_episode_is_told_once_counted_and_ends_after_quiet() -> None:
    there = Finding("a")
    assert changes([there], [], NOW) == [Change("begins", "a", there)]
    assert changes([there], [Episode("a", Level.ALERT)], NOW) == []
    assert changes([], [Episode("a", Level.ALERT)], NOW) == [Change("clears", "a")]
    clear = Episode("a", Level.ALERT, NOW - QUIET + MINUTE)
    assert changes([], [clear], NOW) == []
    assert changes([there], [clear], NOW) == [Change("again", "a", there)]
    assert changes([], [clear], NOW + MINUTE) == [Change("ends", "a")]


def test_more_of_the_same_is_counted_and_a_warning_gets_worse() -> None:
    more = Finding("a", more=3)
    assert changes([more], [Episode("a", Level.ALERT)], NOW) == [Change("again", "a", more)]
    there = Finding("a")
    assert changes([there], [Episode("a", Level.WARNING)], NOW) == [Change("worse", "a", there)]
    warning = Finding("a", level=Level.WARNING)
    assert changes([warning], [Episode("a", Level.ALERT)], NOW) == []


def test_pauses_grow_and_end() -> None:
    pauses = [pause_after(attempts) for attempts in range(1, MOST_ATTEMPTS + 1)]
    assert pauses[:3] == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=40)]
    assert pauses[-2:] == [timedelta(hours=1), None]
