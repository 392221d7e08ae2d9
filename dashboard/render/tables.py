"""What each view exports: tables of exact values, the same as its page shows rounded. Pure.

Columns carry the names of the JSON API, in English in every language. The first column says what a row is, so that a
total can't be taken for a period, nor a trader called "total" for one. Units: MW, MWh, the market's currency (and per
MWh); undefined is empty, never 0. Periods carry their long labels, which no tool takes for a date.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, auto
from zoneinfo import ZoneInfo

from dashboard.figures.board import Board, BoardRow
from dashboard.figures.desk import Desk
from dashboard.figures.history import History, Slice
from dashboard.figures.performance import Figures
from dashboard.figures.period import JudgedTrade
from market import clock
from market.labels import file_label
from market.models import Market

Value = str | int | Decimal | date | datetime | None


class Kind(Enum):
    """What a column's cells are. UTC and LOCAL are the same aware moment, written on two clocks."""

    TEXT = auto()
    INTEGER = auto()
    NUMBER = auto()
    DAY = auto()
    UTC = auto()
    LOCAL = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and what its cells are."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values that fit their columns. `zone` is the clock of LOCAL cells."""

    name: str
    zone: ZoneInfo
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]


def _columns(**kinds: Kind) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())


_WHERE = _columns(row=Kind.TEXT, market=Kind.TEXT, currency=Kind.TEXT, time_zone=Kind.TEXT, delivery_day=Kind.DAY)
_WHO = _columns(trader_id=Kind.TEXT, trader=Kind.TEXT)
_PERIOD = _columns(
    delivery_hour=Kind.TEXT,
    delivery_start_utc=Kind.UTC,
    delivery_end_utc=Kind.UTC,
    delivery_start_local=Kind.LOCAL,
    delivery_end_local=Kind.LOCAL,
)
_FIGURES = _columns(
    trade_count=Kind.INTEGER,
    **dict.fromkeys(
        ("average_price", "sold_mwh", "bought_mwh", "average_sell_price", "average_buy_price"), Kind.NUMBER
    ),
    **dict.fromkeys(("net_mwh", "reference_price", "performance", "performance_eur"), Kind.NUMBER),
)
_REFERENCE = _columns(
    reference_source=Kind.TEXT,
    reference_updated_at_utc=Kind.UTC,
    reference_updated_at_local=Kind.LOCAL,
    reference_restated_from=Kind.NUMBER,
    reference_restated_at_utc=Kind.UTC,
)
_BOARD = (*_WHERE, *_columns(reading=Kind.TEXT), *_WHO, *_PERIOD, *_FIGURES, *_REFERENCE)
_NO_PERIOD, _NO_REFERENCE = (None,) * len(_PERIOD), (None,) * len(_REFERENCE)


# --- a board, and the desk ------------------------------------------------------------------------------------------
def board_table(board: Board) -> Table:
    """A row a period, in order of delivery, and the day's total."""
    rows = (*_period_rows("period", board), _total_row("total", board))
    return Table("board", board.market.zone, _BOARD, rows)


def desk_table(desk: Desk) -> Table:
    """Every trader's traded periods and total, then the desk's; the desk has no trader id."""
    rows: list[tuple[Value, ...]] = []
    for board in desk.boards:
        rows += _period_rows("trader period", board, only_traded=True)
        rows.append(_total_row("trader total", board))
    rows += [*_period_rows("desk period", desk.whole, only_traded=True), _total_row("desk total", desk.whole)]
    return Table("desk", desk.whole.market.zone, _BOARD, tuple(rows))


def _period_rows(kind: str, board: Board, *, only_traded: bool = False) -> Iterator[tuple[Value, ...]]:
    for row in board.rows:
        if row.figures.trade_count or not only_traded:
            where = (*_where(kind, board.market, board.delivery_day), board.reading.value, *_who(board))
            yield (*where, *_period(row), *_figures(row.figures), *_reference(row))


def _total_row(kind: str, board: Board) -> tuple[Value, ...]:
    where = _where(kind, board.market, board.delivery_day)
    return (*where, board.reading.value, *_who(board), *_NO_PERIOD, *_figures(board.total), *_NO_REFERENCE)


def _reference(row: BoardRow) -> tuple[Value, ...]:
    """Whose price it is, when it was published (twice), and what it was before it was restated, and when."""
    if row.reference is None:
        return _NO_REFERENCE
    updated, restated = row.reference.last_update, row.reference.restated
    before = (restated.old_value, restated.at) if restated else (None, None)
    return row.source.value, updated, updated, *before


def _where(kind: str, market: Market, day: date | None) -> tuple[Value, ...]:
    rules = market.rules_on(day or market.day_of(clock.now()))
    return kind, market.code, rules.currency, rules.zone.key, day


def _period(row: BoardRow) -> tuple[Value, ...]:
    return file_label(row.delivery_hour), *(2 * (row.period.start, row.period.end))


def _who(board: Board) -> tuple[Value, ...]:
    return board.trader.trader_id or None, str(board.trader) or None


