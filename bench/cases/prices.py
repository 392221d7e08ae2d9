"""How fresh reference prices are, beside an oracle and two simpler ways, in seeded days of simulated time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.cases.chase_days import (
    Scene,
    Staleness,
    at_30_seconds,
    common,
    every_minute,
    independent,
    oracle,
    own_renewal,
    play,
    play_list,
)
from bench.table import Row
from prices.observations import PeriodKey, Priority

SEEDS = (1, 2)
_INTERVALS = {0: 600.0, 1: 900.0}.__getitem__
LEARNT = 2.0


@dataclass(frozen=True)
class Case:
    """A named scene for any seed."""

    name: str
    scene: Callable[[int], Scene]


def _scene(seed: int, **changes: object) -> Scene:
    """Two hours of a market with a common delay, two days on record, unless `changes` says otherwise."""
    usual = Scene(lambda m: common(seed + 100 * m), hours=2, seed=seed, days_before=LEARNT)
    return replace(usual, **changes)  # type: ignore[arg-type]


def held_by_the_desk(key: PeriodKey) -> Priority:
    """A desk that trades mornings and evenings."""
    return Priority.POSITION if key.start.hour in {6, 7, 8, 9, 17, 18, 19, 20} else Priority.NONE


CASES = (
    Case("common delay, 24 h left", _scene),
    Case("  the same, nothing learnt yet", lambda s: _scene(s, days_before=0.0)),
    Case("common delay, 12 h left", lambda s: _scene(s, first_hour=12)),
    Case("common delay, 2 h left", lambda s: _scene(s, first_hour=22, hours=1.5)),
    Case("delays of 8 to 12 s, 24 h left", lambda s: _scene(s, delay=lambda m: common(s, span=(8, 12)))),
    Case("today 12 h and tomorrow 24 h", lambda s: _scene(s, first_hour=12, tomorrow=True)),
    Case("5 % of publications 30 to 120 s late", lambda s: _scene(s, hours=4, delay=lambda m: common(s, tail=0.05))),
    Case("5 % never come", lambda s: _scene(s, hours=4, delay=lambda m: common(s, never=0.05))),
    Case("independent delays, 24 h left", lambda s: _scene(s, delay=lambda m: independent(s))),
    Case("independent delays, 12 h left", lambda s: _scene(s, first_hour=12, delay=lambda m: independent(s))),
    Case("own 10-minute renewals", lambda s: _scene(s, delay=lambda m: own_renewal(s))),
    Case("two markets together, 12 h left", lambda s: _scene(s, first_hour=12, markets=2, delay=lambda m: common(s))),
    Case("two markets together, 24 h left", lambda s: _scene(s, markets=2, delay=lambda m: common(s))),
    Case("two markets apart, 24 h left", lambda s: _scene(s, hours=1.5, markets=2)),
    Case("two of 600 s and 900 s, 12 h left", lambda s: _scene(s, first_hour=12, markets=2, intervals=_INTERVALS)),
    Case(
        "four markets together, 12 h left",
        lambda s: _scene(s, hours=1.5, first_hour=12, markets=4, delay=lambda m: common(s)),
    ),
    Case("four markets together, 24 h left", lambda s: _scene(s, hours=1.5, markets=4, delay=lambda m: common(s))),
)
WITH_POSITIONS = ("today 12 h and tomorrow 24 h", "two markets apart, 24 h left", "four markets together, 24 h left")
"""What those periods get that somebody cares about, where hardly everything fits into a minute."""


def run(_folder: Path) -> list[Row]:
    """The whole table on the console; what is kept beside its floor is the mean, and the oracle's."""
    print(f"{'seconds from publication to stored':<40}{'n':>6}", *_head("ours"), *_head("oracle"), sep="", end="")
    print(f"{'+30 s':>8}{'1/min':>8}   busiest minute, hour")
    return [_measured(case) for case in CASES] + [_measured_held(c) for c in CASES if c.name in WITH_POSITIONS]


def _head(who: str) -> Iterator[str]:
    yield f"{who:>8}"
    yield from (f"{name:>7}" for name in ("p50", "p95", "p99"))


def _measured(case: Case) -> Row:
    scenes = [case.scene(seed) for seed in SEEDS]
    ours = merged([play(scene)[0] for scene in scenes])
    best = merged([play_list(scene, oracle) for scene in scenes])
    late, often = (play_list(scenes[0], wanted) for wanted in (at_30_seconds, every_minute))
    return _row(case.name, ours, best, f"{late.mean:>8.1f}{often.mean:>8.1f}")


def _measured_held(case: Case) -> Row:
    """Those with a position alone, in the same scene."""
    parts = []
    for seed in SEEDS:
        result, world = play(replace(case.scene(seed), priority=held_by_the_desk))
        held = [key for key in world.publications if held_by_the_desk(key) is Priority.POSITION]
        stale = world.staleness()
        parts.append(replace(result, values=[value for key in held for value in stale[key]]))
    return _row(f"{case.name}: with a position", merged(parts), None, f"{'':>16}")


def _row(name: str, ours: Staleness, best: Staleness | None, others: str) -> Row:
    busy = f"{ours.busiest_minute}, {ours.busiest_hour}"
    beside = _figures(best) if best else f"{'':>29}"
    print(f"{name:<40}{len(ours.values):>6}{_figures(ours)}{beside}{others}   {busy}", flush=True)
    note = f"p50 {ours.quantile(0.5):.2f}, p95 {ours.quantile(0.95):.2f}, p99 {ours.quantile(0.99):.2f}; busiest {busy}"
    return Row(f"prices: {name.strip()}", "s", ours.mean, best.mean if best else None, note)


def _figures(of: Staleness) -> str:
    return f"{of.mean:>8.2f}" + "".join(f"{of.quantile(share):>7.2f}" for share in (0.5, 0.95, 0.99))


def merged(parts: list[Staleness]) -> Staleness:
    """Several plays as one; the busiest windows are those of the busiest play."""
    return Staleness(
        values=[v for part in parts for v in part.values],
        busiest_minute=max(part.busiest_minute for part in parts),
        busiest_hour=max(part.busiest_hour for part in parts),
        requests=sum(part.requests for part in parts),
    )
