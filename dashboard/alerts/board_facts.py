"""Boards as rules look at them: read again only when something of them has changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from dashboard.alerts.models import AlertSample
from dashboard.alerts.rules import BoardFacts, RowFacts
from dashboard.figures.board import Board, load_board
from dashboard.figures.versions import changes_of
from market.dated.reading import Dated
from market.models import Market
from trades.models import Trader

MOST_KEPT, SAMPLES_KEPT = 500, timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BoardOf:
    """Whose board of which day."""

    trader: Trader
    market: Market
    day: date

    @property
    def key(self) -> tuple[int, int, date]:
        return self.trader.pk, self.market.pk, self.day


class _Version(NamedTuple):
    """What a board is made of: its changes, the market as it began, and its dated rules, gate closures among them."""

    changes: tuple[int, int]
    market: tuple[str, str, int]
    rules: Dated

    @classmethod
    def of(cls, market: Market, changes: tuple[int, int]) -> _Version:
        return cls(changes, (market.time_zone, market.currency, market.gate_closure_minutes), market.dated)


_kept: dict[tuple[int, int, date], tuple[_Version, Board]] = {}


def read(boards: Iterable[BoardOf], now: datetime, *, anew: set[tuple[int, int, date]]) -> dict[BoardOf, BoardFacts]:
    """Facts of those that have been traded. `anew`: whose results of before are no measure any more."""
    asked = list(boards)
    changes = changes_of({board.key for board in asked})
    traded = [board for board in asked if changes[board.key][0]]
    samples = _samples(traded)
    found = {}
    for board in traded:
        shown = _board(board, _Version.of(board.market, changes[board.key]), now)
        found[board] = _facts(board, shown, now, samples[board.key], anew=board.key in anew)
    while len(_kept) > MOST_KEPT:
        del _kept[next(iter(_kept))]
    return found


def _board(board: BoardOf, version: _Version, now: datetime) -> Board:
    kept = _kept.get(board.key)
    if kept is None or kept[0] != version:
        loaded = load_board(trader=board.trader, market=board.market, delivery_day=board.day, now=now)
        kept = _kept[board.key] = (version, loaded)
    return kept[1]


_Samples = list[tuple[datetime, Decimal]]


def _samples(boards: Sequence[BoardOf]) -> dict[tuple[int, int, date], _Samples]:
    """Their results of the last day, oldest first. One query."""
    rows = AlertSample.objects.filter(
        trader__in={board.trader.pk for board in boards}, delivery_day__in={board.day for board in boards}
    )
    found: dict[tuple[int, int, date], _Samples] = defaultdict(list)
    for trader, market, day, at, result in rows.order_by("at").values_list(
        "trader_id", "market_id", "delivery_day", "at", "result"
    ):
        found[trader, market, day].append((at, result))
    return found


def _facts(of: BoardOf, board: Board, now: datetime, samples: _Samples, *, anew: bool) -> BoardFacts:
    result = board.total.performance_eur
    if anew:
        AlertSample.objects.filter(trader=of.trader, market=of.market, delivery_day=of.day).delete()
        samples = []
    if result is not None and (not samples or samples[-1][1] != round(result, 10)):
        AlertSample.objects.create(trader=of.trader, market=of.market, delivery_day=of.day, at=now, result=result)
        samples.append((now, result))
    return BoardFacts(
        trader=of.trader.trader_id,
        market=of.market.code,
        day=of.day.isoformat(),
        currency=board.currency,
        rows=tuple(
            RowFacts(row.delivery_hour, row.figures.net_mwh, tuple((g.phase.value, g.closes_at) for g in row.gates))
            for row in board.rows
            if row.figures.trade_count
        ),
        result=result,
        samples=tuple(samples),
    )


def forget_old(now: datetime) -> None:
    """Samples of more than a day ago."""
    AlertSample.objects.filter(at__lt=now - SAMPLES_KEPT).delete()
