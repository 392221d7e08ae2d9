"""Rates of cases, beside the dumb rule, by groups."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dashboard.assumptions.intervals import Pairs
from dashboard.assumptions.rates import (
    Case,
    Rate,
    best_and_worst,
    grouped,
    rate_of,
    time_left_group,
)
from dashboard.assumptions.rules import Claim, Theory, Verdict

D = Decimal
UP = Theory(Claim.UP)


def case(
    move: str,
    *,
    change: str | None = "1",
    theory: Theory = UP,
    late: bool = False,
    tags: tuple[str, ...] = (),
    **more: object,
) -> Case:
    """An assumption frozen at 100 after this change, final after this move."""
    final = D(100) + D(move)
    confidence = more.get("confidence")
    return Case(
        theory=theory,
        verdict=theory.verdict(D(100), final),
        late=late,
        frozen=D(100),
        last_change=D(change) if change else None,
        final=final,
        confidence=confidence if isinstance(confidence, int) else None,
        tags=tags,
    )


def test_a_rate_counts_what_was_judged_right_or_wrong_in_time() -> None:
    cases = [case("2"), case("3", change="-1"), case("-1"), case("0"), case("4", late=True), case("5", change=None)]
    waiting = Case(UP, Verdict.WAITING, False, None, None, None)
    rate = rate_of([*cases, waiting])
    assert (rate.judged, rate.right, rate.rate) == (4, 3, 0.75)
    assert rate.pairs == Pairs(both=1, only_own=1, only_other=0, neither=1)
    assert rate.interval is not None
    assert rate.is_grey
    assert waiting.baseline is None
    assert not rate_of([case("1")] * 20).is_grey
    assert (Rate().rate, Rate().interval) == (None, None)


def test_confidence_is_scored_where_it_was_given() -> None:
    rate = rate_of([case("1", confidence=80), case("-1", confidence=70), case("1")])
    assert rate.brier == pytest.approx((0.04 + 0.49) / 2)
    assert [(line.confidence, line.judged, line.right) for line in rate.reliability] == [(70, 1, 0), (80, 1, 1)]


def test_a_case_counts_in_each_of_its_tags() -> None:
    groups = grouped([case("1", tags=("wind", "gap")), case("-1", tags=("wind",))], lambda c: c.tags)
    assert {tag: (rate.judged, rate.right) for tag, rate in groups.items()} == {"wind": (2, 1), "gap": (1, 1)}


@pytest.mark.parametrize(("minutes", "group"), [(0, 0), (29, 0), (30, 1), (240, 4), (480, 5), (2000, 5)])
def test_groups_by_time_left(minutes: int, group: int) -> None:
    assert time_left_group(minutes) == group


def test_the_best_and_the_worst_tags_have_enough_cases() -> None:
    tags = {f"t{n}": Rate(20, 0, Pairs(0, n, 20 - n, 0)) for n in range(5)}
    best, worst = best_and_worst({**tags, "few": Rate(19, 19, Pairs(0, 19, 0, 0))})
    assert (best, worst) == (["t4", "t3", "t2"], ["t0", "t1"])
