"""The trades of a cell of the clock, as a table's lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext

from dashboard.figures.earnings.clock import CellTrade
from dashboard.render import formatting as fmt
from dashboard.render.addresses import board_address, period_address
from dashboard.render.cells import Cell, energy_cell, plain_cell, signed_cell
from dashboard.render.earnings.selection import Selection
from dashboard.render.history import Asked
from market.queries import clock_zone
from trades.models import Trader


@dataclass(frozen=True, slots=True)
class TradeLine:
    """`address`: the opened period on the trader's board."""

    executed: str
    left: str
    delivery: str
    address: str
    trader: str
    is_bot: bool
    side: str
    exchange_id: str
    cells: tuple[Cell, ...]


def trade_lines(selection: Selection, trades: Sequence[CellTrade], traders: Mapping[int, Trader]) -> list[TradeLine]:
    """In their order; `traders` by primary key."""
    return [_line(selection.asked, trade, traders[trade.trader]) for trade in trades]


def _line(asked: Asked, trade: CellTrade, trader: Trader) -> TradeLine:
    zone = clock_zone(asked.market)
    board = board_address(trader.trader_id, trade.delivery_day, asked.named)
    return TradeLine(
        executed=f"{fmt.on_clock(trade.executed_at, zone):%Y-%m-%d %H:%M:%S}",
        left=_left(trade.time_left),
        delivery=f"{fmt.day_title(trade.delivery_day)} {fmt.period_title(trade.label)}",
        address=period_address(board, trade.label),
        trader=str(trader),
        is_bot=trader.is_bot,
        side=gettext("sold") if trade.direction == "sell" else gettext("bought"),
        exchange_id=trade.exchange_id,
        cells=(
            plain_cell("price", trade.price),
            plain_cell("quantity", trade.quantity),
            energy_cell("mwh", fmt.quantity(trade.energy), trade.energy),
            signed_cell("performance_eur", trade.result),
        ),
    )


def _left(left: timedelta) -> str:
    """Hours and minutes, a minus after the gate."""
    minutes = abs(int(left.total_seconds())) // 60
    sign = fmt.MINUS if left < timedelta() else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02d}"
