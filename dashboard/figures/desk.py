"""The whole desk on one delivery day: every trader's board, and the desk as if it were one trader. No HTML.

All of it comes from one query for the positions, one for the prices and one for the traders, however many there are.
Money of one market only: currencies are never added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import TypeVar

from dashboard.figures.board import Board, build_board
from dashboard.figures.past import Past
from dashboard.figures.performance import Figures, rounded
from dashboard.figures.readings import Reading
from market.models import Market
from market.periods import DeliveryPeriod
from market.totals import EXACT
from prices.queries import KnownPrice, latest_prices
from trades.models import Trader
from trades.queries import PositionRow, all_traders, positions_of_market_day

_Thing = TypeVar("_Thing")


@dataclass(frozen=True, slots=True)
class Desk:
    """`boards`: one a trader, people before bots, each by id. `whole`: the exact sum of them, period by period."""

    boards: tuple[Board, ...]
    whole: Board

    def best_and_worst(self) -> tuple[Board | None, Board | None]:
        """The traders with the highest and the lowest result; none while fewer than two have one, or all are equal."""
        known = [
            (board.total.performance_eur, board) for board in self.boards if board.total.performance_eur is not None
        ]
        return _extremes(known)

    def best_and_worst_period(self) -> tuple[DeliveryPeriod | None, DeliveryPeriod | None]:
        """The periods with the desk's highest and lowest result, judged alike."""
        rows = self.whole.rows
        known = [(row.figures.performance_eur, row.period) for row in rows if row.figures.performance_eur is not None]
        return _extremes(known)

    def most_off_by_rounding(self) -> Decimal:
        """By how much (EUR) adding up rounded results differs at most from a total that is shown beside them."""
        traders = _rounding_gap((board.total for board in self.boards), self.whole.total)
        periods = _rounding_gap((row.figures for row in self.whole.rows), self.whole.total)
        return max(traders, periods, *(_rounding_gap(*total) for total in self._sums()), Decimal(0))

    def _sums(self) -> Iterable[tuple[Iterable[Figures], Figures]]:
        """Each column with its total, and each period's traders with the desk's."""
        for board in self.boards:
            yield (row.figures for row in board.rows), board.total
        by_period: dict[DeliveryPeriod, list[Figures]] = {}
        for board in self.boards:
            for row in board.rows:
                by_period.setdefault(row.period, []).append(row.figures)
        for row in self.whole.rows:
            yield by_period.get(row.period, []), row.figures


def load_desk(
    *, market: Market, delivery_day: date, now: datetime, reading: Reading = Reading.PRODUCT, past: Past | None = None
) -> Desk:
    """The desk as it stands in the database: three queries, however many traders and trades there are.

    `past`: as it stood then, and `now` means nothing.
    """
    market = past.market(market) if past else market
    traded = past.traded(market, delivery_day) if past else {}
    desk = build_desk(
        market=market,
        delivery_day=delivery_day,
        now=past.moment if past else now,
        traders=all_traders(),
        positions={trader: held.positions for trader, held in traded.items()}
        if past
        else positions_of_market_day(market_id=market.pk, day=delivery_day),
        prices=past.prices(market, delivery_day) if past else latest_prices(market_id=market.pk, day=delivery_day),
        reading=reading,
    )
    return replace(desk, whole=replace(desk.whole, past=past))


def build_desk(
    *,
    market: Market,
    delivery_day: date,
    now: datetime,
    traders: Iterable[Trader],
    positions: dict[int, list[PositionRow]],
    prices: dict[DeliveryPeriod, KnownPrice],
    reading: Reading = Reading.PRODUCT,
) -> Desk:
    """`positions` by the trader's primary key. A trader that nobody has confirmed shows with its first trade. Pure."""

    def board(trader: Trader, held: list[PositionRow]) -> Board:
        return build_board(
            trader=trader,
            market=market,
            delivery_day=delivery_day,
            now=now,
            positions=held,
            prices=prices,
            reading=reading,
        )

    shown = sorted((t for t in traders if t.is_known or t.pk in positions), key=lambda t: (t.is_bot, t.trader_id))
    return Desk(
        boards=tuple(board(trader, positions.get(trader.pk, [])) for trader in shown),
        whole=board(Trader(), merged(row for held in positions.values() for row in held)),
    )


def merged(positions: Iterable[PositionRow]) -> list[PositionRow]:
    """One position a period and direction: the exact sum over traders."""
    rows: dict[tuple[DeliveryPeriod, str], PositionRow] = {}
    with localcontext(EXACT):
        for row in positions:
            so_far = rows.get((row.period, row.direction))
            rows[(row.period, row.direction)] = _plus(so_far, row) if so_far else row
    return list(rows.values())


def _plus(row: PositionRow, other: PositionRow) -> PositionRow:
    return PositionRow(row.period, row.direction, row.total + other.total, row.revision + other.revision)


def _extremes(known: list[tuple[Decimal, _Thing]]) -> tuple[_Thing | None, _Thing | None]:
    lowest, highest = (choose(known, key=lambda pair: pair[0], default=None) for choose in (min, max))
    if lowest is None or highest is None or lowest[0] == highest[0]:
        return None, None
    return highest[1], lowest[1]


def _rounding_gap(parts: Iterable[Figures], total: Figures) -> Decimal:
    if total.performance_eur is None:
        return Decimal(0)
    with localcontext(EXACT):
        added = sum((rounded(f.performance_eur) for f in parts if f.performance_eur is not None), Decimal(0))
        return abs(added - rounded(total.performance_eur))
