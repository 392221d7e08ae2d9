"""Which trades followed which assumption: reads the trades of the periods that up and down claims are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from dashboard.assumptions.models import Assumption
from dashboard.assumptions.money import Linked, Theorised, result_of
from dashboard.assumptions.rules import Claim, Expected, Theory, Verdict, followed, minutes_left
from market.models import Market
from market.periods import DeliveryPeriod
from trades.queries import PeriodKey, trades_of_periods

# Exact SQL: of a year's thousands Django would make objects that nobody needs.
_ROWS = """SELECT p.id, a.id, a.id = ANY(%s), a.trader_id, a.market_id, a.delivery_day, p.delivery_start,
        p.delivery_end, p.gate_closes_at, a.claim, a.threshold, a.created_at, w.made_at,
        coalesce(nullif(t.name, ''), t.trader_id), a.tags, a.late, a.quantity,
        f.period_id IS NOT NULL, v.verdict, v.move, r.value
    FROM dashboard_assumption AS a JOIN dashboard_assumedperiod AS p ON p.assumption_id = a.id
    JOIN trades_trader AS t ON t.id = a.trader_id
    LEFT JOIN dashboard_withdrawal AS w ON w.assumption_id = a.id
    LEFT JOIN dashboard_frozenprice AS f ON f.period_id = p.id
    LEFT JOIN LATERAL (SELECT verdict, move FROM dashboard_verdictrecord WHERE period_id = p.id
        ORDER BY id DESC LIMIT 1) AS v ON true
    LEFT JOIN prices_referenceprice AS r ON r.market_id = a.market_id AND r.delivery_day = a.delivery_day
        AND r.delivery_start = p.reference_start AND r.delivery_end = p.reference_end
    WHERE a.claim IN ('up', 'down') AND (a.trader_id, a.market_id, a.delivery_day) IN (
        SELECT trader_id, market_id, delivery_day FROM dashboard_assumption WHERE id = ANY(%s))"""


class _Row(NamedTuple):
    """One period of an up or down claim; `wanted`: of those that were asked for; `reference` as the board shows it."""

    number: int
    assumption: int
    wanted: bool
    trader_pk: int
    market_pk: int
    day: date
    start: datetime
    end: datetime
    gate: datetime
    claim: str
    threshold: Decimal | None
    created_at: datetime
    withdrawn_at: datetime | None
    trader: str
    tags: list[str]
    late: bool
    quantity: Decimal | None
    is_frozen: bool
    verdict: str | None
    move: Decimal | None
    reference: Decimal | None

    @property
    def key(self) -> PeriodKey:
        return PeriodKey(self.trader_pk, self.market_pk, self.day, DeliveryPeriod(self.start, self.end))

    @property
    def expected(self) -> Expected:
        """Open until its gate closes, or it is withdrawn."""
        ends = min(self.gate, self.withdrawn_at) if self.withdrawn_at else self.gate
        return Expected(self.number, Claim(self.claim), self.created_at, ends)


def theorised(assumptions: QuerySet[Assumption]) -> list[Theorised]:
    """Every period of these that claims up or down, with what followed it. Four queries.

    A trade follows the newest of all that its trader had written for the period, whether it is among these or not.
    """
    wanted = list(assumptions.order_by().values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [wanted, wanted])
        rows = [_Row(*row) for row in cursor.fetchall()]
    links = _links(rows)
    zones = {market.pk: market.zone for market in Market.objects.all()}
    return [_theorised(row, links.get(row.number, Linked()), zones[row.market_pk]) for row in rows if row.wanted]


def _links(rows: Iterable[_Row]) -> dict[int, Linked]:
    """Per period of an assumption, by its number, what followed it."""
    of_key: dict[PeriodKey, list[_Row]] = defaultdict(list)
    for row in rows:
        of_key[row.key].append(row)
    links: dict[int, Linked] = {}
    for key, trade in trades_of_periods(keys=list(of_key)):
        follows = followed(trade.direction, trade.execution_time, (row.expected for row in of_key[key]))
        if follows is not None:
            mwh = trade.quantity * key.period.hours
            result = result_of(trade.direction, trade.price, of_key[key][0].reference, mwh)
            links[follows.number] = links.get(follows.number, Linked()).with_trade(mwh, result)
    return links


def _theorised(row: _Row, linked: Linked, zone: ZoneInfo) -> Theorised:
    not_judged = Verdict.OPEN if row.is_frozen else Verdict.WAITING
    return Theorised(
        assumption=row.assumption,
        theory=Theory(Claim(row.claim), row.threshold),
        verdict=Verdict(row.verdict) if row.verdict else not_judged,
        late=row.late,
        hours=DeliveryPeriod(row.start, row.end).hours,
        move=row.move,
        quantity=row.quantity,
        linked=linked,
        trader=row.trader,
        tags=tuple(row.tags),
        hour=row.start.astimezone(zone).hour,
        minutes_left=minutes_left(row.created_at, row.gate),
        month=f"{row.day:%Y-%m}",
    )
