"""Which trades followed which assumption: reads the trades of the periods that up and down claims are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from dashboard.assumptions.models import AssumedPeriod, Assumption
from dashboard.assumptions.money import Linked, Theorised, result_of
from dashboard.assumptions.queries import latest_verdicts, theory_of
from dashboard.assumptions.rules import SIDES, Claim, Expected, Verdict, followed
from market.models import Market
from market.periods import DeliveryPeriod
from prices.models import ReferencePrice
from trades.queries import PeriodKey, trades_of_periods

_SIDED = [claim.value for claim in SIDES]


def theorised(assumptions: QuerySet[Assumption]) -> list[Theorised]:
    """Every period of these that claims up or down, with what followed it. Five queries.

    A trade follows the newest of all that its trader had written for the period, whether it is among these or not.
    """
    wanted = set(assumptions.filter(claim__in=_SIDED).order_by().values_list("pk", flat=True))
    periods = _with_rivals(wanted)
    links = _links(periods)
    verdicts = latest_verdicts([period.pk for period in periods if period.assumption_id in wanted])
    zones = {market.pk: market.zone for market in Market.objects.all()}
    return [
        _theorised(period, links.get(period.pk, Linked()), verdicts.get(period.pk), zones[period.assumption.market_id])
        for period in periods
        if period.assumption_id in wanted
    ]


def _with_rivals(wanted: set[int]) -> list[AssumedPeriod]:
    """The periods of the wanted, and of all others of the same traders and days: a trade may follow one of those."""
    chosen = Assumption.objects.filter(pk__in=wanted).order_by()
    days = set(chosen.values_list("trader_id", "market_id", "delivery_day"))
    if not days:
        return []
    traders, markets, dates = (set(column) for column in zip(*days, strict=True))
    rows = AssumedPeriod.objects.filter(
        assumption__claim__in=_SIDED,
        assumption__trader__in=traders,
        assumption__market__in=markets,
        assumption__delivery_day__in=dates,
    ).select_related("assumption__trader", "assumption__withdrawal", "frozen")
    return [row for row in rows if _day_of(row) in days]


def _day_of(row: AssumedPeriod) -> tuple[int, int, object]:
    return row.assumption.trader_id, row.assumption.market_id, row.assumption.delivery_day


def _key(row: AssumedPeriod) -> PeriodKey:
    period = DeliveryPeriod(row.delivery_start, row.delivery_end)
    return PeriodKey(row.assumption.trader_id, row.assumption.market_id, row.assumption.delivery_day, period)


def _links(periods: Iterable[AssumedPeriod]) -> dict[int, Linked]:
    of_key: dict[PeriodKey, list[AssumedPeriod]] = defaultdict(list)
    for row in periods:
        of_key[_key(row)].append(row)
    references = _references([rows[0] for rows in of_key.values()])
    expected = {key: [_expected(row) for row in rows] for key, rows in of_key.items()}
    links: dict[int, Linked] = {}
    for key, trade in trades_of_periods(keys=list(of_key)):
        follows = followed(trade.direction, trade.execution_time, expected[key])
        if follows is not None:
            mwh = trade.quantity * key.period.hours
            result = result_of(trade.direction, trade.price, references.get(of_key[key][0].pk), mwh)
            links[follows.number] = links.get(follows.number, Linked()).with_trade(mwh, result)
    return links


def _expected(row: AssumedPeriod) -> Expected:
    """Until its gate closes, or it is withdrawn."""
    assumption, ends = row.assumption, row.gate_closes_at
    if hasattr(assumption, "withdrawal"):
        ends = min(ends, assumption.withdrawal.made_at)
    return Expected(row.pk, Claim(assumption.claim), assumption.created_at, ends)


def _references(rows: list[AssumedPeriod]) -> dict[int, Decimal]:
    """The reference that the board shows, by the number of the row."""
    prices = ReferencePrice.objects.filter(
        market__in={row.assumption.market_id for row in rows},
        delivery_day__in={row.assumption.delivery_day for row in rows},
    )
    known: dict[tuple[int, datetime | None, datetime | None], Decimal] = {
        (market, start, end): value
        for market, start, end, value in prices.values_list("market_id", "delivery_start", "delivery_end", "value")
    }
    keys = {row.pk: (row.assumption.market_id, row.reference_start, row.reference_end) for row in rows}
    return {number: known[key] for number, key in keys.items() if key in known}


def _theorised(
    row: AssumedPeriod, linked: Linked, judged: tuple[str, Decimal | None] | None, zone: object
) -> Theorised:
    assumption = row.assumption
    start = row.delivery_start.astimezone(zone)  # type: ignore[arg-type]
    open_verdict = Verdict.OPEN if hasattr(row, "frozen") else Verdict.WAITING
    return Theorised(
        assumption=assumption.pk,
        theory=theory_of(assumption),
        verdict=Verdict(judged[0]) if judged else open_verdict,
        late=assumption.late,
        hours=DeliveryPeriod(row.delivery_start, row.delivery_end).hours,
        move=judged[1] if judged else None,
        quantity=assumption.quantity,
        linked=linked,
        trader=str(assumption.trader),
        tags=tuple(assumption.tags),
        hour=start.hour,
        minutes_left=int((row.gate_closes_at - assumption.created_at).total_seconds() // 60),
        month=assumption.delivery_day.strftime("%Y-%m"),
    )
