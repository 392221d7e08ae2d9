"""The chase after new reference prices: the policy (prices.schedule) put to work against ledger, provider and database.

A chase begins with a tick of Celery's beat and goes on while something is due before the next tick. Requests go out
in parallel, but each is reserved in the ledger first, in order of value; answers are stored as they arrive, by the
chase's own thread. `pursue` is the loop, with everything that touches the outside behind `Outside`, so that tests
play days of it in simulated time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Protocol

import structlog
from django.conf import settings
from django.db import connection

from market.labels import label_of
from market.locks import AdvisoryLock
from market.models import Market
from market.periods import DeliveryPeriod, day_of, day_periods
from market.queries import active_markets
from prices import actions, budget, provider, queries, schedule
from prices.interest import interests
from prices.learning import memory
from prices.schedule import NOTHING_LEARNT, REQUEST_LIFE, Ask, Budget, Facts, Interest, Learnt, Outcome, PeriodKey

log = structlog.get_logger(__name__)

AT_ONCE = 8
"""Requests under way at the same time: a burst of 24 periods is three rounds of the provider's latency."""

OUTLOOK_SECONDS = 6.0
"""A chase ends when nothing is due for this long: a tick (5 s) and a little, so that the next one is not late."""

SHORTEST_WAIT_SECONDS = 0.05
"""Between two plans without an answer: no situation may turn the loop into a storm of its own."""

LONGEST_CHASE_SECONDS = 120.0
SETTLE_FOR = timedelta(hours=24)
"""Closed periods are still chased for their final price for this long, for example after an outage."""

PERIOD_MINUTES = 60

stopping = threading.Event()
"""Set when the worker shuts down: a chase then waits for its answers and asks for nothing more."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A stored answer: what came of the request, and the period's newest last_update then (POSIX seconds)."""

    key: PeriodKey
    outcome: Outcome
    last_update: float | None


class Outside(Protocol):
    """What a chase needs of the world. Moments are POSIX seconds."""

    def now(self) -> float: ...

    def budget(self) -> Budget: ...

    def ask(self, key: PeriodKey) -> float | None:
        """Reserve and send a request without waiting for its answer; when it was counted, None without room."""

    def arrivals(self, until: float) -> Collection[Arrived]:
        """Wait until at least one answer is stored, or for `until`; without a request under way just for `until`."""


@dataclass(slots=True)
class Tally:
    """What a chase did."""

    asked: int = 0
    lost: int = 0
    """Requests that no word came of; each shows a broken thread."""
    outcomes: dict[str, int] = field(default_factory=dict)

    def count(self, outcome: Outcome) -> None:
        self.outcomes[outcome.value] = self.outcomes.get(outcome.value, 0) + 1


# --- the loop ------------------------------------------------------------------------------------------------------
def pursue(outside: Outside, book: dict[PeriodKey, Facts], interval: float, learnt: Learnt = NOTHING_LEARNT) -> Tally:
    """Ask as the policy says until nothing is due for a while. `book`, what is known of each period, is kept up.

    Ends in time whatever happens outside: a request without word counts as lost after REQUEST_LIFE.
    """
    tally = Tally()
    under_way: dict[PeriodKey, float] = {}
    ends = outside.now() + LONGEST_CHASE_SECONDS
    while True:
        now = outside.now()
        last_call = now > ends or stopping.is_set()
        _give_up(under_way, now, tally)
        plan = schedule.plan(now=now, facts=book.values(), budget=outside.budget(), interval=interval, learnt=learnt)
        sent = {} if last_call else _send(outside, plan.asks[: AT_ONCE - len(under_way)], book)
        under_way |= sent
        tally.asked += len(sent)
        if not under_way and (last_call or (not plan.asks and plan.look_again > now + OUTLOOK_SECONDS)):
            return tally
        for arrived in outside.arrivals(_wake_at(now, plan, len(sent))):
            under_way.pop(arrived.key, None)
            tally.count(arrived.outcome)
            book[arrived.key] = _answered(book[arrived.key], arrived, outside.now())


