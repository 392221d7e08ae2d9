"""Which trades of a desk met each other: matches within 30 minutes, own round trips, pairs alike. Pure and exact.

Trades of one delivery period (a product) are looked at in the order of their execution; of trades with the same
moment the exchange's id decides, so that neither the order of storing nor that of reading changes anything.
Units: prices per MWh in the market's currency, quantity MW, energy MWh, moments UTC.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TypeVar

from market.periods import DeliveryPeriod
from market.totals import EXACT, ZERO

WITHIN = timedelta(minutes=30)
"""Trades further apart are no match."""
ALIKE_WITHIN = timedelta(seconds=1)
SELL = "sell"


@dataclass(frozen=True, slots=True)
class DeskTrade:
    """A trade as it counts. `trader` is the exchange's id of who made it, `direction` "buy" or "sell"."""

    exchange_id: str
    trader: str
    direction: str
    price: Decimal
    quantity: Decimal
    executed_at: datetime
    period: DeliveryPeriod

    @property
    def order(self) -> tuple[datetime, str]:
        return self.executed_at, self.exchange_id


@dataclass(frozen=True, slots=True)
class Pair:
    """A trade and an earlier one of the other side in the same period; `quantity` MW of both met."""

    earlier: DeskTrade
    later: DeskTrade
    quantity: Decimal

    @property
    def period(self) -> DeliveryPeriod:
        return self.later.period

    @property
    def sold(self) -> DeskTrade:
        return self.later if self.later.direction == SELL else self.earlier

    @property
    def bought(self) -> DeskTrade:
        return self.earlier if self.later.direction == SELL else self.later

    @property
    def apart(self) -> timedelta:
        return self.later.executed_at - self.earlier.executed_at

    @property
    def energy(self) -> Decimal:
        """MWh: exact, because every product lasts whole quarters of an hour."""
        seconds = Decimal(round(self.period.duration / timedelta(seconds=1)))
        return EXACT.divide(EXACT.multiply(self.quantity, seconds), Decimal(3600))

    @property
    def result(self) -> Decimal:
        """What the two made of it: above zero where the desk sold for more than it bought, below where it paid."""
        return EXACT.multiply(EXACT.subtract(self.sold.price, self.bought.price), self.energy)


@dataclass(frozen=True, slots=True)
class PairSum:
    """What some pairs add up to: MWh, and the result in the market's currency."""

    count: int = 0
    energy: Decimal = ZERO
    result: Decimal = ZERO

    @property
    def per_mwh(self) -> Decimal | None:
        """None without energy."""
        return EXACT.divide(self.result, self.energy) if self.energy else None

    def and_(self, pair: Pair) -> PairSum:
        """With one pair more."""
        return PairSum(self.count + 1, EXACT.add(self.energy, pair.energy), EXACT.add(self.result, pair.result))


_Key = TypeVar("_Key", bound=Hashable)


def sums_by(pairs: Iterable[Pair], key: Callable[[Pair], _Key]) -> dict[_Key, PairSum]:
    """A sum a key, in the order of the pairs."""
    sums: dict[_Key, PairSum] = {}
    for pair in pairs:
        sums[key(pair)] = sums.get(key(pair), PairSum()).and_(pair)
    return sums


def sum_of(pairs: Iterable[Pair]) -> PairSum:
    """What all of them add up to."""
    return sums_by(pairs, lambda _pair: None).get(None, PairSum())


def matches(trades: Iterable[DeskTrade]) -> list[Pair]:
    """Each trade with the earlier opposite ones of other traders within 30 minutes, the oldest first.

    Every MW meets at most once. By period, then in the order in which the later trades were executed.
    """
    return _met(trades, lambda earlier, later: earlier.trader != later.trader)


def round_trips(trades: Iterable[DeskTrade]) -> list[Pair]:
    """The same of each trader alone. A trade can be in both lists, so the two are never added up."""
    return _met(trades, lambda earlier, later: earlier.trader == later.trader)


def alike(trades: Iterable[DeskTrade]) -> list[Pair]:
    """Every pair of opposite trades, alike in period, price and quantity, within a second; whose they are is no matter.

    All pairs, so that a trade in a burst of trades alike can be in several. In the order of `matches`.
    """
    groups: dict[tuple[DeliveryPeriod, Decimal, Decimal], list[DeskTrade]] = defaultdict(list)
    for trade in trades:
        groups[trade.period, trade.price, trade.quantity].append(trade)
    pairs = [pair for group in groups.values() for pair in _alike_of(group)]
    return sorted(pairs, key=lambda pair: (pair.period.start, pair.period.end, pair.later.order, pair.earlier.order))


def _alike_of(group: list[DeskTrade]) -> Iterable[Pair]:
    near: deque[DeskTrade] = deque()
    for trade in sorted(group, key=lambda one: one.order):
        while near and trade.executed_at - near[0].executed_at > ALIKE_WITHIN:
            near.popleft()
        yield from (Pair(other, trade, trade.quantity) for other in near if other.direction != trade.direction)
        near.append(trade)


def _met(trades: Iterable[DeskTrade], may_meet: Callable[[DeskTrade, DeskTrade], bool]) -> list[Pair]:
    ordered = sorted(trades, key=lambda trade: (trade.period.start, trade.period.end, trade.order))
    return [
        pair
        for _, group in groupby(ordered, key=lambda trade: trade.period)
        for pair in _met_in_period(group, may_meet)
    ]


@dataclass(slots=True)
class _Open:
    """What is left of a trade."""

    trade: DeskTrade
    left: Decimal


def _met_in_period(trades: Iterable[DeskTrade], may_meet: Callable[[DeskTrade, DeskTrade], bool]) -> Iterable[Pair]:
    """`trades` of one period, in order."""
    waiting: list[_Open] = []
    for trade in trades:
        mine = _Open(trade, trade.quantity)
        waiting = [one for one in waiting if one.left and trade.executed_at - one.trade.executed_at <= WITHIN]
        for other in waiting:
            if not mine.left:
                break
            if other.trade.direction != trade.direction and may_meet(other.trade, trade):
                met = min(mine.left, other.left)
                mine.left, other.left = EXACT.subtract(mine.left, met), EXACT.subtract(other.left, met)
                yield Pair(other.trade, trade, met)
        waiting.append(mine)
