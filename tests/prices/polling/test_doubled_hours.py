"""Answers for the hour that exists twice on the day the clocks go back: which pass they are for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from market.labels import parse_period
from prices.polling.provider import BadAnswer, Published, parse_answer
from tests.prices.polling.test_provider import BERLIN, NOW, body, question


def test_the_hour_that_exists_twice() -> None:
    day = date(2026, 10, 25)
    first, second = (parse_period(day, label, BERLIN).period for label in ("02-03A", "02-03B"))
    for said, fits_first in (("02-03A", True), ("02a-02b", True), ("02-03B", False)):
        raw = body(delivery_day="2026-10-25", delivery_hour=said)
        for period, fits in ((first, fits_first), (second, not fits_first)):
            asked = replace(question(day=day, period=period), now=NOW)
            if fits:
                assert isinstance(parse_answer(raw, asked), Published)
            else:
                with pytest.raises(BadAnswer, match="another period"):
                    parse_answer(raw, asked)


@pytest.mark.parametrize("label", ["02-03", "02:15-02:30"])
def test_an_answer_for_a_bare_doubled_hour_belongs_to_neither_pass(label: str) -> None:
    """Which of the two it is for nobody can tell: a price for the wrong hour is worse than none."""
    day = date(2026, 10, 25)
    raw = body(delivery_day="2026-10-25", delivery_hour=label)
    for mark in "AB":
        period = parse_period(day, f"{label}{mark}", BERLIN).period
        with pytest.raises(BadAnswer, match="exists twice on that day"):
            parse_answer(raw, replace(question(day=day, period=period), now=NOW))
