"""Assumptions and their rates as JSON. Decimals are exact, as strings; undefined is null; times are UTC."""

from __future__ import annotations

from typing import Any

from dashboard.assumptions.queries import PeriodStanding, Standing
from dashboard.assumptions.rates import Rate
from dashboard.render.formatting import plain, utc

_DIGITS = 10


def assumption_json(standing: Standing) -> dict[str, Any]:
    """One assumption and how each of its periods stands."""
    row = standing.assumption
    return {
        "id": row.pk,
        "trader_id": row.trader.trader_id,
        "created_at": utc(row.created_at),
        "market": row.market.code,
        "delivery_day": row.delivery_day.isoformat(),
        "claim": row.claim,
        "threshold": plain(row.threshold),
        "broken_at": plain(row.broken_at),
        "confidence": row.confidence,
        "quantity": plain(row.quantity),
        "tags": row.tags,
        "reason": row.reason,
        "late": row.late,
        "withdrawn_at": utc(standing.withdrawn_at) if standing.withdrawn_at else None,
        "periods": [_period_json(period) for period in standing.periods],
    }


def _period_json(period: PeriodStanding) -> dict[str, Any]:
    frozen, record = period.frozen, period.record
    return {
        "delivery_hour": period.row.delivery_hour,
        "frozen_price": plain(frozen.value) if frozen else None,
        "frozen_updated_at": utc(frozen.last_update) if frozen else None,
        "last_change": plain(frozen.last_change) if frozen else None,
        "final_price": plain(record.final_price) if record else None,
        "move": plain(record.move) if record else None,
        "verdict": period.verdict.value,
    }


def rates_json(rate: Rate) -> dict[str, Any]:
    """A rate with its interval, beside the dumb rule's on the same moments; fractions of 1."""
    low, high = rate.interval or (None, None)
    return {
        "judged": rate.judged,
        "right": rate.right,
        "rate": fraction(rate.rate),
        "low": fraction(low),
        "high": fraction(high),
        "baseline_rate": fraction(rate.pairs.other_rate),
        "excess": fraction(rate.pairs.excess),
    }


def fraction(value: float | None) -> str | None:
    """A fraction of 1 as a text; None stays None."""
    return None if value is None else f"{value:.{_DIGITS}f}"
