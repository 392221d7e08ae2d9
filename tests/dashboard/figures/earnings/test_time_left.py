"""Steps of time left, and leads that close each product's last gate when its market's rules do."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from dashboard.figures.earnings.time_left import LIMITS, Lead, Left, leads, left_of
from market.periods import HOUR, DeliveryPeriod
from market.rules import PRODUCTS, DatedGate, Phase, gate_rules, gates_of, product_of

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 20)
DEFAULT = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("minutes", "left"),
    [(-0.1, Left.AFTER), (0, Left.UNDER_5), (4.9, Left.UNDER_5), (5, Left.UNDER_15), (719, Left.UNDER_720)],
)
def test_steps(minutes: float, left: Left) -> None:
    assert left_of(timedelta(minutes=minutes)) is left
    assert left_of(LIMITS[-1]) is Left.OVER_720 and len(Left) == len(LIMITS) + 1


def some_gates(chance: random.Random) -> list[DatedGate]:
    days = [FIRST + timedelta(days=n) for n in range(-3, 20, 4)]
    return [
        DatedGate(
            chance.choice(days),
            chance.choice([None, *PRODUCTS]),
            chance.choice(list(Phase)),
            chance.choice([None, *(timedelta(minutes=m) for m in (1, 5, 10, 30, 60))]),
            chance.random() < 0.5,
        )
        for _ in range(chance.randint(0, 6))
    ]


def closes_at(found: tuple[Lead, ...], period: DeliveryPeriod, day: date) -> datetime:
    length = min(period.duration, 2 * HOUR)
    (lead,) = (one for one in found if one.length == length and one.valid_from <= day < one.until)
    starts = ((period.start, lead.own), (period.hour_start, lead.hour))
    return max(start - ahead for start, ahead in starts if ahead is not None)


def test_the_last_gate_of_random_rules() -> None:
    chance = random.Random(18)
    for _ in range(300):
        rules = some_gates(chance)
        found = leads(rules, first=FIRST, last=LAST, default_lead=DEFAULT)
        for day in (FIRST, FIRST + timedelta(days=chance.randint(1, 18)), LAST):
            for minutes in (15, 30, 60, 120, 300):
                start = datetime(day.year, day.month, day.day, 8, 30 if minutes < 60 else 0, tzinfo=UTC)
                period = DeliveryPeriod(start, start + timedelta(minutes=minutes))
                held = gate_rules(rules, day=day, product=product_of(period), default_lead=DEFAULT)
                assert closes_at(found, period, day) == gates_of(held, period)[-1].closes_at
