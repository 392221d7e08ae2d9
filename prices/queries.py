"""Every read of prices: what boards show, what the chase knows, how the feed and the budget are doing.

Keyword-only arguments, no writes. Values are EUR/MWh (the market's currency), moments are aware UTC datetimes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from django.conf import settings
from django.db import connection
from django.db.models import Max, QuerySet, Sum

from market.locks import AdvisoryLock
from market.models import Market
from market.periods import DeliveryPeriod
from prices import request_ledger
from prices.models import ProviderRequest, ReferencePrice, ReferencePriceHistory
from prices.observations import FAILURES, FROM_THE_FUTURE, WHICH_OF_TWO, Outcome
from prices.publications import Publication, PublicationClock

LOOK_BACK = timedelta(hours=2)
"""How far the feed's state looks into the ledger: a bounded read, whatever the provider does."""

DOWN_AFTER_FAILURES = 3
_ANSWERS = (Outcome.NEWER, Outcome.UNCHANGED, Outcome.UNDEFINED)


@dataclass(frozen=True, slots=True)
class KnownPrice:
    """The latest reference price of a period. `revision` grows by one with every change."""

    value: Decimal
    last_update: datetime
    arrived_at: datetime
    revision: int


@dataclass(frozen=True, slots=True)
class PricePoint:
    """One accepted value of a period: published at `last_update`, here at `arrived_at`."""

    value: Decimal
    last_update: datetime
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class LastHour:
    """A market's requests of the last hour: how many by outcome, and how long answers took (seconds; None: none came).

    `last_error` says in one sentence what went wrong last, and is empty when nothing did.
    """

    outcomes: dict[str, int]
    latency_p50: float | None
    latency_p95: float | None
    latency_most: float | None
    last_error: str

    @property
    def requests(self) -> int:
        return sum(self.outcomes.values())


class StandstillReason(StrEnum):
    """Why prices stand still."""

    UNKNOWN = ""
    UNUSABLE = "the provider's answers can't be used"
    FUTURE = "the provider's times are in the future"
    REFUSED = "the provider refuses requests (429)"
    SILENT = "the provider does not answer"
    UNASKED = "nobody asks the provider"
    USED_UP = "the limits of requests are used up"


@dataclass(frozen=True, slots=True)
class PriceFeedState:
    """How the price feed of a market is doing.

    ok: current, or not yet late. late: the publication is overdue by more than the usual 30 s since `since`.
    down: no usable answer came since `since`. none: nothing was ever asked, or it answers (`last_success_at`) and has a
    price for no open period. `why` says why prices stand still, where that is known.
    `next_publication_at` lies in the past while a publication is awaited; None when no open period has a price.
    """

    state: Literal["ok", "late", "down", "none"]
    since: datetime | None
    last_success_at: datetime | None
    last_error: str
    next_publication_at: datetime | None
    why: StandstillReason = StandstillReason.UNKNOWN

    @property
    def answers_without_a_price(self) -> bool:
        """Whether the provider answers (404, null, 400 and the like) and no open period has a price."""
        if self.next_publication_at is not None:
            return False
        return self.why is StandstillReason.UNUSABLE or (self.state == "none" and self.last_success_at is not None)


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """Requests that count against the provider's limits, all markets together."""

    minute_used: int
    minute_limit: int
    hour_used: int
    hour_limit: int


def latest_prices(*, market_id: int, day: date) -> dict[DeliveryPeriod, KnownPrice]:
    """The known prices of a delivery day by period. One query."""
    with connection.cursor() as cursor:  # written out, as trades.queries.positions_of_day
        cursor.execute(
            """SELECT delivery_start, delivery_end, value, last_update, arrived_at, revision
               FROM prices_referenceprice WHERE market_id = %s AND delivery_day = %s""",
            [market_id, day],
        )
        rows = cursor.fetchall()
    return {
        DeliveryPeriod(start, end): KnownPrice(value, updated, arrived, n)
        for start, end, value, updated, arrived, n in rows
    }


