"""Every read of prices: what boards show, what the chase knows, how the feed and the budget are doing.

Keyword-only arguments, no writes. Values are EUR/MWh (the market's currency), moments are aware UTC datetimes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from market.locks import AdvisoryLock
from market.periods import DeliveryPeriod, period_at
from market.statements.columns import column_of
from market.tables import unless_missing
from prices import request_ledger
from prices.models import PriceCorrection, ProviderRequest, ReferencePriceHistory
from prices.observations import FAILURES, WHICH_OF_TWO, Outcome
from prices.publications import Publication

LOOK_BACK = timedelta(hours=2)
"""How far the feed's state looks into the ledger: a bounded read, whatever the provider does."""


@dataclass(frozen=True, slots=True)
class Restatement:
    """A final price that was another one before: which one, and when the present one arrived (UTC)."""

    old_value: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownPrice:
    """The latest reference price of a period. `revision` grows by one with every change."""

    value: Decimal
    last_update: datetime
    arrived_at: datetime
    revision: int
    restated: Restatement | None = None


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


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """Requests that count against the provider's limits, all markets together."""

    minute_used: int
    minute_limit: int
    hour_used: int
    hour_limit: int


# As JSON: where an update has not brought the columns yet, nothing is restated.
_LATEST = """SELECT extract(epoch FROM delivery_start)::bigint, extract(epoch FROM delivery_end)::bigint, value,
        last_update, arrived_at, revision, (to_jsonb(known) ->> 'restated_from')::numeric,
        (to_jsonb(known) ->> 'restated_at')::timestamptz
    FROM prices_referenceprice AS known WHERE market_id = %s AND delivery_day = %s"""
_OTHERS_THAN = f"""{_LATEST} AND (extract(epoch FROM delivery_start)::bigint, extract(epoch FROM delivery_end)::bigint,
        revision) NOT IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]))"""  # noqa: S608 - our own text


def latest_prices(*, market_id: int, day: date) -> dict[DeliveryPeriod, KnownPrice]:
    """The known prices of a delivery day by period. One query."""
    return _read_latest(_LATEST, [market_id, day])


def prices_after(
    earlier: Mapping[DeliveryPeriod, KnownPrice], *, market_id: int, day: date
) -> dict[DeliveryPeriod, KnownPrice]:
    """The same, where all were read `earlier`: only those that have changed since, or are new, are read. One query.

    A price is never taken away, and each change of it counts as a revision of its own.
    """
    known = [(int(p.start.timestamp()), int(p.end.timestamp()), price.revision) for p, price in earlier.items()]
    columns = zip(*known, strict=True) if known else ([], [], [])
    return {**earlier, **_read_latest(_OTHERS_THAN, [market_id, day, *map(column_of, columns)])}


def _read_latest(statement: str, values: list[Any]) -> dict[DeliveryPeriod, KnownPrice]:
    with connection.cursor() as cursor:  # written out, as trades.queries.positions_of_day
        cursor.execute(statement, values)
        return {period_at(start, end): _known(*price) for start, end, *price in cursor.fetchall()}


def prices_as_of(*, market_id: int, day: date, moment: datetime) -> dict[DeliveryPeriod, KnownPrice]:
    """What `latest_prices` said of a delivery day at `moment` (UTC): of what had arrived by then. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT known.delivery_start, known.delivery_end, known.value, known.last_update, known.arrived_at,
                   known.revision, restated.old_value, restated.arrived_at
               FROM (SELECT DISTINCT ON (delivery_start, delivery_end) *,
                       count(*) OVER (PARTITION BY delivery_start, delivery_end) AS revision
                   FROM prices_referencepricehistory
                   WHERE market_id = %(market)s AND delivery_day = %(day)s AND arrived_at <= %(moment)s
                   ORDER BY delivery_start, delivery_end, last_update DESC) AS known
               LEFT JOIN LATERAL (SELECT old_value, arrived_at FROM prices_pricecorrection AS correction
                   WHERE (correction.market_id, correction.delivery_start, correction.delivery_end)
                           = (known.market_id, known.delivery_start, known.delivery_end)
                       AND correction.arrived_at <= %(moment)s
                   ORDER BY correction.last_update DESC LIMIT 1) AS restated ON true""",
            {"market": market_id, "day": day, "moment": moment},
        )
        return {DeliveryPeriod(start, end): _known(*price) for start, end, *price in cursor.fetchall()}


def _known(
    value: Decimal, updated: datetime, arrived: datetime, revision: int, old: Decimal | None, at: datetime | None
) -> KnownPrice:
    restated = Restatement(old, at) if old is not None and at is not None else None
    return KnownPrice(value, updated, arrived, revision, restated)