def _give_up(under_way: dict[PeriodKey, float], now: float, tally: Tally) -> None:
    """Forget requests whose thread must have died: they would hold up the whole chase, and its market with it."""
    for key in [key for key, sent_at in under_way.items() if now - sent_at >= REQUEST_LIFE]:
        del under_way[key]
        tally.lost += 1


def _wake_at(now: float, plan: schedule.Plan, sent: int) -> float:
    """When to plan again even if no answer comes."""
    if sent or not plan.asks:
        return max(min(plan.look_again, now + OUTLOOK_SECONDS), now + SHORTEST_WAIT_SECONDS)
    return now + schedule.SHORTEST_PAUSE


def _send(outside: Outside, keys: Collection[PeriodKey], book: dict[PeriodKey, Facts]) -> dict[PeriodKey, float]:
    """Ask for these as far as there is room; when each was sent."""
    sent: dict[PeriodKey, float] = {}
    for key in keys:
        sent_at = outside.ask(key)
        if sent_at is None:
            break
        asks = (Ask(sent_at, Outcome.PENDING), *book[key].asks)
        book[key] = replace(book[key], asks=asks[: queries.ASKS_REMEMBERED])
        sent[key] = sent_at
    return sent


def _answered(facts: Facts, arrived: Arrived, now: float) -> Facts:
    """The facts with the newest request answered."""
    pending, *before = facts.asks
    done = replace(pending, outcome=arrived.outcome, answered_at=now)
    last_update = facts.last_update if arrived.last_update is None else arrived.last_update
    return replace(facts, last_update=last_update, asks=(done, *before))


# --- the world -----------------------------------------------------------------------------------------------------
def chase_prices(*, now: datetime) -> Tally:
    """One tick at `now` (UTC): bring the prices of every active market up to date, or leave it to the chase that is on.

    An idle tick costs two queries. Raises django.db.Error when PostgreSQL is away.
    """
    interval = float(settings.MARKET_DATA_UPDATE_INTERVAL)
    markets = {market.pk: market for market in active_markets()}
    if not markets or not _something_due(markets.values(), now, interval):
        return Tally()
    with _market_locks(markets) as mine:
        if not mine:
            return Tally()
        clock, facts = queries.facts_of(gates=_gates(mine.values(), now))  # again: another chase may just have ended
        facts = _with_interest(facts, now)
        tally = pursue(_World(mine, clock, interval), facts, interval, _learnt(markets, clock, interval))
    if tally.lost:
        log.error("provider_threads_lost", requests=tally.lost)
        _senders.cache_clear()  # new threads for the next chase; what hangs in the old ones can't be mended
    if tally.asked:
        budget.prune()
        log.info("chase_ended", asked=tally.asked, **tally.outcomes)
    return tally


def _learnt(market_ids: Collection[int], clock: float, interval: float) -> Learnt:
    return memory.recall(market_ids=market_ids, interval=interval, now=clock)


def _with_interest(facts: Mapping[PeriodKey, Facts], now: datetime) -> dict[PeriodKey, Facts]:
    """The same facts, with what the desk cares about."""
    found: dict[PeriodKey, Interest] = {}
    for market_id in {key.market_id for key in facts}:
        keys = [key for key in facts if key.market_id == market_id]
        found |= interests(market_id=market_id, now=now, keys=keys)
    return {key: replace(of, interest=found.get(key, Interest.NONE)) for key, of in facts.items()}


def _something_due(markets: Collection[Market], now: datetime, interval: float) -> bool:
    """Whether the policy would ask for anything before the next tick."""
    clock, facts = queries.facts_of(gates=_gates(markets, now))
    untouched = Budget.untouched(settings.MARKET_DATA_REQUESTS_PER_MINUTE, settings.MARKET_DATA_REQUESTS_PER_HOUR)
    plan = schedule.plan(
        now=clock,
        facts=facts.values(),
        budget=untouched,
        interval=interval,
        learnt=_learnt([market.pk for market in markets], clock, interval),
    )
    return bool(plan.asks) or plan.look_again <= clock + OUTLOOK_SECONDS


