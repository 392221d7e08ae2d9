"""Days of publications played in simulated time: the real chase (prices.polling.loop) against seeded provider models.

No clock, no database, no network: `play` moves a virtual clock from one event to the next and judges like the
provider would (its own sliding windows, counted when a request arrives there). `play_list` plays what others would
do in the same world: ask at +30 s, ask for everything every minute, or know the moment.
"""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from prices import request_ledger
from prices.observations import HOUR, MINUTE, Budget, Facts, Outcome, PeriodKey, Priority
from prices.polling import loop
from prices.polling.delay_learning import learnt_from
from prices.polling.delays import Learnt
from prices.publications import Publication, PublicationClock

INTERVAL = 600.0
TICK = 5.0
GATE_LEAD = 300.0
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
DAY = date(2026, 3, 2)

Delay = Callable[[int, int], float]
"""(slot number, period number) -> seconds after the slot at which the price is out; infinity: never."""


# --- provider models -----------------------------------------------------------------------------------------------
def common(seed: int, tail: float = 0.0, never: float = 0.0, span: tuple[float, float] = (0, 30)) -> Delay:
    """One delay within `span` for a whole day; a `tail` share comes 30 to 120 s late, a `never` share not at all."""

    def delay(slot: int, _period: int) -> float:
        dice = random.Random(f"{seed} {slot}")
        kind = dice.random()
        if kind < never:
            return math.inf
        return dice.uniform(30, 120) if kind < never + tail else dice.uniform(*span)

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
    days_before: float = 0.0
    """For so many days before, the publications are on record: the chase has learnt from them."""
    priority: Callable[[PeriodKey], Priority] = lambda _key: Priority.NONE
    quarters: Collection[int] = ()
    """Quarter hours of the day that somebody has traded, 0 to 95."""
    intervals: Callable[[int], float] = lambda _market: INTERVAL
    """From the market's number to the seconds between its publications."""
    hours_only: bool = False
    """The provider has no prices of anything shorter than an hour."""


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
    """The ledger's rule (prices.request_ledger) in memory."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.rows: list[list[float]] = []  # [sent, ended]
        self.sent: list[float] = []

    def _counted(self, now: float, window: float) -> int:
        """How many requests count; they were sent in order, and each ended within REQUEST_SECONDS."""
        horizon = now - window - request_ledger.MARGIN_SECONDS
        sure = bisect_right(self.sent, horizon)
        maybe = bisect_right(self.sent, horizon - request_ledger.REQUEST_SECONDS)
        return len(self.sent) - sure + sum(self._ended(row) > horizon for row in self.rows[maybe:sure])

    @staticmethod
    def _ended(row: list[float]) -> float:
        return min(row[1], row[0] + request_ledger.REQUEST_SECONDS)

    def _free_at(self, used: int, limit: int, window: float) -> float:
        """When the first of the requests that count no longer does, so far that there is room."""
        if used < limit:
            return -math.inf
        ends = sorted(self._ended(row) for row in self.rows[-used:])
        return ends[used - limit] + window + request_ledger.MARGIN_SECONDS

    def state(self, now: float) -> Budget:
        minute, hour = self._counted(now, MINUTE), self._counted(now, HOUR)
        scene = self.scene
        free = (self._free_at(minute, scene.per_minute, MINUTE), self._free_at(hour, scene.per_hour, HOUR))
        return Budget(
            scene.per_minute,
            max(0, scene.per_minute - minute),
            scene.per_hour,
            max(0, scene.per_hour - hour),
            len(self.sent) - bisect_left(self.sent, PublicationClock(INTERVAL).slot(now)),
            max(now, *free),
        )

    def reserve(self, now: float) -> list[float] | None:
        state = self.state(now)
        if not (state.minute_free and state.hour_free):
            return None
        self.sent.append(now)
        self.rows.append([now, math.inf])
        return self.rows[-1]


class VirtualWorld:
    """loop.Environment in virtual time."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.clock = MIDNIGHT + scene.first_hour * HOUR
        self.ledger = VirtualLedger(scene)
        self.dice = random.Random(scene.seed)
        self.facts = {f.key: f for m in range(scene.markets) for f in _facts(m, scene)}
        self.publications = {key: self._published(key) for key in self.facts}
        self.known_at: dict[PeriodKey, list[tuple[float, float]]] = {key: [] for key in self.facts}
        self.received: list[float] = []
        self.asked_for: list[tuple[float, PeriodKey]] = []
        self.seen: dict[tuple[int, float], float] = _recorded(scene, self.clock)
        self._under_way: list[tuple[float, int, PeriodKey, list[float], float]] = []

    def _published(self, key: PeriodKey) -> list[float]:
        """Every moment at which a price of the period came out, up to its gate closure."""
        if self.scene.hours_only and key.end - key.start < timedelta(hours=1):
            return []
        delay, interval = self.scene.delay(key.market_id), self.scene.intervals(key.market_id)
        number = int(key.start.timestamp() // HOUR)
        gate = key.start.timestamp() - GATE_LEAD
        first = int((self.clock - 2 * interval) // interval)
        moments = (slot * interval + delay(slot, number) for slot in range(first, int(gate // interval) + 1))
        return sorted(m for m in moments if m <= gate)

    def now(self) -> float:
        return self.clock

    def is_over(self) -> bool:
        return False

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
        self.asked_for.append((row[0], key))
        return row[0]

    def arrivals(self, until: float) -> Collection[loop.Arrived]:
        if not self._under_way or self._under_way[0][0] > until:
            self.clock = max(self.clock, until)
            return ()
        moment, _, key, row, served = heapq.heappop(self._under_way)
        self.clock = row[1] = max(self.clock, moment)
        return [self._answer(key, served)]

    def _answer(self, key: PeriodKey, served: float) -> loop.Arrived:
        if self.scene.failing(served):
            return loop.Arrived(key, Outcome.FAILED, None)
        out = bisect_right(self.publications[key], served)
        if not out:
            return loop.Arrived(key, Outcome.UNDEFINED, None)
        last_update = self.publications[key][out - 1]
        known = self.known_at[key]
        if known and known[-1][0] >= last_update:
            return loop.Arrived(key, Outcome.UNCHANGED, None)
        known.append((last_update, self.clock))
        self.seen.setdefault((key.market_id, last_update), self.clock)
        return loop.Arrived(key, Outcome.NEWER, last_update)

    def learnt(self) -> Learnt:
        """What the record of the last two days teaches, as prices.polling.delay_learning reads it."""
        since = self.clock - 2 * 24 * HOUR
        record = (Publication(market, update, at) for (market, update), at in self.seen.items() if update >= since)
        return learnt_from(record, {m: PublicationClock(self.scene.intervals(m)) for m in range(self.scene.markets)})

    def staleness(self) -> dict[PeriodKey, list[float]]:
        """By period, of every publication after the first ten minutes."""
        begin = MIDNIGHT + self.scene.first_hour * HOUR
        end = begin + self.scene.hours * HOUR
        return {key: _staleness(self, key, begin + INTERVAL, end) for key in self.publications}


def _recorded(scene: Scene, now: float) -> dict[tuple[int, float], float]:
    """The publications of the days before, each seen half a second after it was out."""
    moments = (
        (market, slot * interval + scene.delay(market)(slot, number))
        for market in range(scene.markets)
        for interval in (scene.intervals(market),)
        for slot in range(int((now - scene.days_before * 24 * HOUR) // interval), int(now // interval))
        for number in range(24)
    )
    return {(market, out): out + 0.5 for market, out in moments if out <= now}


def _facts(market: int, scene: Scene) -> list[Facts]:
    days = 2 if scene.tomorrow else 1
    facts = []
    for hour in range(24 * days):
        start = datetime.fromtimestamp(MIDNIGHT + hour * HOUR, tz=UTC)
        gate = start.timestamp() - GATE_LEAD
        if gate > MIDNIGHT + scene.first_hour * HOUR:
            day = DAY + timedelta(days=hour // 24)
            key = PeriodKey(market, day, start, start + timedelta(hours=1))
            facts.append(Facts(key, gate, priority=scene.priority(key), interval=scene.intervals(market)))
    for quarter in scene.quarters:
        start = datetime.fromtimestamp(MIDNIGHT + quarter * HOUR / 4, tz=UTC)
        key = PeriodKey(market, DAY, start, start + timedelta(minutes=15))
        gate, interval = start.timestamp() - GATE_LEAD, scene.intervals(market)
        facts.append(Facts(key, gate, priority=Priority.POSITION, interval=interval))
    return facts


# --- playing -------------------------------------------------------------------------------------------------------
def play(scene: Scene) -> tuple[Staleness, VirtualWorld]:
    """Ticks every 5 s, as beat sends them; the staleness of every publication after the first ten minutes."""
    world = VirtualWorld(scene)
    begin, end = world.clock, world.clock + scene.hours * HOUR
    learnt, learnt_at = world.learnt(), world.clock
    while world.clock < end:
        if world.clock - learnt_at >= HOUR:
            learnt, learnt_at = world.learnt(), world.clock
        tick_end = world.clock + TICK
        loop.poll(world, world.facts, learnt)
        world.clock = max(tick_end, world.clock + 0.5)
    return _judged(world, begin + INTERVAL, end), world


Wanted = Callable[[VirtualWorld, float], Iterator[tuple[float, PeriodKey]]]
"""(world, end) -> the requests that somebody wants to make: when, and for which period."""


def at_30_seconds(world: VirtualWorld, end: float) -> Iterator[tuple[float, PeriodKey]]:
    """For everything, once, when each publication must be out."""
    return _rounds(world, end, INTERVAL, 30.0)


def every_minute(world: VirtualWorld, end: float) -> Iterator[tuple[float, PeriodKey]]:
    """For everything, every minute."""
    return _rounds(world, end, MINUTE, 0.0)


def oracle(world: VirtualWorld, end: float) -> Iterator[tuple[float, PeriodKey]]:
    """For each period the very moment when its price is out."""
    first = PublicationClock(INTERVAL).slot(world.clock)
    return ((m, key) for key, moments in world.publications.items() for m in moments if first <= m < end)


def _rounds(world: VirtualWorld, end: float, every: float, after: float) -> Iterator[tuple[float, PeriodKey]]:
    moment = world.clock + after
    while moment < end:
        yield from ((moment, key) for key, of in world.facts.items() if of.gate_closure > moment - INTERVAL)
        moment += every


def play_list(scene: Scene, wanted: Wanted) -> Staleness:
    """The same world, ledger and number of senders, with somebody else's list; nearest gates first, no learning."""
    world = VirtualWorld(scene)
    begin, end = world.clock, world.clock + scene.hours * HOUR
    requests = sorted(wanted(world, end), key=lambda r: (r[0], r[1].start, r[1].market_id), reverse=True)
    under_way = 0
    while requests and world.clock < end:
        moment, key = requests[-1]
        sent = moment <= world.clock and under_way < loop.AT_ONCE and world.ask(key) is not None
        if sent:
            requests.pop()
            under_way += 1
            continue
        free_at = world.budget().free_at if under_way < loop.AT_ONCE else world.clock + request_ledger.REQUEST_SECONDS
        under_way -= len(world.arrivals(max(moment, free_at, world.clock + 0.01)))
        while requests and world.clock - requests[-1][0] > INTERVAL:  # a newer one has replaced it
            requests.pop()
    while world.arrivals(end):
        pass
    return _judged(world, begin + INTERVAL, end)


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
    return [v for key, values in world.staleness().items() if key.day == day for v in values]


def busiest(received: list[float], window: float) -> int:
    """The most requests that the provider saw in any window of this length."""
    ordered = sorted(received)
    return max((i + 1 - bisect_left(ordered, moment - window) for i, moment in enumerate(ordered)), default=0)