def unclear_periods(
    *, market_id: int, periods: Collection[DeliveryPeriod], until: datetime | None = None
) -> frozenset[DeliveryPeriod]:
    """Those of the periods for which the provider's newest answer, or that up to `until` (UTC), did not say which of
    two it is for. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT ON (delivery_start, delivery_end) delivery_start, delivery_end, detail
               FROM prices_providerrequest WHERE market_id = %s AND delivery_start = ANY(%s)
                   AND finished_at <= coalesce(%s, 'infinity'::timestamptz)
               ORDER BY delivery_start, delivery_end, sent_at DESC""",
            [market_id, [period.start for period in periods], until],
        )
        rows = cursor.fetchall()
    unclear = {DeliveryPeriod(start, end) for start, end, detail in rows if detail.endswith(WHICH_OF_TWO)}
    return frozenset(unclear.intersection(periods))


def price_path(*, market_id: int, start: datetime, end: datetime) -> list[PricePoint]:
    """Every accepted value of the period from `start` to `end` of delivery, in the order of publication. One query."""
    rows = ReferencePriceHistory.objects.filter(market_id=market_id, delivery_start=start, delivery_end=end)
    return [PricePoint(*row) for row in rows.order_by("last_update").values_list("value", "last_update", "arrived_at")]


def price_paths(*, market_id: int, periods: Sequence[DeliveryPeriod]) -> list[list[PricePoint]]:
    """The same for several periods, in their order. One query."""
    wanted = ReferencePriceHistory.objects.filter(market_id=market_id, delivery_start__in=[p.start for p in periods])
    rows = wanted.order_by("last_update").values_list(
        "delivery_start", "delivery_end", "value", "last_update", "arrived_at"
    )
    found: dict[DeliveryPeriod, list[PricePoint]] = {}
    for start, end, value, last_update, arrived_at in rows:
        point = PricePoint(value, last_update, arrived_at)
        found.setdefault(DeliveryPeriod(start, end), []).append(point)
    return [found.get(period, []) for period in periods]


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
    changed = PriceCorrection.objects.filter(
        market_id=market_id, delivery_day__gte=since.date() - timedelta(days=3), arrived_at__gt=since
    )
    periods = changed.order_by().values("delivery_start", "delivery_end").distinct()
    return unless_missing(periods.count, 0)


_PRODUCT = """CASE WHEN delivery_end - delivery_start > interval '1 hour' THEN 0
    ELSE extract(epoch FROM delivery_end - delivery_start)::integer / 60 END"""


def unanswered_products(*, market_id: int, now: datetime) -> tuple[int, ...]:
    """Products but hours (minutes, or BLOCK) that were asked for within two hours and have no price of these days."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT minutes FROM (
                   SELECT DISTINCT {_PRODUCT} AS minutes
                   FROM prices_providerrequest
                   WHERE market_id = %(market)s AND sent_at > %(since)s AND finished_at IS NOT NULL) AS asked
               WHERE minutes <> 60 AND NOT EXISTS (
                   SELECT 1 FROM prices_referenceprice AS price
                   WHERE price.market_id = %(market)s AND price.delivery_day >= %(first)s
                       AND {_PRODUCT} = minutes)
               ORDER BY minutes""",  # noqa: S608 - our own text, no input
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


# --- what the chase knows ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PriceTimeline:
    """The last value that had arrived by the end of each slot in which one arrived; slots ascending, EUR/MWh."""

    slots: tuple[int, ...]
    values: tuple[Decimal, ...]


def price_timelines(
    *, market_id: int, day: date, slot_seconds: int, moment: datetime | None = None, happened: bool = False
) -> dict[DeliveryPeriod, PriceTimeline]:
    """Per period the course of the day's prices; slots are counted from 1970. One query.

    With a `moment` (UTC) of what had arrived by then. `happened`: prices stand in the slots, and are known from the
    moment, in which they were published.
    """
    when, until = "last_update" if happened else "arrived_at", "" if moment is None else "AND {} <= %(moment)s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT delivery_start, delivery_end, array_agg(slot ORDER BY slot), array_agg(value ORDER BY slot)
               FROM (SELECT DISTINCT ON (delivery_start, delivery_end, slot) delivery_start, delivery_end, slot, value
                   FROM (SELECT *, ceil(extract(epoch FROM {when}) / %(slot)s)::bigint - 1 AS slot
                       FROM prices_referencepricehistory
                       WHERE market_id = %(market)s AND delivery_day = %(day)s {until.format(when)}) AS h
                   ORDER BY delivery_start, delivery_end, slot, last_update DESC) AS newest
               GROUP BY 1, 2""",  # noqa: S608 - one of two names of ours
            {"slot": slot_seconds, "market": market_id, "day": day, "moment": moment},
        )
        rows = cursor.fetchall()
    return {
        DeliveryPeriod(start, end): PriceTimeline(tuple(slots), tuple(values)) for start, end, slots, values in rows
    }
