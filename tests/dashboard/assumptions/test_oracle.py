"""Another writing of the rules, in whole numbers of a hundredth of a cent, that shares no code with the product's.

20,000 random assumptions on random paths: negative prices, corrected finals, finals that come too late or never, no
price at first, quarter hours to blocks, trades that follow. Each must come out the same on both sides.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from dashboard.assumptions import rules

COUNT = 20_000
START = datetime(2026, 3, 29, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class World:
    """One assumption on one period. Prices in 1/10,000 EUR, moments in seconds."""

    claim: str
    threshold: int | None
    broken_at: int
    written: int
    gate: int
    now: int
    path: list[tuple[int, int, int]]
    """(published, arrived, price), oldest first."""


def a_world(chance: random.Random) -> World:
    length = chance.choice([15, 30, 60, 120, 1440]) * 60
    gate = 40_000 + length + chance.choice([0, 300, 1800])
    claim = chance.choice(["up", "down", "within", "above", "below"])
    price = chance.randrange(-500_000, 2_000_000)
    threshold = chance.choice([None, 0, 100, chance.randrange(0, 60_000)])
    if claim in {"above", "below"}:
        threshold = price + chance.randrange(-80_000, 80_000)
    elif claim == "within":
        threshold = threshold or chance.choice([0, chance.randrange(0, 60_000)])
    path, at = [], gate - chance.randrange(600, 20_000)
    for _ in range(chance.randrange(0, 30)):
        at += chance.choice([600, 600, 600, 1200, 4000])
        price += chance.choice([0, 100, -100, 99, -99, chance.randrange(-30_000, 30_000)])
        path.append((at, at + chance.choice([1, 20, 3650]), price))
        if at > gate + 5000:
            break
    written, now = gate - chance.randrange(1, 15_000), gate + chance.randrange(9000)
    path = [entry for entry in path if entry[1] <= now]
    return World(claim, threshold, chance.choice([50_000, 50_000, 10_000]), written, gate, now, path)


# --- the oracle -------------------------------------------------------------------------------------------------------
def expected(w: World) -> dict[str, Any]:
    known = [entry for entry in w.path if entry[1] <= w.written and entry[0] < w.gate]
    if known:
        position = w.path.index(known[-1])
    elif w.path and w.path[0][0] < w.gate:
        position = 0
    else:
        position = None
    frozen = None if position is None else w.path[position][2]
    change = None if not position else w.path[position][2] - w.path[position - 1][2]
    finals = [entry for entry in w.path if entry[0] >= w.gate]
    said: list[tuple[str, int | None]] = []
    if not any(arrived <= w.gate + 3600 for _, arrived, _ in finals) and w.now > w.gate + 3600:
        said.append(("void", None))
    said += [("void" if frozen is None else outcome(w, frozen, price), price) for _, _, price in finals]
    broken = False
    if position is not None and frozen is not None:
        broken = any(against(w, frozen, price) >= w.broken_at for _, _, price in w.path[position + 1 :])
    baseline = None
    if finals and frozen is not None and change and w.claim in {"up", "down"}:
        moved = finals[-1][2] - frozen
        least = 100 if w.threshold is None else w.threshold
        same_way = moved * change > 0
        baseline = "flat" if abs(moved) < least or moved == 0 else "right" if same_way else "wrong"
    return {"frozen": frozen, "change": change, "said": said, "broken": broken, "baseline": baseline}


def outcome(w: World, frozen: int, final: int) -> str:
    if w.claim == "within":
        assert w.threshold is not None
        return "right" if frozen - w.threshold <= final <= frozen + w.threshold else "wrong"
    if w.claim in {"above", "below"}:
        assert w.threshold is not None
        if final == w.threshold:
            return "flat"
        return "right" if (final > w.threshold) == (w.claim == "above") else "wrong"
    least = 100 if w.threshold is None else w.threshold
    if abs(final - frozen) < least or final == frozen:
        return "flat"
    return "right" if (final > frozen) == (w.claim == "up") else "wrong"


def against(w: World, frozen: int, price: int) -> int:
    """How far it went against the claim since it was frozen, or beyond its bound if that is further."""
    if w.claim == "up":
        return frozen - price
    if w.claim == "down":
        return price - frozen
    assert w.threshold is not None
    if w.claim == "within":
        return abs(price - frozen) - w.threshold
    return min(frozen, w.threshold) - price if w.claim == "above" else price - max(frozen, w.threshold)


# --- the product ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Point:
    value: Decimal
    last_update: datetime
    arrived_at: datetime


def euro(amount: int | None) -> Decimal | None:
    return None if amount is None else Decimal(amount) / 10_000


def product(w: World) -> dict[str, Any]:
    points = [Point(Decimal(p) / 10_000, START + at * SECOND, START + come * SECOND) for at, come, p in w.path]
    gate, written = START + w.gate * SECOND, START + w.written * SECOND
    theory = rules.Theory(rules.Claim(w.claim), euro(w.threshold), Decimal(w.broken_at) / 10_000)
    known = [point for point in points if point.arrived_at <= written and point.last_update < gate]
    taken = known[-1] if known else rules.first_to_freeze(points, gate)
    before = [point for point in points if taken and point.last_update < taken.last_update]
    frozen = taken.value if taken else None
    change = frozen - before[-1].value if frozen is not None and before else None
    said = list(rules.judgements(theory, frozen, gate, points, START + w.now * SECOND))
    since = [point.value for point in points if taken and point.last_update > taken.last_update]
    final = said[-1].final_price if said else None
    dumb = None if frozen is None or final is None else rules.goes_on(theory, change, frozen, final)
    return {
        "frozen": frozen,
        "change": change,
        "said": [(one.verdict.value, one.final_price) for one in said],
        "broken": frozen is not None and theory.is_broken(frozen, since),
        "baseline": dumb.value if dumb else None,
    }


def test_twenty_thousand_random_assumptions_come_out_the_same() -> None:
    chance = random.Random(17)
    kinds: dict[str, int] = {}
    for number in range(COUNT):
        world = a_world(chance)
        want = expected(world)
        want |= {"frozen": euro(want["frozen"]), "change": euro(want["change"])}
        want["said"] = [(verdict, euro(price)) for verdict, price in want["said"]]
        assert product(world) == want, f"assumption {number}: {world}"
        for verdict in [verdict for verdict, _ in want["said"]] or ["none"]:
            kinds[verdict] = kinds.get(verdict, 0) + 1
        kinds["corrected"] = kinds.get("corrected", 0) + (len(want["said"]) > 1)
        kinds["broken"] = kinds.get("broken", 0) + want["broken"]
    assert all(kinds[kind] > 300 for kind in ("right", "wrong", "flat", "void", "none", "corrected", "broken")), kinds


def test_trades_follow_the_same_assumptions() -> None:
    chance = random.Random(18)
    for _ in range(COUNT):
        ones = [
            (number, chance.choice(["up", "down", "within", "above"]), chance.randrange(60), chance.randrange(60, 90))
            for number in range(chance.randrange(6))
        ]
        side, at = chance.choice(["buy", "sell"]), chance.randrange(100)
        wanted = {"buy": "up", "sell": "down"}[side]
        newest = sorted((b, number) for number, claim, b, e in ones if claim == wanted and b <= at and at < e)
        found = rules.followed(
            side,
            START + at * SECOND,
            [rules.Expected(n, rules.Claim(c), START + b * SECOND, START + e * SECOND) for n, c, b, e in ones],
        )
        assert (found.number if found else None) == (newest[-1][1] if newest else None)
