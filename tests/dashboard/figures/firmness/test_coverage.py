"""Walking forward over held-out days: bands hold as many finals as they say, in each bucket of time left.

On a process whose quantiles are known, and on the simulator's. Chance here is the process's own; the rules have none.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest

from dashboard.figures.firmness.cases import ClosedPeriod, looked_at, moves_of
from dashboard.figures.firmness.rules import ANY, DAYS, LEFT, NARROW, WIDE, Kind, band_of, firmness_of, part_of_day
from local.simulators.prices import reference
from market.periods import DeliveryPeriod
from prices.past import PathPoint

FIRST = date(2026, 3, 30)
HELD_OUT = 45
BERLIN = ZoneInfo("Europe/Berlin")
LATE = 15.0
Value = Callable[[int, int, int], Decimal]
"""(day, hour, ten minutes since 1970) -> what was published then."""


@lru_cache(maxsize=8)
def steps(day: int, hour: int) -> tuple[float, ...]:
    """A random walk from two days before the gate on: one step of known spread every ten minutes."""
    chance = random.Random(day * 100 + hour)
    walk, value = [], 40.0
    for _ in range(300):
        walk.append(value)
        value += chance.gauss(0, 1)
    return tuple(walk)


def of_known_quantiles(day: int, hour: int, slot: int) -> Decimal:
    first = int((gate_of(day, hour) - LEFT[-1].total_seconds()) // 600)
    return Decimal(repr(round(steps(day, hour)[max(0, slot - first)], 4)))


def of_the_simulator(day: int, hour: int, slot: int) -> Decimal:
    start = start_of(day, hour)
    period = DeliveryPeriod(start, start + timedelta(hours=1))
    return reference(11, period, datetime.fromtimestamp(slot * 600, tz=UTC), BERLIN)


def start_of(day: int, hour: int) -> datetime:
    return datetime.combine(FIRST + timedelta(days=day), datetime.min.time(), tzinfo=UTC) + timedelta(hours=hour)


def gate_of(day: int, hour: int) -> float:
    return start_of(day, hour).timestamp() - 300


def known_at(value: Value, day: int, hour: int, moment: float) -> tuple[Decimal, PathPoint]:
    slot = int((moment - LATE) // 600)
    found = value(day, hour, slot)
    return found, PathPoint(found, slot * 600.0, slot * 600 + LATE)


def closed(value: Value, day: int, hour: int) -> ClosedPeriod:
    """With those of its prices that are looked at, and the final one."""
    gate = gate_of(day, hour)
    moments = [looked_at(gate, left, hour) for left in range(len(LEFT))]
    path = [known_at(value, day, hour, moment)[1] for moment in [*moments, gate + 600 + LATE]]
    return ClosedPeriod(60, part_of_day(hour), gate, path)


@dataclass(slots=True)
class Tally:
    """Of one bucket: how many finals lay in either band, and what was said and happened of turned signs."""

    cases: int = 0
    wide: int = 0
    narrow: int = 0
    said: list[float] = field(default_factory=list)
    turned: int = 0


def walk_forward(value: Value) -> dict[int, Tally]:
    chance = random.Random(5)
    days = [moves_of([closed(value, day, hour) for hour in range(24)], float("inf")) for day in range(DAYS + HELD_OUT)]
    tallies: dict[int, Tally] = defaultdict(Tally)
    for day in range(DAYS, DAYS + HELD_OUT):
        likes = like_moves(days[day - DAYS : day])
        for hour in range(24):
            for left, moment in moments_of(chance, gate_of(day, hour)):
                moves = likes[Kind(60, left, part_of_day(hour))]
                judge(tallies[left], value, (day, hour, moment), moves, chance)
    return tallies


def like_moves(days: list[dict[Kind, list[Decimal]]]) -> dict[Kind, list[Decimal]]:  # type: ignore[type-arg]
    likes: dict[Kind, list[Decimal]] = defaultdict(list)
    for moves in days:
        for kind, found in moves.items():
            likes[kind] += found
    return {kind: sorted(found) for kind, found in likes.items()}


def moments_of(chance: random.Random, gate: float) -> Iterator[tuple[int, float]]:
    """A random moment in each bucket, after the publication of its ten minutes."""
    for left in range(1, len(LEFT)):
        first = -((LEFT[left].total_seconds() - gate) // 600) * 600
        slots = int((LEFT[left] - LEFT[left - 1]).total_seconds() // 600)
        yield left, min(first + chance.randrange(slots) * 600 + chance.uniform(LATE, 600), gate)


def judge(tally: Tally, value: Value, at: tuple[int, int, float], moves: list[Decimal], chance: random.Random) -> None:
    day, hour, moment = at
    then, final = known_at(value, day, hour, moment)[0], known_at(value, day, hour, gate_of(day, hour) + 700)[0]
    net, result = Decimal(chance.choice([-3, 3])), Decimal(chance.randrange(-900, 900)) / 100
    said = firmness_of(moves, result=result, net=net, reference=then, is_final=False)
    assert said.wide and said.narrow
    after = result + net * (final - then)
    tally.cases += 1
    tally.wide += said.wide.low <= after <= said.wide.high
    tally.narrow += said.narrow.low <= after <= said.narrow.high
    if said.turned is not None:
        tally.said.append(float(said.turned))
        tally.turned += after * result < 0


@pytest.mark.parametrize("value", [of_known_quantiles, of_the_simulator])
def test_bands_hold_as_many_finals_as_they_say(value: Value) -> None:
    for left, tally in sorted(walk_forward(value).items()):
        wide, narrow = tally.wide / tally.cases, tally.narrow / tally.cases
        said, turned = sum(tally.said) / len(tally.said), tally.turned / len(tally.said)
        print(
            f"{value.__name__}, up to {LEFT[left]} left: {tally.cases} cases, 80 % hold {wide:.1%}, 50 % hold"
            f" {narrow:.1%}, turned {said:.1%} said and {turned:.1%} seen"
        )
        assert 0.76 <= wide <= 0.84
        assert 0.45 <= narrow <= 0.55
        assert abs(said - turned) <= 0.05


def test_bands_are_the_known_quantiles() -> None:
    """One step left is one of spread 1: its quantiles are those of a normal distribution."""
    days = [moves_of([closed(of_known_quantiles, d, h) for h in range(24)], float("inf")) for d in range(120)]
    for left, spread in ((1, 1.0), (2, 2**0.5), (3, 3**0.5)):
        moves = sorted(move for moves in days for part in range(5) for move in moves.get(Kind(60, left, part), []))
        for share, quantile in ((WIDE, 1.2816), (NARROW, 0.6745)):
            band = band_of(moves, share)
            assert abs(float(band.high) - quantile * spread) < 0.1
            assert abs(float(band.low) + quantile * spread) < 0.1
    assert ANY not in {kind.part for moves in days for kind in moves}


def test_nothing_later_than_the_moment_is_used() -> None:
    """Without all that came after a day's cut-off its cases are the same."""
    for hour in range(24):
        whole = closed(of_the_simulator, 3, hour)
        until = whole.gate + 700
        later = [PathPoint(Decimal(999), until + 1, until + 1), PathPoint(Decimal(-999), whole.gate + 1, until + 5)]
        kept = ClosedPeriod(60, whole.part, whole.gate, [*whole.path, *later])
        assert moves_of([kept], until) == moves_of([whole], until) != {}
