"""One period of a trader, opened: its trades against the reference, and what the chart draws. No HTML.

The figures themselves are the board row's own, so that both can't differ; the trades explain them. Units: EUR/MWh, MW,
MWh, EUR; times UTC. What a trade's difference means follows docs/performance-figures.md: above zero is good.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter

from dashboard.figures.board import Board, BoardRow, load_board
from dashboard.figures.past import Past
from dashboard.figures.performance import difference
from dashboard.figures.readings import Reading, parts_of
from dashboard.figures.references import mean_path
from market.models import Market
from market.periods import DeliveryPeriod
from prices.queries import PricePoint, price_paths
from trades.models import Trader
from trades.queries import PeriodKey, PeriodTrade, TradeState, trade_state, trades_of_period

PAGE = 50
"""Trades on one page of the table."""


@dataclass(frozen=True, slots=True)
class JudgedTrade:
    """A trade beside the row's reference: `energy` MWh in the row, differences EUR/MWh, None without a reference.

    The row has one of `parts` equal parts of the trade: an hour trade is four in the reading by quarter hour.
    """

    trade: PeriodTrade
    energy: Decimal
    against_now: Decimal | None
    against_then: Decimal | None
    parts: int = 1


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
    hours: Decimal
    """The row's length."""


@dataclass(frozen=True, slots=True)
class RowKey:
    """A row of a trader's board in a reading that has it (readings.fitting), now or at an earlier moment."""

    trader: Trader
    market: Market
    day: date
    period: DeliveryPeriod
    reading: Reading = Reading.PRODUCT
    past: Past | None = None

    @property
    def trades(self) -> PeriodKey:
        """The trades that touch the row; by product those of the product alone."""
        touching = self.reading is not Reading.PRODUCT
        return PeriodKey(self.trader.pk, self.market.pk, self.day, self.period, touching)


def load_opened(*, key: RowKey, page: int, now: datetime) -> OpenedPeriod:
    """A row of a board with its trades, in a fixed number of queries. A page beyond the last one is the last."""
    board, row = _board_and_row(key, now)
    state = _state_of(key.trades, key.past)
    page = min(page, max(1, -(-state.trades // PAGE)))
    trades = _trades_of(key.trades, key.past, skip=(page - 1) * PAGE, most=PAGE)
    path = _path_of(key.market, key.day, key.period, key.past)
    return OpenedPeriod(board, row, judged(trades, path, row, key.reading), state, path, page)


def load_path(key: RowKey) -> tuple[PricePoint, ...]:
    """The whole path of the row's reference, oldest first."""
    return _path_of(key.market, key.day, key.period, key.past)


def load_all_trades(*, key: RowKey, now: datetime) -> tuple[Board, BoardRow, tuple[JudgedTrade, ...]]:
    """A row of a board with every trade that touches it, newest first, the cancelled among them. Four queries."""
    board, row = _board_and_row(key, now)
    trades, path = _trades_of(key.trades, key.past), _path_of(key.market, key.day, key.period, key.past)
    return board, row, judged(trades, path, row, key.reading)


def _board_and_row(key: RowKey, now: datetime) -> tuple[Board, BoardRow]:
    board = load_board(
        trader=key.trader,
        market=key.market,
        delivery_day=key.day,
        now=now,
        also=key.period,
        reading=key.reading,
        past=key.past,
    )
    return board, next(row for row in board.rows if row.period == key.period)


def load_chart(*, key: PeriodKey, have: TradeState | None, past: Past | None = None) -> ChartData:
    """What the chart of a period needs that has drawn the trades of `have`: the newer ones, or all of them anew.

    Of an earlier moment it is always all of them.
    """
    state = _state_of(key, past)
    after = have.newest if past is None and have is not None and _only_newer(have, state) else 0
    trades = trades_of_period(key=key, after=after) if past is None else _trades_of(key, past)
    if after and len(trades) != state.trades - (have.trades if have else 0):
        after, trades = 0, trades_of_period(key=key)  # a trade with a lower number was committed later
    path = _path_of(Market.objects.get(pk=key.market_pk), key.day, key.period, past)
    return ChartData(tuple(trade for trade in reversed(trades) if trade.counts), path, state, after, key.period.hours)


def _state_of(key: PeriodKey, past: Past | None) -> TradeState:
    return past.trade_state(key) if past else trade_state(key=key)


def _trades_of(key: PeriodKey, past: Past | None, *, skip: int = 0, most: int | None = None) -> list[PeriodTrade]:
    return past.trades(key, skip=skip, most=most) if past else trades_of_period(key=key, skip=skip, most=most)


def _path_of(market: Market, day: date, period: DeliveryPeriod, past: Past | None) -> tuple[PricePoint, ...]:
    """The course of the price that is the period's reference: its own, its hour's, or the mean of its hours'."""
    referred = (past.market(market) if past else market).reference_periods(day, period)
    if not referred:
        return ()
    return mean_path(past.price_paths(market, referred) if past else price_paths(market_id=market.pk, periods=referred))


def _only_newer(have: TradeState, now: TradeState) -> bool:
    return have.changes == now.changes and have.newest <= now.newest and have.trades <= now.trades


def judged(
    trades: Sequence[PeriodTrade], path: Sequence[PricePoint], row: BoardRow, reading: Reading
) -> tuple[JudgedTrade, ...]:
    """Each trade beside the row's reference now and the one known at its execution. Pure."""
    reference = row.reference.value if row.reference else None
    return tuple(
        JudgedTrade(
            trade,
            trade.quantity * min(trade.period.hours, row.period.hours),
            difference(trade.direction, trade.price, reference),
            difference(trade.direction, trade.price, known_at(path, trade.execution_time)),
            parts_of(trade.period, reading),
        )
        for trade in trades
    )


def known_at(path: Sequence[PricePoint], moment: datetime) -> Decimal | None:
    """The reference that had arrived by `moment`; None before the first one. `path` is oldest first."""
    index = bisect_right(path, moment, key=attrgetter("arrived_at"))
    return path[index - 1].value if index else None