def unclear_periods(*, market_id: int, periods: Collection[DeliveryPeriod]) -> frozenset[DeliveryPeriod]:
    """Those of the periods for which the provider's newest answer did not say which of two it is for. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT ON (delivery_start, delivery_end) delivery_start, delivery_end, detail
               FROM prices_providerrequest WHERE market_id = %s AND delivery_start = ANY(%s) AND finished_at IS NOT NULL
               ORDER BY delivery_start, delivery_end, sent_at DESC""",
            [market_id, [period.start for period in periods]],
        )
        rows = cursor.fetchall()
    unclear = {DeliveryPeriod(start, end) for start, end, detail in rows if detail.endswith(WHICH_OF_TWO)}
    return frozenset(unclear.intersection(periods))


def price_versions(*, keys: Collection[tuple[int, date]]) -> dict[tuple[int, date], int]:
    """The summed revisions of many days at once, 0 for a day without prices. Keys: (market primary key, day)."""
    if not keys:
        return {}
    rows = (
        ReferencePrice.objects.filter(market_id__in={k[0] for k in keys}, delivery_day__in={k[1] for k in keys})
        .order_by()
        .values_list("market_id", "delivery_day")
        .annotate(version=Sum("revision"))
    )
    versions = {(market_id, day): version for market_id, day, version in rows}
    return {key: versions.get(key, 0) for key in keys}


def price_path(*, market_id: int, start: datetime, end: datetime) -> list[PricePoint]:
    """Every accepted value of the period from `start` to `end` of delivery, in the order of publication. One query."""
    rows = ReferencePriceHistory.objects.filter(market_id=market_id, delivery_start=start, delivery_end=end)
    return [PricePoint(*row) for row in rows.order_by("last_update").values_list("value", "last_update", "arrived_at")]


def publications(*, market_ids: Collection[int], since: float) -> list[Publication]:
    """Every distinct moment of publication from `since` (POSIX seconds) on. One query over those days' history."""
    first = datetime.fromtimestamp(since, tz=UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT market_id, extract(epoch FROM last_update)::float8, extract(epoch FROM min(arrived_at))::float8"
            " FROM prices_referencepricehistory"
            " WHERE market_id = ANY(%s) AND delivery_day >= %s AND last_update >= %s GROUP BY market_id, last_update",
            [sorted(market_ids), first.date() - timedelta(days=1), first],
        )
        return [Publication(*row) for row in cursor.fetchall()]


def budget_use(*, now: datetime) -> BudgetUse:
    """How much of the provider's limits is used at `now`. One query."""
    use = request_ledger.use_at(now=now)
    return BudgetUse(
        minute_used=use.minute,
        minute_limit=settings.MARKET_DATA_REQUESTS_PER_MINUTE,
        hour_used=use.hour,
        hour_limit=settings.MARKET_DATA_REQUESTS_PER_HOUR,
    )


def paused_until(*, now: datetime) -> datetime | None:
    """Until when the provider wants to hear nothing (429); None when it listens. One query."""
    use = request_ledger.use_at(now=now)
    return use.paused_until if use.is_paused else None


def last_hour(*, market_id: int, now: datetime) -> LastHour:
    """What came of the market's requests of the hour before `now`: at most 1,000 rows, by index. One query."""
    rows = ProviderRequest.objects.filter(market_id=market_id, sent_at__gt=now - timedelta(hours=1), sent_at__lte=now)
    requests = list(rows.order_by("sent_at").values_list("outcome", "sent_at", "finished_at", "detail"))
    outcomes = Counter(outcome for outcome, *_ in requests)
    took = sorted((ended - sent).total_seconds() for _, sent, ended, _ in requests if ended is not None)
    errors = [detail for outcome, _, _, detail in requests if outcome in FAILURES]
    return LastHour(
        outcomes={outcome.value: outcomes[outcome.value] for outcome in Outcome},
        latency_p50=_quantile(took, 0.5),
        latency_p95=_quantile(took, 0.95),
        latency_most=_quantile(took, 1.0),
        last_error=errors[-1] if errors else "",
    )


