"""Reads of assumptions: how each period of them stands, and the cases that rates are made of. No rights are asked here.

Values are EUR/MWh (the market's currency), moments aware UTC datetimes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from dashboard.assumptions.models import AssumedPeriod, Assumption, FrozenPrice, VerdictRecord
from dashboard.assumptions.rules import NO_FINAL_AFTER, Claim, Theory, Verdict
from market.periods import DeliveryPeriod
from market.statements.planning import planned_by_values

_SINCE = """SELECT wanted.id, h.value FROM unnest(%s::bigint[]) AS wanted (id)
    JOIN LATERAL (SELECT * FROM dashboard_assumedperiod WHERE id = wanted.id OFFSET 0) AS p ON true
    JOIN LATERAL (SELECT market_id FROM dashboard_assumption WHERE id = p.assumption_id OFFSET 0) AS a ON true
    JOIN LATERAL (SELECT last_update FROM dashboard_frozenprice WHERE period_id = p.id OFFSET 0) AS f ON true
    JOIN LATERAL (SELECT value, last_update FROM prices_referencepricehistory WHERE market_id = a.market_id
        AND delivery_start = p.reference_start AND delivery_end = p.reference_end AND last_update > f.last_update
        OFFSET 0) AS h ON true
    ORDER BY wanted.id, h.last_update"""
"""`OFFSET 0`: period by period, by index, also while PostgreSQL has not counted yet how many prices have come."""


@dataclass(frozen=True, slots=True)
class PeriodStanding:
    """How one period of an assumption stands now. `in_favour`: above zero is good for the claim."""

    row: AssumedPeriod
    theory: Theory
    frozen: FrozenPrice | None
    newest: Decimal | None
    """The newest price; the final once there is one."""
    verdicts: tuple[VerdictRecord, ...]
    is_broken: bool

    @property
    def period(self) -> DeliveryPeriod:
        return DeliveryPeriod(self.row.delivery_start, self.row.delivery_end)

    @property
    def record(self) -> VerdictRecord | None:
        """The verdict that holds."""
        return self.verdicts[-1] if self.verdicts else None

    @property
    def verdict(self) -> Verdict:
        if self.record is not None:
            return Verdict(self.record.verdict)
        return Verdict.OPEN if self.frozen else Verdict.WAITING

    @property
    def in_favour(self) -> Decimal | None:
        if self.frozen is None or self.newest is None:
            return None
        return self.theory.in_favour(self.frozen.value, self.newest)


@dataclass(frozen=True, slots=True)
class Standing:
    """An assumption and how each of its periods stands."""

    assumption: Assumption
    theory: Theory
    periods: tuple[PeriodStanding, ...]
    withdrawn_at: datetime | None

    @property
    def is_open(self) -> bool:
        return any(period.record is None for period in self.periods)


def unsettled_references(*, market_id: int, now: datetime) -> set[DeliveryPeriod]:
    """The periods by whose final prices assumptions of the market are still to be judged at `now` (UTC). One query."""
    unsettled = AssumedPeriod.objects.filter(
        assumption__market_id=market_id, gate_closes_at__gt=now - NO_FINAL_AFTER, reference_start__isnull=False
    ).order_by()
    ends = unsettled.values_list("reference_start", "reference_end").distinct()
    return {DeliveryPeriod(start, end) for start, end in ends if start is not None and end is not None}


def theory_of(assumption: Assumption) -> Theory:
    return Theory(Claim(assumption.claim), assumption.threshold, assumption.broken_at)


def standings(assumptions: QuerySet[Assumption]) -> list[Standing]:
    """How these stand, in their order. Six queries, however many there are."""
    with planned_by_values():  # a page of them is asked for by their author, newest first
        # One market for all of its rows, prefetched: each market object reads its dated rules for itself.
        rows = list(assumptions.select_related("trader", "withdrawal").prefetch_related("market"))
    periods = list(
        AssumedPeriod.objects.filter(assumption__in=[row.pk for row in rows])
        .select_related("frozen")
        .order_by("delivery_start", "delivery_end")
    )
    numbers = [period.pk for period in periods]
    verdicts, since = _verdicts(numbers), _since(numbers)
    of: dict[int, list[AssumedPeriod]] = defaultdict(list)
    for period in periods:
        of[period.assumption_id].append(period)
    return [_standing(row, of[row.pk], verdicts, since) for row in rows]


def _standing(
    row: Assumption,
    periods: Iterable[AssumedPeriod],
    verdicts: dict[int, list[VerdictRecord]],
    since: dict[int, list[Decimal]],
) -> Standing:
    theory = theory_of(row)
    stand = tuple(_period(period, theory, verdicts.get(period.pk, []), since.get(period.pk, [])) for period in periods)
    withdrawn = row.withdrawal.made_at if hasattr(row, "withdrawal") else None
    return Standing(row, theory, stand, withdrawn)


def _period(
    row: AssumedPeriod, theory: Theory, verdicts: Sequence[VerdictRecord], since: Sequence[Decimal]
) -> PeriodStanding:
    frozen = row.frozen if hasattr(row, "frozen") else None
    newest = since[-1] if since else frozen.value if frozen else None
    if verdicts and verdicts[-1].final_price is not None:
        newest = verdicts[-1].final_price
    broken = frozen is not None and theory.is_broken(frozen.value, since)
    return PeriodStanding(row, theory, frozen, newest, tuple(verdicts), broken)


def _verdicts(numbers: list[int]) -> dict[int, list[VerdictRecord]]:
    of: dict[int, list[VerdictRecord]] = defaultdict(list)
    for record in VerdictRecord.objects.filter(period__in=numbers).order_by("id"):
        of[record.period_id].append(record)
    return of


def _since(numbers: list[int]) -> dict[int, list[Decimal]]:
    """What each reference did since it was frozen, oldest first."""
    of: dict[int, list[Decimal]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, [numbers])
        for number, value in cursor.fetchall():
            of[number].append(value)
    return of


def day_versions(*, keys: set[tuple[int, date]]) -> dict[tuple[int, date], int]:
    """A number that grows with all that becomes of a day's assumptions. Keys: (market primary key, day). One query."""
    if not keys:
        return {}
    markets, days = zip(*keys, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT a.market_id, a.delivery_day, count(DISTINCT a.id) + count(DISTINCT f.period_id)
                   + count(DISTINCT v.id) + count(DISTINCT w.assumption_id)
               FROM unnest(%s::bigint[], %s::date[]) AS wanted (market_id, delivery_day)
               JOIN dashboard_assumption AS a USING (market_id, delivery_day)
               JOIN dashboard_assumedperiod AS p ON p.assumption_id = a.id
               LEFT JOIN dashboard_frozenprice AS f ON f.period_id = p.id
               LEFT JOIN dashboard_verdictrecord AS v ON v.period_id = p.id
               LEFT JOIN dashboard_withdrawal AS w ON w.assumption_id = a.id GROUP BY 1, 2""",
            [list(markets), list(days)],
        )
        found = {(market, day): int(number) for market, day, number in cursor.fetchall()}
    return {key: found.get(key, 0) for key in keys}
