"""Days of publications played in simulated time: the real chase (prices.chase.pursue) against seeded provider models.

No clock, no database, no network: `play` moves a virtual clock from one event to the next and judges like the
provider would (its own sliding windows, counted when a request arrives there).
"""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from prices import budget, chase
from prices.schedule import HOUR, MINUTE, Budget, Facts, Outcome, PeriodKey, Rhythm

INTERVAL = 600.0
TICK = 5.0
GATE_LEAD = 300.0
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
DAY = date(2026, 3, 2)

Delay = Callable[[int, int], float]
"""(slot number, period number) -> seconds after the slot at which the price is out; infinity: never."""


# --- provider models -----------------------------------------------------------------------------------------------
def common(seed: int, tail: float = 0.0, never: float = 0.0) -> Delay:
    """One delay of 0 to 30 s for a whole day; a `tail` share comes 30 to 120 s late, a `never` share not at all."""

    def delay(slot: int, _period: int) -> float:
        dice = random.Random(f"{seed} {slot}")
        kind = dice.random()
        if kind < never:
            return math.inf
        return dice.uniform(30, 120) if kind < never + tail else dice.uniform(0, 30)

    return delay


def independent(seed: int) -> Delay:
    """Each period has a delay of its own, 0 to 30 s."""
    return lambda slot, period: random.Random(f"{seed} {slot} {period}").uniform(0, 30)


def own_renewal(seed: int) -> Delay:
    """Each period is renewed exactly an interval after its own last update, somewhere in the interval."""
    return lambda _slot, period: random.Random(f"{seed} {period}").uniform(0, INTERVAL)


# --- the world -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Scene:
    """What is played: markets on one budget, each with `periods` hours left at the start of the day `hours` long."""

    delay: Callable[[int], Delay]
    """From the market's number to its provider."""
    first_hour: int = 0
    hours: float = 24.0
    markets: int = 1
    latency: tuple[float, float] = (0.05, 0.2)
    failing: Callable[[float], bool] = lambda _moment: False
    tomorrow: bool = False
    per_minute: int = 50
    per_hour: int = 1000
    seed: int = 1


@dataclass
class Staleness:
    """Seconds from publication until known, of every publication of every open period that became known."""

    values: list[float] = field(default_factory=list)
    busiest_minute: int = 0
    busiest_hour: int = 0
    requests: int = 0

    def quantile(self, share: float) -> float:
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)


