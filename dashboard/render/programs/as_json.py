"""What only pages showed before, as JSON: the desk, an opened row, a range of days, gaps. As board_json has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboard.figures.board import Board, BoardRow
from dashboard.figures.desk import Desk
from dashboard.figures.firmness.outlook import Outlook
from dashboard.figures.history import History, Slice
from dashboard.figures.period import JudgedTrade
from dashboard.render.board_json import board_json, figures_json, period_json, point_json
from dashboard.render.formatting import plain, utc
from prices.queries import PricePoint
from trades.models import FeedGap


def desk_json(desk: Desk, outlook: Outlook) -> dict[str, Any]:
    """All traders' boards and their exact sum."""
    whole = board_json(desk.whole, outlook)
    del whole["trader_id"]
    return whole | {"market": desk.whole.market.code, "traders": [board_json(board, outlook) for board in desk.boards]}


def opened_json(
    board: Board, row: BoardRow, trades: Sequence[JudgedTrade], path: Sequence[PricePoint], outlook: Outlook
) -> dict[str, Any]:
    """A row with a page of its trades."""
    return {
        "trader_id": board.trader.trader_id,
        "delivery_day": board.delivery_day.isoformat(),
        "as_of": utc(board.as_of),
        "by": board.reading.value,
        "period": period_json(row, board.as_of, outlook),
        "trades": [trade_json(judged) for judged in trades],
        "path": [point_json(point) for point in path],
    }


def trade_json(judged: JudgedTrade) -> dict[str, Any]:
    """A trade beside the row's reference now and then."""
    trade = judged.trade
    return {
        "exchange_id": trade.exchange_id,
        "direction": trade.direction,
        "price": plain(trade.price),
        "quantity": plain(trade.quantity),
        "energy_mwh": plain(judged.energy),
        "delivery_start": utc(trade.period.start),
        "delivery_end": utc(trade.period.end),
        "execution_time": utc(trade.execution_time),
        "received_at": utc(trade.received_at),
        "flags": list(trade.flags),
        "change": trade.change or "",
        "reason": trade.reason or "",
        "against_reference": plain(judged.against_now),
        "against_reference_then": plain(judged.against_then),
    }


def history_json(history: History) -> dict[str, Any]:
    """A range of days."""
    return {
        "market": history.market.code,
        "trader_id": history.trader.trader_id if history.trader else None,
        "from": history.range.first.isoformat(),
        "to": history.range.last.isoformat(),
        "by": history.reading.value,
        "days": [{"delivery_day": day.isoformat(), **_part(part)} for day, part in history.days],
        "hours": [{"hour": hour, **_part(part)} for hour, part in history.hours],
        "traders": [{"trader_id": trader.trader_id, **_part(part)} for trader, part in history.traders],
        "total": _part(history.total),
    }


def _part(part: Slice) -> dict[str, Any]:
    sums = {"unpriced_mwh": plain(part.unpriced), "stand_in_mwh": plain(part.stand_in)}
    return {**figures_json(part.figures), **sums}


def gap_json(gap: FeedGap) -> dict[str, Any]:
    """A gap of the feed."""
    return {
        "id": gap.pk,
        "market": gap.market.code,
        "started_at": utc(gap.started_at),
        "ended_at": utc(gap.ended_at),
        "closed_at": utc(gap.closed_at) if gap.closed_at else None,
        "note": gap.note,
    }
