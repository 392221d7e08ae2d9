"""Claims, verdicts and links by examples of docs/assumptions.md; the oracle beside it shares no code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.assumptions.rules import (
    Claim,
    Expected,
    Judgement,
    Theory,
    Verdict,
    first_to_freeze,
    followed,
    goes_on,
    is_late,
    judgements,
    minutes_left,
)

D = Decimal
GATE = datetime(2026, 11, 23, 10, 55, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Point:
    value: Decimal
    last_update: datetime
    arrived_at: datetime


def point(value: str, minutes: float, *, late: float = 0.2) -> Point:
    """Published so many minutes after the gate closure, here a little later."""
    updated = GATE + minutes * MINUTE
    return Point(D(value), updated, updated + late * MINUTE)


@pytest.mark.parametrize(
    ("claim", "threshold", "final", "verdict"),
    [
        ("up", None, "100.01", "right"),
        ("up", None, "100.0099", "flat"),
        ("up", None, "100", "flat"),
        ("up", None, "99.99", "wrong"),
        ("up", "2", "102", "right"),
        ("up", "2", "101.99", "flat"),
        ("up", "2", "98", "wrong"),
        ("up", "0", "100", "flat"),
        ("down", None, "99.99", "right"),
        ("down", "3", "-20", "right"),
        ("down", "3", "98", "flat"),
        ("down", "3", "103", "wrong"),
        ("within", "5", "105", "right"),
        ("within", "5", "95", "right"),
        ("within", "5", "105.0001", "wrong"),
        ("within", "0", "100", "right"),
        ("above", "120", "120", "flat"),
        ("above", "120", "120.0001", "right"),
        ("above", "-10", "-11", "wrong"),
        ("below", "120", "119", "right"),
        ("below", "120", "120", "flat"),
        ("below", "-10", "-9", "wrong"),
    ],
)
def test_what_a_final_says(claim: str, threshold: str | None, final: str, verdict: str) -> None:
    theory = Theory(Claim(claim), D(threshold) if threshold else None)
    assert theory.verdict(D(100), D(final)) == verdict
    assert theory.verdict(None, D(final)) is Verdict.VOID


@pytest.mark.parametrize(
    ("claim", "threshold", "price", "favour", "broken"),
    [
        ("up", None, "101.8", "1.8", False),
        ("up", None, "95", "-5", True),
        ("down", None, "105", "-5", True),
        ("down", None, "104.99", "-4.99", False),
        ("within", "2", "101", "1", False),
        ("within", "2", "107", "-5", True),
        ("above", "110", "101", "-9", False),
        ("above", "110", "94", "-16", False),
        ("above", "110", "95", "-15", True),
        ("above", "90", "85", "-5", True),
        ("below", "90", "104", "-14", False),
        ("below", "90", "105", "-15", True),
    ],
)
def test_in_favour_and_broken(claim: str, threshold: str | None, price: str, favour: str, broken: bool) -> None:
    theory = Theory(Claim(claim), D(threshold) if threshold else None)
    if claim == "above" and price == "94":
        theory = Theory(Claim.ABOVE, D(110), broken_at=D(7))
    assert theory.in_favour(D(100), D(price)) == D(favour)
    assert theory.is_broken(D(100), [D(100), D(price), D(100)]) is broken, "once is enough"


@pytest.mark.parametrize(
    ("claim", "change", "final", "verdict"),
    [
        ("up", "0.5", "101", "right"),
        ("down", "0.5", "101", "right"),
        ("down", "-0.5", "101", "wrong"),
        ("up", "-3", "99", "right"),
        ("up", "-3", "100", "flat"),
        ("up", "0", "101", None),
        ("up", None, "101", None),
        ("within", "1", "101", None),
        ("above", "1", "101", None),
    ],
)
def test_the_dumb_rule_goes_on_as_it_last_moved(
    claim: str, change: str | None, final: str, verdict: str | None
) -> None:
    theory = Theory(Claim(claim), D(1) if claim in {"within", "above"} else None)
    assert goes_on(theory, D(change) if change else None, D(100), D(final)) == verdict


def test_the_last_ten_minutes_are_late() -> None:
    gates = [GATE, GATE + 60 * MINUTE]
    assert is_late(GATE - 10 * MINUTE, gates)
    assert not is_late(GATE - 10 * MINUTE - timedelta(microseconds=1), gates)


def test_what_waits_takes_the_first_price_but_never_a_final() -> None:
    path = [point("3", -5), point("1", -25), point("2", -15)]
    first = first_to_freeze(path, GATE)
    assert first is not None
    assert first.value == 1
    assert first_to_freeze([point("9", 0)], GATE) is None
    assert first_to_freeze([], GATE) is None


def test_each_final_is_judged_and_what_comes_too_late_was_void_before() -> None:
    theory, before = Theory(Claim.UP), point("99", -10)
    path = [before, point("101", 5), point("98", 30)]
    assert list(judgements(theory, D(100), GATE, path, GATE + 40 * MINUTE)) == [
        Judgement(Verdict.RIGHT, D(101), GATE + 5 * MINUTE, D(1)),
        Judgement(Verdict.WRONG, D(98), GATE + 30 * MINUTE, D(-2)),
    ]
    none_yet = [before]
    assert list(judgements(theory, D(100), GATE, none_yet, GATE + 60 * MINUTE)) == []
    assert list(judgements(theory, D(100), GATE, none_yet, GATE + 61 * MINUTE)) == [Judgement(Verdict.VOID)]
    late = [point("101", 5, late=56)]
    assert [j.verdict for j in judgements(theory, D(100), GATE, late, GATE + 90 * MINUTE)] == ["void", "right"]
    (without,) = judgements(theory, None, GATE, [point("101", 5)], GATE + 6 * MINUTE)
    assert (without.verdict, without.final_price, without.move) == ("void", D(101), None)


def test_a_trade_follows_the_newest_open_one_of_its_side() -> None:
    begun = GATE - 60 * MINUTE
    up, newer, down = (
        Expected(1, Claim.UP, begun, GATE),
        Expected(2, Claim.UP, begun + MINUTE, GATE - 30 * MINUTE),
        Expected(3, Claim.DOWN, begun + 2 * MINUTE, GATE),
    )
    open_ones = [newer, up, down, Expected(4, Claim.WITHIN, begun + 3 * MINUTE, GATE)]
    assert followed("buy", begun + 5 * MINUTE, open_ones) is newer
    assert followed("buy", GATE - 30 * MINUTE, open_ones) is up, "withdrawn ones are open no more"
    assert followed("sell", begun + 5 * MINUTE, open_ones) is down
    assert followed("sell", begun + MINUTE, open_ones) is None
    assert followed("buy", GATE, open_ones) is None


def test_minutes_left_are_whole_ones() -> None:
    assert minutes_left(GATE - 42.9 * MINUTE, GATE) == 42
    assert minutes_left(GATE, GATE) == 0
