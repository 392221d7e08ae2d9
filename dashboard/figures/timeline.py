"""How a board's figures came about: performance per period and the day's result, as they stood at the end of each slot.

What is past is read once a slot (two queries, over slots and prices, never over trades); the newest point is the
board's own figure, so a line always ends where the number beside it stands. Undefined is None, never 0.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, localcontext
from functools import lru_cache
from itertools import accumulate

from dashboard.figures.board import Board, BoardRow
from dashboard.figures.performance import Figures, period_figures
from dashboard.figures.readings import Reading, part_of, parts_of, rows_of
from dashboard.figures.references import mean_timeline
from market.periods import DeliveryPeriod
from market.totals import EXACT, ZERO, Total
from prices.queries import PriceTimeline, price_timelines
from trades.queries import SLOT_SECONDS, SlotSums, slot_of, slots_of_day

LONGEST = timedelta(hours=40)
"""Before delivery nobody trades a period for longer; odd execution times count, but don't stretch the line."""
ROW_POINTS, DAY_POINTS = 24, 60
"""At most so many past points a line."""

MOST_KEPT = 100
"""Boards whose past a process remembers."""

Points = tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The past of a board up to the end of `slot`: EUR/MWh per period, EUR for the day, oldest first.

    One is the same as itself alone: rendered rows are remembered by it, and its figures are many to compare.
    """

    slot: int
    periods: Mapping[DeliveryPeriod, Points] = field(default_factory=dict)
    day: Points = ()

    def of(self, row: BoardRow) -> Points:
        """The row's line, up to its figure of now."""
        return (*self.periods.get(row.period, ()), row.figures.performance) if row.figures.trade_count else ()

    def of_day(self, total: Figures) -> Points:
        """The day's line, up to its result of now."""
        return (*self.day, total.performance_eur) if total.trade_count else ()


_kept: dict[tuple[int, int, date, int, Reading], Timeline] = {}


def load_timeline(board: Board) -> Timeline:
    """The board's past, in two queries the first time in a slot; then as this process remembers it.

    A board of an earlier moment is not remembered, and shows what was known or had happened by then.
    """
    day, slot = board.delivery_day, slot_of(board.as_of)
    if not board.total.trade_count:
        return _without_trades(slot)
    if board.past:
        held = board.past.traded_by(board.trader, board.market, day)
        return build_timeline(board, held.slots, board.past.price_timelines(board.market, day))
    key = (board.trader.pk, board.market.pk, day, slot, board.reading)
    known = _kept.get(key)
    if known is None:
        traded = slots_of_day(trader_pk=board.trader.pk, market_id=board.market.pk, day=day)
        prices = price_timelines(market_id=board.market.pk, day=day, slot_seconds=SLOT_SECONDS)
        known = build_timeline(board, traded, prices)
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = known
    return known


@lru_cache(maxsize=2)
def _without_trades(slot: int) -> Timeline:
    return Timeline(slot)


def build_timeline(
    board: Board, traded: Iterable[SlotSums], prices: Mapping[DeliveryPeriod, PriceTimeline]
) -> Timeline:
    """Pure: the lines of all rows in the board's reading, and their sum at the same moments."""
    past = slot_of(board.as_of) - 1  # the slot that goes on is not past: the figures of now stand for it
    closed = {row.period: min(past, slot_of(row.gate_closes_at)) for row in board.rows}
    periods: dict[DeliveryPeriod, _Period] = {}
    for sums in traded:
        parts = parts_of(sums.period, board.reading)
        for period in rows_of(sums.period, board.reading):
            if period not in closed:
                continue
            if period not in periods:
                referred = board.market.reference_periods(board.delivery_day, period)
                periods[period] = _Period(mean_timeline([prices.get(one) for one in referred]))
            periods[period].add(sums, parts)
    if board.reading is not Reading.PRODUCT:  # a row's quarters are traded for longer than its hour
        closed |= {period: max(closed[period], min(past, line.last)) for period, line in periods.items()}
    lines = {
        period: tuple(_per_mwh(line.at(slot)) for slot in _moments(line.first, closed[period], ROW_POINTS))
        for period, line in periods.items()
    }
    first = min((line.first for line in periods.values()), default=past)
    moments = _moments(first, max(closed.values(), default=past), DAY_POINTS)
    return Timeline(
        slot_of(board.as_of), lines, tuple(_sum(line.at(slot) for line in periods.values()) for slot in moments)
    )


class _Period:
    """One row's running sums by slot, both sides, and its prices."""

    def __init__(self, price: PriceTimeline) -> None:
        self._price = price
        self._traded: dict[str, dict[int, Total]] = {}
        self._sides: dict[str, tuple[list[int], list[Total]]] = {}
        self.first = self.last = 0

    def add(self, sums: SlotSums, parts: int) -> None:
        """One of so many equal parts of what a product traded."""
        traded = self._traded.setdefault(sums.direction, {})
        for slot, energy, turnover in zip(sums.slots, sums.energy, sums.turnover, strict=True):
            part, so_far = part_of(Total(1, energy, turnover), parts), traded.get(slot)
            traded[slot] = part if so_far is None else so_far + part
        slots = sorted(traded)
        self._sides[sums.direction] = (slots, list(accumulate(traded[slot] for slot in slots)))
        earliest = slot_of(sums.period.start - LONGEST)
        self.first = max(min(slots[0] for slots, _ in self._sides.values()), earliest)
        self.last = max(slots[-1] for slots, _ in self._sides.values())

    def at(self, slot: int) -> Figures | None:
        """The figures at the end of the slot; None before the first trade."""
        sold, bought = (self._leg(side, slot) for side in ("sell", "buy"))
        if not sold.trade_count and not bought.trade_count:
            return None
        known = bisect_right(self._price.slots, slot)
        return period_figures(sold, bought, self._price.values[known - 1] if known else None)

    def _leg(self, side: str, slot: int) -> Total:
        slots, legs = self._sides.get(side, ((), []))
        index = bisect_right(slots, slot)
        return legs[index - 1] if index else Total()


def _moments(first: int, last: int, most: int) -> list[int]:
    """Slots from the first to the last, evenly thinned to `most`; the first and the last are always there."""
    count = last - first + 1
    if count <= most:
        return list(range(first, last + 1))
    return [first + index * (count - 1) // (most - 1) for index in range(most)]


def _per_mwh(figures: Figures | None) -> Decimal | None:
    return figures.performance if figures else None


def _sum(figures: Iterable[Figures | None]) -> Decimal | None:
    known: Sequence[Decimal] = [each.performance_eur for each in figures if each and each.performance_eur is not None]
    with localcontext(EXACT):
        return sum(known, ZERO) if known else None