def _quantile(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def last_publication(*, market_id: int) -> Publication | None:
    """The market's newest publication and when we first saw it; None before the first one. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT market_id, extract(epoch FROM last_update)::float8, extract(epoch FROM min(arrived_at))::float8"
            " FROM (SELECT * FROM prices_referencepricehistory WHERE market_id = %s ORDER BY id DESC LIMIT 100) AS new"
            " GROUP BY market_id, last_update ORDER BY last_update DESC LIMIT 1",
            [market_id],
        )
        row = cursor.fetchone()
    return Publication(*row) if row else None


def corrected_finals(*, market_id: int, since: datetime) -> int:
    """How many prices that were final have been changed by what arrived after `since`. One query over a few days."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(DISTINCT (new.delivery_start, new.delivery_end))
               FROM prices_referencepricehistory AS new
               JOIN market_market AS m ON m.id = new.market_id
               JOIN prices_referencepricehistory AS final USING (market_id, delivery_start, delivery_end)
               WHERE new.market_id = %(market)s AND new.delivery_day >= %(first)s AND new.arrived_at > %(since)s
                   AND final.last_update < new.last_update AND final.value <> new.value
                   AND final.last_update >= new.delivery_start - m.gate_closure_minutes * interval '1 minute'""",
            {"market": market_id, "first": since.date() - timedelta(days=3), "since": since},
        )
        return int(cursor.fetchone()[0])


def unanswered_products(*, market_id: int, now: datetime) -> tuple[int, ...]:
    """Product lengths (minutes, below 60) that were asked for within two hours and have no price of these days."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT minutes FROM (
                   SELECT DISTINCT extract(epoch FROM delivery_end - delivery_start)::integer / 60 AS minutes
                   FROM prices_providerrequest
                   WHERE market_id = %(market)s AND sent_at > %(since)s AND finished_at IS NOT NULL) AS asked
               WHERE minutes < 60 AND NOT EXISTS (
                   SELECT 1 FROM prices_referenceprice AS price
                   WHERE price.market_id = %(market)s AND price.delivery_day >= %(first)s
                       AND extract(epoch FROM price.delivery_end - price.delivery_start)::integer / 60 = minutes)
               ORDER BY minutes""",
            {"market": market_id, "since": now - LOOK_BACK, "first": now.date() - timedelta(days=2)},
        )
        return tuple(minutes for (minutes,) in cursor.fetchall())


def chased_now(*, market_ids: Collection[int]) -> set[int]:
    """Those of the markets that a worker is chasing at this moment. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = ANY(%s::oid[])"
            " AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [AdvisoryLock.PRICE_CHASE, list(market_ids)],
        )
        return {market_id for (market_id,) in cursor.fetchall()}


# --- how the feed is doing -----------------------------------------------------------------------------------------
def feed_state(*, market_id: int, now: datetime, interval: float) -> PriceFeedState:
    """The state of the market's price feed at `now`; publications come every `interval` seconds. Four small queries."""
    rhythm = PublicationClock(interval)
    success = _last_success(market_id, now)
    errors = _errors_since(market_id, max(success or now - LOOK_BACK, now - LOOK_BACK))
    newest = _newest_open(market_id, now)
    due = _moment(rhythm.next_publication(newest.timestamp(), now.timestamp()), now) if newest else None
    missed = _moment(rhythm.due_after(newest.timestamp()), now) if newest else None
    late_from = missed + timedelta(seconds=rhythm.late_window) if missed else None
    state: Literal["ok", "late", "down", "none"] = "ok"
    since = newest
    if success is None:
        state, since = ("down", None) if len(errors) >= DOWN_AFTER_FAILURES else ("none", None)
    elif len(errors) >= DOWN_AFTER_FAILURES or now - success > timedelta(seconds=2 * interval + rhythm.late_window):
        state, since = "down", success
    elif late_from and now > late_from:
        state, since = "late", late_from
    elif newest is None and _has_no_price(market_id, now):
        state, since = "none", success
    return PriceFeedState(state, since, success, errors[0][0] if errors else "", due, _why(state, errors, now))


