"""Assumptions as a table for files: a row a period, and the rates of all of them and of each tag."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from zoneinfo import ZoneInfo

from dashboard.assumptions.queries import PeriodStanding, Standing
from dashboard.assumptions.rates import Case, Rate, grouped, rate_of
from dashboard.render.assumptions.as_json import fraction
from dashboard.render.tables import Column, Kind, Table, Value
from market.labels import file_label

_TEXTS = ("row", "id", "market", "trader_id", "trader", "tag")
_FACTS = {
    "created_at_utc": Kind.UTC,
    "delivery_day": Kind.DAY,
    "delivery_hour": Kind.TEXT,
    "delivery_start_utc": Kind.UTC,
    "delivery_end_utc": Kind.UTC,
    "claim": Kind.TEXT,
    "threshold": Kind.NUMBER,
    "confidence": Kind.INTEGER,
    "quantity_mw": Kind.NUMBER,
    "late": Kind.INTEGER,
    "withdrawn_at_utc": Kind.UTC,
    "frozen_price": Kind.NUMBER,
    "frozen_updated_at_utc": Kind.UTC,
    "last_change": Kind.NUMBER,
    "net_mwh": Kind.NUMBER,
    "average_price": Kind.NUMBER,
    "final_price": Kind.NUMBER,
    "move": Kind.NUMBER,
    "verdict": Kind.TEXT,
    "reason": Kind.TEXT,
}
_RATES = {
    "judged": Kind.INTEGER,
    "right": Kind.INTEGER,
    "rate": Kind.NUMBER,
    "low": Kind.NUMBER,
    "high": Kind.NUMBER,
    "baseline_rate": Kind.NUMBER,
    "excess": Kind.NUMBER,
}
COLUMNS = tuple(Column(name, kind) for name, kind in {**dict.fromkeys(_TEXTS, Kind.TEXT), **_FACTS, **_RATES}.items())


def assumptions_table(standings: Iterable[Standing], cases: list[Case], zone: ZoneInfo) -> Table:
    """All of a selection, newest first, then the rates that its page shows."""
    rows = [_row(standing, period) for standing in standings for period in standing.periods]
    rows += [_rate_row("tag", tag, rate) for tag, rate in sorted(grouped(cases, lambda case: case.tags).items())]
    rows.append(_rate_row("total", None, rate_of(cases)))
    return Table("assumptions", zone, COLUMNS, tuple(rows))


def _row(standing: Standing, period: PeriodStanding) -> tuple[Value, ...]:
    row, frozen, record = standing.assumption, period.frozen, period.record
    return (
        *("period", str(row.pk), row.market.code, row.trader.trader_id, str(row.trader), ", ".join(row.tags) or None),
        row.created_at,
        row.delivery_day,
        file_label(period.row.delivery_hour),
        period.row.delivery_start,
        period.row.delivery_end,
        row.claim,
        row.threshold,
        row.confidence,
        row.quantity,
        int(row.late),
        standing.withdrawn_at,
        *((frozen.value, frozen.last_update, frozen.last_change) if frozen else (None,) * 3),
        period.row.net_mwh,
        period.row.average_price,
        *((record.final_price, record.move) if record else (None, None)),
        period.verdict.value,
        row.reason or None,
        *(None,) * len(_RATES),
    )


def _rate_row(kind: str, tag: str | None, rate: Rate) -> tuple[Value, ...]:
    low, high = rate.interval or (None, None)
    figures = (rate.rate, low, high, rate.pairs.other_rate, rate.pairs.excess)
    exact = (None if value is None else Decimal(fraction(value) or 0) for value in figures)
    return (kind, None, None, None, None, tag, *(None,) * len(_FACTS), rate.judged, rate.right, *exact)
