"""One period of a trader, opened: its trades against the reference, and what the chart draws. No HTML.

The figures themselves are the board row's own, so that both can't differ; the trades explain them. Units: EUR/MWh, MW,
MWh, EUR; times UTC. What a trade's difference means follows docs/performance-figures.md: above zero is good.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from operator import attrgetter

from dashboard.figures.board import Board, BoardRow, load_board
from market.models import Market
from market.periods import DeliveryPeriod
from market.totals import EXACT
from prices.queries import PricePoint, price_path
from trades.models import Trader
from trades.queries import PeriodKey, PeriodTrade, TradeState, trade_state, trades_of_period

PAGE = 50
"""Trades on one page of the table."""


@dataclass(frozen=True, slots=True)
class JudgedTrade:
    """A trade beside the reference: `energy` MWh, differences EUR/MWh, None without a reference."""

    trade: PeriodTrade
    energy: Decimal
    against_now: Decimal | None
    against_then: Decimal | None


@dataclass(frozen=True, slots=True)
class OpenedPeriod:
    """A row of `board`, its trades (one page of them, newest first) and the reference's whole path, oldest first."""

    board: Board
    row: BoardRow
    trades: tuple[JudgedTrade, ...]
    state: TradeState
    path: tuple[PricePoint, ...]
    page: int

    @property
    def pages(self) -> int:
        """How many pages the trades fill; at least one."""
        return max(1, -(-self.state.trades // PAGE))


@dataclass(frozen=True, slots=True)
class ChartData:
    """What the chart draws. `trades` are those that count, oldest first; all of them, or those newer than `after`."""

    trades: tuple[PeriodTrade, ...]
    path: tuple[PricePoint, ...]
    state: TradeState
    after: int


def load_opened(
    *, trader: Trader, market: Market, delivery_day: date, period: DeliveryPeriod, page: int, now: datetime
) -> OpenedPeriod:
    """A period of a board with its trades, in a fixed number of queries. A page beyond the last one is the last."""
    board = load_board(trader=trader, market=market, delivery_day=delivery_day, now=now, also=period)
    row = next(row for row in board.rows if row.period == period)
    key = PeriodKey(trader.pk, market.pk, delivery_day, period)
    state = trade_state(key=key)
    page = min(page, max(1, -(-state.trades // PAGE)))
    trades = trades_of_period(key=key, skip=(page - 1) * PAGE, most=PAGE)
    path = tuple(_path_of(market, delivery_day, period))
    reference = row.reference.value if row.reference else None
    return OpenedPeriod(board, row, judged(trades, path, reference, period), state, path, page)


def load_all_trades(
    *, trader: Trader, market: Market, delivery_day: date, period: DeliveryPeriod, now: datetime
) -> tuple[Board, BoardRow, tuple[JudgedTrade, ...]]:
    """A row of a board with every trade of its period, newest first, the cancelled among them. Four queries."""
    board = load_board(trader=trader, market=market, delivery_day=delivery_day, now=now, also=period)
    row = next(row for row in board.rows if row.period == period)
    trades = trades_of_period(key=PeriodKey(trader.pk, market.pk, delivery_day, period))
    path = _path_of(market, delivery_day, period)
    return board, row, judged(trades, path, row.reference.value if row.reference else None, period)


def load_chart(*, key: PeriodKey, have: TradeState | None) -> ChartData:
    """What the chart of a period needs that has drawn the trades of `have`: the newer ones, or all of them anew."""
    state = trade_state(key=key)
    after = have.newest if have is not None and _only_newer(have, state) else 0
    trades = trades_of_period(key=key, after=after)
    if after and len(trades) != state.trades - (have.trades if have else 0):
        after, trades = 0, trades_of_period(key=key)  # a trade with a lower number was committed later
    path = _path_of(Market.objects.get(pk=key.market_pk), key.day, key.period)
    return ChartData(tuple(trade for trade in reversed(trades) if trade.counts), tuple(path), state, after)


def _path_of(market: Market, day: date, period: DeliveryPeriod) -> list[PricePoint]:
    """The path of the price that is the period's reference: its own, or its hour's that stands in."""
    referred = market.reference_period(day, period)
    return price_path(market_id=market.pk, start=referred.start, end=referred.end) if referred else []


def _only_newer(have: TradeState, now: TradeState) -> bool:
    return have.changes == now.changes and have.newest <= now.newest and have.trades <= now.trades


def judged(
    trades: Sequence[PeriodTrade], path: Sequence[PricePoint], reference: Decimal | None, period: DeliveryPeriod
) -> tuple[JudgedTrade, ...]:
    """Each trade beside the reference now and the one known at its execution. Pure."""
    return tuple(
        JudgedTrade(
            trade,
            trade.quantity * period.hours,
            difference(trade.direction, trade.price, reference),
            difference(trade.direction, trade.price, known_at(path, trade.execution_time)),
        )
        for trade in trades
    )


def known_at(path: Sequence[PricePoint], moment: datetime) -> Decimal | None:
    """The reference that had arrived by `moment`; None before the first one. `path` is oldest first."""
    index = bisect_right(path, moment, key=attrgetter("arrived_at"))
    return path[index - 1].value if index else None


def difference(direction: str, price: Decimal, reference: Decimal | None) -> Decimal | None:
    """What one MWh at `price` gains against the reference: above zero is good for either direction."""
    if reference is None:
        return None
    with localcontext(EXACT):
        return price - reference if direction == "sell" else reference - price
