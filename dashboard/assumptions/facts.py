"""What rates and money ask of each period of some assumptions, read once for both. No rights are asked here.

Exact SQL, a look a table and period: of thousands Django would make objects that nobody needs, and beside a million
others PostgreSQL would read all of them (each LATERAL with OFFSET 0 is a look by index that it can't plan away).
Moments are naive UTC: psycopg reads those in C, and 10,000 aware ones take it 25 ms.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet

from dashboard.assumptions.models import Assumption
from dashboard.assumptions.rates import Case
from dashboard.assumptions.rules import Claim, Theory, Verdict, minutes_left
from trades.models import Trader

_FACTS = """SELECT p.id, a.id, a.trader_id, a.market_id, a.delivery_day, p.hour, p.minutes,
        a.created_at AT TIME ZONE 'UTC', p.gate_closes_at AT TIME ZONE 'UTC', a.claim, a.threshold, a.confidence,
        a.tags, a.late, a.quantity, f.value, f.last_change, v.verdict, v.move, v.final_price, r.value
    FROM unnest(%s::bigint[]) AS wanted (id)
    JOIN LATERAL (SELECT * FROM dashboard_assumption WHERE id = wanted.id OFFSET 0) AS a ON true
    JOIN market_market AS m ON m.id = a.market_id
    JOIN LATERAL (SELECT *, (extract(epoch FROM delivery_end - delivery_start) / 60)::int AS minutes,
            extract(hour FROM delivery_start AT TIME ZONE m.time_zone)::int AS hour
        FROM dashboard_assumedperiod WHERE assumption_id = a.id OFFSET 0) AS p ON true
    LEFT JOIN LATERAL (SELECT value, last_change FROM dashboard_frozenprice WHERE period_id = p.id OFFSET 0) AS f
        ON true
    LEFT JOIN LATERAL (SELECT verdict, move, final_price FROM dashboard_verdictrecord WHERE period_id = p.id
        ORDER BY id DESC LIMIT 1) AS v ON true
    LEFT JOIN LATERAL (SELECT value FROM prices_referenceprice WHERE market_id = a.market_id
        AND delivery_day = a.delivery_day AND delivery_start = p.reference_start AND delivery_end = p.reference_end
        OFFSET 0) AS r ON true"""


@lru_cache(maxsize=1024)
def _theory(claim: str, threshold: Decimal | None) -> Theory:
    return Theory(Claim(claim), threshold)


_VERDICTS = {verdict.value: verdict for verdict in Verdict}


class Fact(NamedTuple):
    """One period of an assumption. `hour`: of the day, by the market's clock; `minutes`: length of delivery.

    `frozen`, `last_change`, `move`, `final` and `reference` (as its board shows it now) EUR/MWh, `quantity` MW.
    """

    number: int
    assumption: int
    trader_pk: int
    market_pk: int
    day: date
    hour: int
    minutes: int
    created_at: datetime
    gate: datetime
    claim: str
    threshold: Decimal | None
    confidence: int | None
    tags: list[str]
    late: bool
    quantity: Decimal | None
    frozen: Decimal | None
    last_change: Decimal | None
    verdict: str | None
    """The one that holds."""
    move: Decimal | None
    final: Decimal | None
    reference: Decimal | None

    @property
    def hours(self) -> Decimal:
        """Length of delivery: MW times this is MWh."""
        return Decimal(self.minutes) / 60


def facts(assumptions: QuerySet[Assumption]) -> list[Fact]:
    """Every period of these. Two queries."""
    wanted = list(assumptions.order_by().values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, [wanted])
        return [Fact._make(row) for row in cursor.fetchall()]


def cases_of(rows: Iterable[Fact]) -> list[Case]:
    """A case for each, in their order; those that are not judged yet are in no rate. One query."""
    names = {trader.pk: str(trader) for trader in Trader.objects.all()}
    return [_case(row, names[row.trader_pk]) for row in rows]


def _case(row: Fact, trader: str) -> Case:
    not_judged = Verdict.WAITING if row.frozen is None else Verdict.OPEN
    return Case(
        _theory(row.claim, row.threshold),
        _VERDICTS[row.verdict] if row.verdict else not_judged,
        row.late,
        row.frozen,
        row.last_change,
        row.final,
        row.confidence,
        trader,
        tuple(row.tags),
        minutes_left(row.created_at, row.gate),
        row.hour,
    )


def cases(assumptions: QuerySet[Assumption]) -> list[Case]:
    """One case for each period of these, for rates. Three queries."""
    return cases_of(facts(assumptions))