def _gates(markets: Collection[Market], now: datetime) -> dict[PeriodKey, datetime]:
    """The gate closure of every period whose price may still change: yesterday's last ones, today's, tomorrow's."""
    gates = {}
    for market in markets:
        today = day_of(now, market.zone)
        for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
            for period in day_periods(day, market.zone, PERIOD_MINUTES):
                gate = period.gate_closure(market.gate_closure_lead)
                if gate > now - SETTLE_FOR:
                    gates[PeriodKey(market.pk, day, period.start, period.end)] = gate
    return gates


@contextmanager
def _market_locks(markets: Mapping[int, Market]) -> Iterator[dict[int, Market]]:
    """Those of the markets that no other chase holds, for the length of the block.

    Session locks of this thread's connection: they end with it, so a killed worker holds nothing.
    """
    mine = {pk: market for pk, market in markets.items() if _lock_call("pg_try_advisory_lock", pk)}
    try:
        yield mine
    finally:
        if connection.is_usable():
            for pk in mine:
                _lock_call("pg_advisory_unlock", pk)
        else:
            connection.close()


def _lock_call(function: str, market_pk: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [AdvisoryLock.PRICE_CHASE, market_pk])
        return bool(cursor.fetchone()[0])


@cache
def _senders() -> ThreadPoolExecutor:
    """This process's threads for requests; they stay, and so do their connections to the provider."""
    return ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="provider")


class _World:
    """The real outside: PostgreSQL's clock carried on by this machine's timer, the ledger, the provider."""

    def __init__(self, markets: Mapping[int, Market], clock: float, interval: float) -> None:
        self._markets = markets
        self._ahead = clock - time.monotonic()
        self._interval = interval
        self._under_way: dict[Future[provider.Answer], tuple[PeriodKey, int]] = {}

    def now(self) -> float:
        return time.monotonic() + self._ahead

    def budget(self) -> Budget:
        return budget.state(interval=self._interval)

    def ask(self, key: PeriodKey) -> float | None:
        reserved_at = time.monotonic()
        reservation = budget.reserve(key)
        if isinstance(reservation, budget.NoRoom):
            return None
        market = self._markets[key.market_id]
        question = provider.Question(
            base_url=market.market_data_url or settings.MARKET_DATA_URL,
            day=key.day,
            period=DeliveryPeriod(key.start, key.end),
            zone=market.zone,
            now=self._moment(),
        )
        future = _senders().submit(provider.fetch, question, reserved_at=reserved_at)
        self._under_way[future] = (key, reservation.request_id)
        return reservation.sent_at.timestamp()

    def arrivals(self, until: float) -> Collection[Arrived]:
        patience = max(0.0, until - self.now())
        if not self._under_way:
            stopping.wait(patience)
            return ()
        done, _ = wait(self._under_way, timeout=patience, return_when=FIRST_COMPLETED)
        return [self._stored(future) for future in done]

    def _stored(self, future: Future[provider.Answer]) -> Arrived:
        key, request_id = self._under_way.pop(future)
        answer = _answer_of(future)
        label = label_of(DeliveryPeriod(key.start, key.end), self._markets[key.market_id].zone)
        outcome = actions.store_answer(actions.Arrival(request_id, key, label, answer, self._moment()))
        if outcome is Outcome.NEWER and isinstance(answer, provider.Published):
            return Arrived(key, outcome, answer.last_update.timestamp())
        return Arrived(key, outcome, None)

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self.now(), tz=UTC)


def _answer_of(future: Future[provider.Answer]) -> provider.Answer:
    """The answer; an exception that nobody foresaw costs this one request, not the chase."""
    error = future.exception()
    if error is None:
        return future.result()
    log.error("provider_request_broke", exc_info=error)
    return provider.Refusal(Outcome.FAILED, f"{type(error).__name__}: {error}")
