"""The chase after new reference prices: the policy put to work against ledger, provider and database.

A chase begins with a tick of Celery's beat and goes on while something is due before the next tick. Requests go out
in parallel, but each is reserved in the ledger first, in order of value; answers are stored as they arrive, by the
chase's own thread. The loop is prices.polling.loop's.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import structlog
from django.conf import settings
from django.db import Error, connection
from django.db.backends.utils import CursorWrapper

from market import clock
from market.locks import AdvisoryLock
from market.models import Market
from market.periods import DeliveryPeriod
from market.queries import active_markets
from market.rules import ReferenceSource
from prices import observations, request_ledger, store
from prices.observations import Budget, Facts, Outcome, PeriodKey, Priority
from prices.polling import by_hand, policy, provider, state
from prices.polling.days import SETTLED_AFTER
from prices.polling.delay_learning import memory
from prices.polling.delays import Learnt
from prices.polling.final_checks import reason_of
from prices.polling.loop import AT_ONCE, OUTLOOK_SECONDS, Arrived, PollStats, poll, stopping
from prices.polling.priority import priorities, wanted
from prices.rhythms import interval_of

log = structlog.get_logger(__name__)


SETTLE_FOR = timedelta(seconds=SETTLED_AFTER)
"""Closed periods are still chased for their final price for this long, for example after an outage; and asked for again
the next morning, whether it was corrected."""

PERIOD_MINUTES = 60


def chase_prices(*, now: datetime) -> PollStats:
    """One tick at `now` (UTC): bring the prices of every active market up to date, or leave it to the chase that is on.

    An idle tick costs seven queries, one of them for the desk's time. Raises django.db.Error when PostgreSQL is away.
    """
    clock.desk.follow()
    markets = {market.pk: market for market in active_markets()}
    if not markets or not _something_due(markets.values(), now):
        return PollStats()
    with _market_locks(markets) as mine:
        if not mine:
            return PollStats()
        facts = _facts(mine.values(), now)  # again: another chase may just have ended
        facts, world = _with_priority(facts, now), _World(mine, facts)
        stats = poll(world, facts, _learnt(markets.values(), world.now()))
    if stats.lost:
        log.error("provider_threads_lost", requests=stats.lost)
        _senders.cache_clear()  # new threads for the next chase; what hangs in the old ones can't be mended
    if stats.asked:
        request_ledger.prune()
        log.info("chase_ended", asked=stats.asked, **stats.outcomes)
    return stats


def _intervals(markets: Collection[Market]) -> dict[int, float]:
    return {market.pk: interval_of(market) for market in markets}


def _facts(markets: Collection[Market], now: datetime) -> dict[PeriodKey, Facts]:
    wanted, gates, by_id = by_hand.wanted_checks(markets, now), _gates(markets, now), {m.pk: m for m in markets}
    for key in wanted.keys() - gates.keys():
        gates[key] = by_id[key.market_id].gate_closure(key.day, DeliveryPeriod(key.start, key.end))
    facts = state.facts_of(gates=gates, intervals=_intervals(markets))
    return facts | {key: replace(facts[key], wanted_at=at.timestamp()) for key, at in wanted.items()}


def _learnt(markets: Collection[Market], now: float) -> Learnt:
    return memory.recall(intervals=_intervals(markets), now=now)


def _with_priority(facts: Mapping[PeriodKey, Facts], now: datetime) -> dict[PeriodKey, Facts]:
    """The same facts, with what the desk cares about."""
    strongest: dict[PeriodKey, Priority] = {}
    for market_id in {key.market_id for key in facts}:
        keys = [key for key in facts if key.market_id == market_id]
        strongest |= priorities(market_id=market_id, now=now, keys=keys)
    return {key: replace(period, priority=strongest.get(key, Priority.NONE)) for key, period in facts.items()}


def _something_due(markets: Collection[Market], now: datetime) -> bool:
    """Whether the policy would ask for anything before the next tick."""
    facts, moment = _facts(markets, now), clock.desk.posix()
    untouched = Budget.untouched(settings.MARKET_DATA_REQUESTS_PER_MINUTE, settings.MARKET_DATA_REQUESTS_PER_HOUR)
    plan = policy.plan(now=moment, facts=facts.values(), budget=untouched, learnt=_learnt(markets, moment))
    return bool(plan.asks) or plan.look_again <= moment + OUTLOOK_SECONDS


def _gates(markets: Collection[Market], now: datetime) -> dict[PeriodKey, datetime]:
    """The gate closure of every period whose price may still change: yesterday's last ones, today's, tomorrow's."""
    gates = {}
    for market in markets:
        for day, period in _periods(market, now):
            gate = market.gate_closure(day, period)
            if gate > now - SETTLE_FOR:
                gates[PeriodKey(market.pk, day, period.start, period.end)] = gate
    return gates


