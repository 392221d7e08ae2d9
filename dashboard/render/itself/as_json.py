"""The desk against itself for programs: exact decimals as text, moments in UTC."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dashboard.figures.itself.day import Against
from dashboard.figures.itself.matching import DeskTrade, Pair, PairSum, sum_of, sums_by
from dashboard.render.formatting import plain, utc
from market.labels import label_of
from market.periods import Days, DeliveryPeriod


def against_json(shown: Against) -> dict[str, Any]:
    """Sums by period, and every pair."""
    days = shown.market.calendar
    by_period = sums_by(shown.matches, lambda pair: pair.period)
    return {
        "market": shown.market.code,
        "delivery_day": shown.day.isoformat(),
        "as_of": utc(shown.as_of),
        "currency": shown.market.rules_on(shown.day).currency,
        "trade_count": shown.trades,
        "total": _sum(sum_of(shown.matches)),
        "periods": [_period(period, days) | _sum(total) for period, total in by_period.items()],
        "matches": [_pair(pair, days) for pair in shown.matches],
        "round_trips": [_pair(pair, days) for pair in shown.round_trips],
        "alike": [_pair(pair, days) for pair in shown.alike],
    }


def _period(period: DeliveryPeriod, days: Days) -> dict[str, str]:
    return {
        "delivery_hour": label_of(period, days),
        "delivery_start": utc(period.start),
        "delivery_end": utc(period.end),
    }


def _sum(total: PairSum) -> dict[str, Any]:
    return {
        "pair_count": total.count,
        "energy_mwh": plain(total.energy),
        "result": plain(total.result),
        "result_per_mwh": plain(total.per_mwh),
    }


def _pair(pair: Pair, days: Days) -> dict[str, Any]:
    return {
        "delivery_hour": label_of(pair.period, days),
        "sold": _trade(pair.sold),
        "bought": _trade(pair.bought),
        "quantity": plain(pair.quantity),
        "energy_mwh": plain(pair.energy),
        "apart_ms": pair.apart // timedelta(milliseconds=1),
        "result": plain(pair.result),
    }


def _trade(trade: DeskTrade) -> dict[str, str | None]:
    return {
        "exchange_id": trade.exchange_id,
        "trader_id": trade.trader,
        "price": plain(trade.price),
        "execution_time": utc(trade.executed_at),
    }
