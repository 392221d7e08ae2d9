"""The figures of a board as JSON. Decimals are exact, as strings; undefined is null; times are UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dashboard.figures.board import Board, BoardRow, PeriodState
from dashboard.figures.firmness.outlook import NO_OUTLOOK, Outlook
from dashboard.figures.firmness.rules import Band, Firmness
from dashboard.figures.performance import Figures
from dashboard.render.formatting import plain, utc
from market.rules import Gate, minutes_of
from prices import queries as prices


def point_json(point: prices.PricePoint) -> dict[str, Any]:
    return {
        "value": plain(point.value),
        "published_at": utc(point.last_update),
        "arrived_at": utc(point.arrived_at),
    }


def board_json(board: Board, outlook: Outlook = NO_OUTLOOK) -> dict[str, Any]:
    """A board as the JSON that programs get; `outlook`: how firm its rows are."""
    return {
        "trader_id": board.trader.trader_id,
        "delivery_day": board.delivery_day.isoformat(),
        "as_of": utc(board.as_of),
        **({"basis": board.past.basis.value} if board.past else {}),
        "by": board.reading.value,
        "periods": [period_json(row, board.as_of, outlook) for row in board.rows],
        "total": figures_json(board.total),
    }


def period_json(row: BoardRow, as_of: datetime, outlook: Outlook = NO_OUTLOOK) -> dict[str, Any]:
    """A row of a board as of that moment (UTC): of its gates those that are open."""
    return {
        "delivery_hour": row.delivery_hour,
        "delivery_start": utc(row.period.start),
        "delivery_end": utc(row.period.end),
        "minutes": minutes_of(row.period),
        **figures_json(row.figures),
        "break_even": plain(row.figures.break_even),
        "reference_updated_at": utc(row.reference.last_update) if row.reference else None,
        "reference_restated": _restated_json(row),
        "reference_source": row.source.value if row.reference else None,
        "state": _state(row),
        "gate_closures": [_gate_json(gate) for gate in row.gates if gate.closes_at > as_of],
        "firmness": _firmness_json(outlook.of(row)),
    }


def _firmness_json(firm: Firmness | None) -> dict[str, Any] | None:
    """What pages show beside a result: the word, what it rests on, and where like cases ended."""
    if firm is None:
        return None
    return {
        "word": firm.word.value,
        "cases": firm.cases,
        "turned": None if firm.turned is None else f"{firm.turned:.6f}",
        "performance_eur_80": _band_json(firm.wide),
        "performance_eur_50": _band_json(firm.narrow),
        "reference_price_80": _band_json(firm.reference_wide),
        "reference_price_50": _band_json(firm.reference_narrow),
    }


def _band_json(band: Band | None) -> dict[str, Any] | None:
    return {"low": plain(band.low), "high": plain(band.high)} if band else None


def _gate_json(gate: Gate) -> dict[str, Any]:
    return {"phase": gate.phase.value, "closes_at": utc(gate.closes_at)}


def _restated_json(row: BoardRow) -> dict[str, Any] | None:
    """Of a final price that changed afterwards: what it was before, and when the present one arrived."""
    restated = row.reference.restated if row.reference else None
    return {"from": plain(restated.old_value), "at": utc(restated.at)} if restated else None


def _is_closed(row: BoardRow) -> bool:
    return row.state == PeriodState.CLOSED


def _state(row: BoardRow) -> str:
    """`closed` from the last gate closure on, `final` once a price published at or after it is stored."""
    if not _is_closed(row):
        return "open"
    return "final" if row.is_final else "closed"


def figures_json(figures: Figures) -> dict[str, Any]:
    """What was traded, against the reference: of a row, a board, a part of a range."""
    return {
        "trade_count": figures.trade_count,
        "average_price": plain(figures.average_price),
        "sold_mwh": plain(figures.sold.energy),
        "bought_mwh": plain(figures.bought.energy),
        "average_sell_price": plain(figures.sold.average_price),
        "average_buy_price": plain(figures.bought.average_price),
        "net_mwh": plain(figures.net_mwh),
        "reference_price": plain(figures.reference_price),
        "performance": plain(figures.performance),
        "performance_eur": plain(figures.performance_eur),
    }