def _why(state: str, errors: list[tuple[str, str]], now: datetime) -> StandstillReason:
    """Why prices stand still, by the last requests that brought nothing (sentence, outcome)."""
    if state == "late":
        use = budget_use(now=now)
        full = use.minute_used >= use.minute_limit or use.hour_used >= use.hour_limit
        return StandstillReason.USED_UP if full else StandstillReason.UNKNOWN
    if state != "down":
        return StandstillReason.UNKNOWN
    if not errors:
        return StandstillReason.UNASKED
    if all(sentence.endswith(FROM_THE_FUTURE) for sentence, _ in errors):
        return StandstillReason.FUTURE
    outcomes = {outcome for _, outcome in errors}
    if outcomes == {Outcome.BAD_ANSWER}:
        return StandstillReason.UNUSABLE
    return StandstillReason.REFUSED if outcomes == {Outcome.REFUSED} else StandstillReason.SILENT


def _moment(posix: float, like: datetime) -> datetime:
    return datetime.fromtimestamp(posix, tz=like.tzinfo)


def _answered(market_id: int, now: datetime) -> QuerySet[ProviderRequest]:
    return ProviderRequest.objects.filter(
        market_id=market_id, outcome__in=_ANSWERS, sent_at__gt=now - LOOK_BACK, finished_at__isnull=False
    )


def _has_no_price(market_id: int, now: datetime) -> bool:
    """Whether the provider said of an open period that it has no price of it, whatever it knows of closed ones."""
    open_ones = _answered(market_id, now).filter(delivery_start__gt=now + _lead(market_id))
    return open_ones.filter(outcome=Outcome.UNDEFINED).exists()


def _last_success(market_id: int, now: datetime) -> datetime | None:
    """When the provider last gave a usable answer for this market, that there is no price included."""
    newest = _answered(market_id, now).order_by("-sent_at")
    finished: datetime | None = newest.values_list("finished_at", flat=True).first()
    if finished is not None:
        return finished
    recent = ReferencePrice.objects.filter(market_id=market_id, delivery_day__gte=now.date() - timedelta(days=2))
    latest: datetime | None = recent.aggregate(latest=Max("arrived_at"))["latest"]
    return latest


def _errors_since(market_id: int, moment: datetime) -> list[tuple[str, str]]:
    """What went wrong since then (sentence, outcome), newest first; a few: more make no difference."""
    failed = ProviderRequest.objects.filter(market_id=market_id, outcome__in=FAILURES, sent_at__gt=moment)
    return list(failed.order_by("-sent_at").values_list("detail", "outcome")[:DOWN_AFTER_FAILURES])


def _lead(market_id: int) -> timedelta:
    return timedelta(minutes=Market.objects.values_list("gate_closure_minutes", flat=True).get(pk=market_id))


def _newest_open(market_id: int, now: datetime) -> datetime | None:
    """The newest last_update among the priced periods whose gate is open."""
    still_open = ReferencePrice.objects.filter(
        market_id=market_id,
        delivery_day__gte=now.date() - timedelta(days=1),
        delivery_start__gt=now + _lead(market_id),
    )
    newest: datetime | None = still_open.aggregate(newest=Max("last_update"))["newest"]
    return newest


# --- what the chase knows ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PriceTimeline:
    """The last value that had arrived by the end of each slot in which one arrived; slots ascending, EUR/MWh."""

    slots: tuple[int, ...]
    values: tuple[Decimal, ...]


def price_timelines(*, market_id: int, day: date, slot_seconds: int) -> dict[DeliveryPeriod, PriceTimeline]:
    """Per period the course of the day's prices; slots are counted from 1970. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT delivery_start, delivery_end, array_agg(slot ORDER BY slot), array_agg(value ORDER BY slot)
               FROM (SELECT DISTINCT ON (delivery_start, delivery_end, slot) delivery_start, delivery_end, slot, value
                   FROM (SELECT *, ceil(extract(epoch FROM arrived_at) / %s)::bigint - 1 AS slot
                       FROM prices_referencepricehistory WHERE market_id = %s AND delivery_day = %s) AS h
                   ORDER BY delivery_start, delivery_end, slot, last_update DESC) AS newest
               GROUP BY 1, 2""",
            [slot_seconds, market_id, day],
        )
        rows = cursor.fetchall()
    return {
        DeliveryPeriod(start, end): PriceTimeline(tuple(slots), tuple(values)) for start, end, slots, values in rows
    }