def _figures(figures: Figures) -> tuple[Value, ...]:
    return (
        figures.trade_count,
        figures.average_price,
        figures.sold.energy,
        figures.bought.energy,
        figures.sold.average_price,
        figures.bought.average_price,
        figures.net_mwh,
        figures.reference_price,
        figures.performance,
        figures.performance_eur,
    )


# --- a period's trades ----------------------------------------------------------------------------------------------
_TRADES = (
    *_WHERE,
    *_columns(reading=Kind.TEXT, row_period=Kind.TEXT),
    *_WHO,
    *_PERIOD,
    *_columns(
        exchange_id=Kind.TEXT,
        execution_time_utc=Kind.UTC,
        execution_time_local=Kind.LOCAL,
        received_at_utc=Kind.UTC,
        direction=Kind.TEXT,
        quantity_mw=Kind.NUMBER,
        share=Kind.NUMBER,
        energy_mwh=Kind.NUMBER,
        price=Kind.NUMBER,
        difference_to_reference_now=Kind.NUMBER,
        difference_to_reference_then=Kind.NUMBER,
        change=Kind.TEXT,
        reason=Kind.TEXT,
        flags=Kind.TEXT,
    ),
)


def trades_table(board: Board, row: BoardRow, trades: Sequence[JudgedTrade]) -> Table:
    """A row's trades as they are given, the cancelled among them: `change` says so, and they count in nothing.

    The period is the trade's own product's; `energy_mwh` is the `share` of it that the row has.
    """
    where = _where("trade", board.market, board.delivery_day)
    key = (*where, board.reading.value, file_label(row.delivery_hour), *_who(board))
    rows = tuple((*key, *_product(judged, board.market), *_trade(judged)) for judged in trades)
    return Table("trades", board.market.zone, _TRADES, rows)


def _product(judged: JudgedTrade, market: Market) -> tuple[Value, ...]:
    period = judged.trade.period
    return file_label(market.label_of(period)), *(2 * (period.start, period.end))


def _trade(judged: JudgedTrade) -> tuple[Value, ...]:
    trade = judged.trade
    return (
        trade.exchange_id,
        trade.execution_time,
        trade.execution_time,
        trade.received_at,
        trade.direction,
        trade.quantity,
        Decimal(1) / judged.parts,
        judged.energy,
        trade.price,
        judged.against_now,
        judged.against_then,
        trade.change or None,
        trade.reason or None,
        " ".join(trade.flags) or None,
    )


# --- a range of days ------------------------------------------------------------------------------------------------
_HISTORY = (
    *_WHERE,
    *_columns(
        reading=Kind.TEXT,
        day_start_utc=Kind.UTC,
        day_end_utc=Kind.UTC,
        day_start_local=Kind.LOCAL,
        day_end_local=Kind.LOCAL,
        hour_of_day=Kind.TEXT,
        side=Kind.TEXT,
    ),
    *_WHO,
    *_columns(
        performance_eur=Kind.NUMBER,
        performance=Kind.NUMBER,
        sold_eur=Kind.NUMBER,
        bought_eur=Kind.NUMBER,
        sold_mwh=Kind.NUMBER,
        bought_mwh=Kind.NUMBER,
        net_mwh=Kind.NUMBER,
        trade_count=Kind.INTEGER,
        unpriced_mwh=Kind.NUMBER,
        stand_in_mwh=Kind.NUMBER,
        restated_periods=Kind.INTEGER,
    ),
)


def history_table(history: History) -> Table:
    """The range by day, by hour of the day, by trader and by side, and its total: each of them adds up to it."""
    market, trader = history.market, history.trader
    asked: tuple[Value, ...] = (trader.trader_id, str(trader)) if trader else (None, None)
    no_day, no_more = (None,) * 4, (None, None)

    def row(
        kind: str,
        part: Slice,
        *,
        day: date | None = None,
        bounds: Sequence[Value] = no_day,
        more: Sequence[Value] = no_more,
        who: Sequence[Value] = asked,
    ) -> tuple[Value, ...]:
        return (*_where(kind, market, day), history.reading.value, *bounds, *more, *who, *_slice(part), restated(day))

    def restated(day: date | None) -> int | None:
        """Of a day how many traded periods' final prices changed afterwards."""
        return history.restated.get(day, (0,))[0] if day else None

    rows = [row("day", part, day=day, bounds=2 * market.day_bounds(day)) for day, part in history.days]
    rows += [row("hour", part, more=(file_label(f"{hour:02d}-{hour + 1:02d}"), None)) for hour, part in history.hours]
    rows += [row("trader", part, who=(whose.trader_id, str(whose))) for whose, part in history.traders]
    rows.append(row("side", Slice(sold=history.total.sold), more=(None, "sell")))
    rows.append(row("side", Slice(bought=history.total.bought), more=(None, "buy")))
    rows.append(row("total", history.total))
    return Table("history", market.zone, _HISTORY, tuple(rows))


def _slice(part: Slice) -> tuple[Value, ...]:
    figures = part.figures
    return (
        figures.performance_eur,
        figures.performance,
        part.sold.result,
        part.bought.result,
        figures.sold.energy,
        figures.bought.energy,
        figures.net_mwh,
        figures.trade_count,
        part.unpriced,
        part.stand_in,
    )