class VirtualLedger:
    """The ledger's rule (prices.budget) in memory."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.rows: list[list[float]] = []  # [sent, ended]

    def _counted(self, now: float, window: float) -> list[float]:
        horizon = now - window - budget.MARGIN_SECONDS
        recent = self.rows[-self.scene.per_hour - 50 :]
        return sorted(min(r[1], r[0] + budget.REQUEST_SECONDS) for r in recent if self._ended(r) > horizon)

    @staticmethod
    def _ended(row: list[float]) -> float:
        return min(row[1], row[0] + budget.REQUEST_SECONDS)

    def state(self, now: float) -> Budget:
        minute, hour = self._counted(now, MINUTE), self._counted(now, HOUR)
        slot = Rhythm(INTERVAL).slot(now)
        free_at = now
        for used, window, limit in ((minute, MINUTE, self.scene.per_minute), (hour, HOUR, self.scene.per_hour)):
            if len(used) >= limit:
                free_at = max(free_at, used[len(used) - limit] + window + budget.MARGIN_SECONDS)
        return Budget(
            self.scene.per_minute,
            max(0, self.scene.per_minute - len(minute)),
            self.scene.per_hour,
            max(0, self.scene.per_hour - len(hour)),
            sum(r[0] >= slot for r in self.rows[-200:]),
            free_at,
        )

    def reserve(self, now: float) -> list[float] | None:
        state = self.state(now)
        if not (state.minute_free and state.hour_free):
            return None
        self.rows.append([now, math.inf])
        return self.rows[-1]


class VirtualWorld:
    """chase.Outside in virtual time."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.clock = MIDNIGHT + scene.first_hour * HOUR
        self.ledger = VirtualLedger(scene)
        self.dice = random.Random(scene.seed)
        self.facts = {f.key: f for m in range(scene.markets) for f in _facts(m, scene)}
        self.publications = {key: self._published(key) for key in self.facts}
        self.known_at: dict[PeriodKey, list[tuple[float, float]]] = {key: [] for key in self.facts}
        self.received: list[float] = []
        self._under_way: list[tuple[float, int, PeriodKey, list[float], float]] = []

    def _published(self, key: PeriodKey) -> list[float]:
        """Every moment at which a price of the period came out, up to its gate closure."""
        delay = self.scene.delay(key.market_id)
        number = int(key.start.timestamp() // HOUR)
        gate = key.start.timestamp() - GATE_LEAD
        first = int((self.clock - 2 * INTERVAL) // INTERVAL)
        moments = (slot * INTERVAL + delay(slot, number) for slot in range(first, int(gate // INTERVAL) + 1))
        return sorted(m for m in moments if m <= gate)

    def now(self) -> float:
        return self.clock

    def budget(self) -> Budget:
        return self.ledger.state(self.clock)

    def ask(self, key: PeriodKey) -> float | None:
        row = self.ledger.reserve(self.clock)
        if row is None:
            return None
        self.clock += 0.001  # what a reservation takes
        latency = self.dice.uniform(*self.scene.latency)
        served = self.clock + latency / 2
        heapq.heappush(self._under_way, (self.clock + latency, len(self.ledger.rows), key, row, served))
        self.received.append(served)
        return row[0]

    def arrivals(self, until: float) -> Collection[chase.Arrived]:
        if not self._under_way or self._under_way[0][0] > until:
            self.clock = max(self.clock, until)
            return ()
        moment, _, key, row, served = heapq.heappop(self._under_way)
        self.clock = row[1] = max(self.clock, moment)
        return [self._answer(key, served)]

    def _answer(self, key: PeriodKey, served: float) -> chase.Arrived:
        if self.scene.failing(served):
            return chase.Arrived(key, Outcome.FAILED, None)
        out = bisect_right(self.publications[key], served)
        if not out:
            return chase.Arrived(key, Outcome.UNDEFINED, None)
        last_update = self.publications[key][out - 1]
        known = self.known_at[key]
        if known and known[-1][0] >= last_update:
            return chase.Arrived(key, Outcome.UNCHANGED, None)
        known.append((last_update, self.clock))
        return chase.Arrived(key, Outcome.NEWER, last_update)


def _facts(market: int, scene: Scene) -> list[Facts]:
    days = 2 if scene.tomorrow else 1
    facts = []
    for hour in range(24 * days):
        start = datetime.fromtimestamp(MIDNIGHT + hour * HOUR, tz=UTC)
        gate = start.timestamp() - GATE_LEAD
        if gate > MIDNIGHT + scene.first_hour * HOUR:
            day = DAY + timedelta(days=hour // 24)
            facts.append(Facts(PeriodKey(market, day, start, start + timedelta(hours=1)), gate))
    return facts


# --- playing -------------------------------------------------------------------------------------------------------
def play(scene: Scene) -> tuple[Staleness, VirtualWorld]:
    """Ticks every 5 s, as beat sends them; the staleness of every publication after the first ten minutes."""
    world = VirtualWorld(scene)
    begin, end = world.clock, world.clock + scene.hours * HOUR
    while world.clock < end:
        tick_end = world.clock + TICK
        chase.pursue(world, world.facts, INTERVAL)
        world.clock = max(tick_end, world.clock + 0.5)
    return _judged(world, begin + INTERVAL, end), world


def _judged(world: VirtualWorld, begin: float, end: float) -> Staleness:
    result = Staleness(requests=len(world.received))
    for key in world.publications:
        result.values.extend(_staleness(world, key, begin, end))
    result.busiest_minute = busiest(world.received, MINUTE)
    result.busiest_hour = busiest(world.received, HOUR)
    return result


def _staleness(world: VirtualWorld, key: PeriodKey, begin: float, end: float) -> list[float]:
    """Of each publication of the period from `begin` on; one that a later one overtook counts until that is known."""
    known = world.known_at[key]
    judged = [m for m in world.publications[key] if begin <= m < end - INTERVAL]
    return [min((at for update, at in known if update >= m), default=end) - m for m in judged]


def staleness_of_day(world: VirtualWorld, day: date) -> list[float]:
    """The staleness of one delivery day's publications."""
    begin = MIDNIGHT + world.scene.first_hour * HOUR
    end = begin + world.scene.hours * HOUR
    return [v for k in world.publications if k.day == day for v in _staleness(world, k, begin + INTERVAL, end)]


def busiest(received: list[float], window: float) -> int:
    """The most requests that the provider saw in any window of this length."""
    ordered = sorted(received)
    return max((i + 1 - bisect_left(ordered, moment - window) for i, moment in enumerate(ordered)), default=0)