def _periods(market: Market, now: datetime) -> Iterator[tuple[date, DeliveryPeriod]]:
    """Every row of three days that can be traded; of other products those that matter to somebody, if the provider
    answers for them.

    Before the market's opening tomorrow is asked for only where somebody has an interest all the same.
    """
    today = market.day_of(now)
    days = [today + timedelta(days=n) for n in (-1, 0, 1)]
    matters = wanted(market_id=market.pk, now=now)
    rows = {period: day for day in days for period in market.day_periods(day, market.rules_on(day).row_minutes)}
    for period, day in rows.items():
        opens_at = market.opens_at(day, period)
        if period in matters or opens_at is None or opens_at <= now:
            yield day, period
    for period in sorted(matters - rows.keys()):
        day = market.day_of(period.start)
        if day in days and market.reference_source(day, period) is ReferenceSource.OWN:
            yield day, period


@contextmanager
def _market_locks(markets: Mapping[int, Market]) -> Iterator[dict[int, Market]]:
    """Those of the markets that no other chase holds, for the length of the block.

    Locks of one transaction on a connection of its own: they end with it, so a killed worker holds nothing. A session's
    lock would be another process's behind a pooler that gives each transaction another connection.
    """
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # it says nothing while the chase lasts
            yield {pk: market for pk, market in markets.items() if _is_locked(cursor, pk)}
    finally:
        with suppress(Error):
            holder.rollback()
        holder.close()


def _is_locked(cursor: CursorWrapper, market_pk: int) -> bool:
    """Whether the market's chase is ours now."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [AdvisoryLock.PRICE_CHASE, market_pk])
    return bool(cursor.fetchone()[0])


@cache
def _senders() -> ThreadPoolExecutor:
    """This process's threads for requests; they stay, and so do their connections to the provider."""
    return ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="provider")


class _World:
    """The real outside: the desk's time, the ledger, the provider.

    A chase measures by the desk's time as it was when it began; when that steps, the chase is over.
    """

    def __init__(self, markets: Mapping[int, Market], facts: Mapping[PeriodKey, Facts]) -> None:
        self._markets, self._facts = markets, facts
        self._ahead = clock.desk.posix() - time.monotonic()
        self._interval = min(map(interval_of, markets.values()))
        self._under_way: dict[Future[observations.Answer], tuple[PeriodKey, request_ledger.Reservation]] = {}

    def now(self) -> float:
        return time.monotonic() + self._ahead

    def is_over(self) -> bool:
        return abs(clock.desk.posix() - self.now()) > clock.MOVED_SECONDS

    def budget(self) -> Budget:
        return request_ledger.state(interval=self._interval)

    def ask(self, key: PeriodKey) -> float | None:
        reserved_at = time.monotonic()
        reservation = request_ledger.reserve(key)
        if isinstance(reservation, request_ledger.NoRoom):
            return None
        market = self._markets[key.market_id]
        question = provider.Question(
            base_url=market.market_data_url or settings.MARKET_DATA_URL,
            day=key.day,
            period=DeliveryPeriod(key.start, key.end),
            days=market.calendar,
            currency=market.rules_on(key.day).currency,
            now=self._moment(),
        )
        future = _senders().submit(provider.fetch, question, reserved_at=reserved_at)
        self._under_way[future] = (key, reservation)
        return reservation.sent_at.timestamp()

    def arrivals(self, until: float) -> Collection[Arrived]:
        patience = max(0.0, until - self.now())
        if not self._under_way:
            stopping.wait(patience)
            return ()
        done, _ = wait(self._under_way, timeout=patience, return_when=FIRST_COMPLETED)
        return [self._stored(future) for future in done]

    def _stored(self, future: Future[observations.Answer]) -> Arrived:
        key, reserved = self._under_way.pop(future)
        answer = _answer_of(future)
        market, period = self._markets[key.market_id], DeliveryPeriod(key.start, key.end)
        label, gate = market.label_of(period), market.gate_closure(key.day, period)
        why = reason_of(key, reserved.sent_at.timestamp(), self._facts[key].wanted_at)
        outcome = store.store_answer(store.Arrival(reserved.request_id, key, label, answer, self._moment(), gate, why))
        if outcome is Outcome.NEWER and isinstance(answer, observations.Published):
            return Arrived(key, outcome, answer.last_update.timestamp())
        return Arrived(key, outcome, None)

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self.now(), tz=UTC)


def _answer_of(future: Future[observations.Answer]) -> observations.Answer:
    """The answer; an exception that nobody foresaw costs this one request, not the chase."""
    error = future.exception()
    if error is None:
        return future.result()
    log.error("provider_request_broke", exc_info=error)
    return observations.Refusal(Outcome.FAILED, f"{type(error).__name__}: {error}")
