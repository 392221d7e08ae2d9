"""A trader's board of one delivery day: its rows from positions and prices, in a fixed number of queries. No HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, localcontext
from enum import StrEnum
from functools import lru_cache

from dashboard.figures.past import Past
from dashboard.figures.performance import NOTHING, Figures, period_figures, total_figures
from dashboard.figures.readings import Legs, Reading, counted_once, net_by_quarter, quarters_of, read, rows_of
from dashboard.figures.references import Prices, Reference, reference_of
from dashboard.figures.versions import board_version, row_revisions
from market.labels import doubled_periods
from market.models import Market
from market.periods import DURATIONS, Days, DeliveryPeriod
from market.rules import Gate, PeriodRules, ReferenceSource
from market.totals import EXACT, ZERO, Total
from prices.queries import KnownPrice, latest_prices, prices_after, unclear_periods
from trades.models import Trader
from trades.queries import PositionRow, next_slot, positions_of_day

_NO_LEGS: Mapping[str, Total] = {}


class PeriodState(StrEnum):
    """Where a period is in its trading life at a given moment."""

    CLOSED = "closed"
    NEXT = "next"  # the first whose gate is still open: the next to close
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One delivery period: `figures` in MWh, EUR and EUR/MWh; times UTC."""

    period: DeliveryPeriod
    delivery_hour: str
    figures: Figures
    reference: KnownPrice | None
    gates: tuple[Gate, ...]
    """Its gate closures, the first to close first."""
    state: PeriodState
    revision: str = ""
    """Changes with every committed change of the period's positions or price."""
    source: ReferenceSource = ReferenceSource.OWN
    """Whose price the reference is: the period's own, its hour's as a stand-in, or none by the market's rule."""
    quarters: tuple[Decimal, ...] = ()
    """Of an hour that is delivered or taken: the net MWh of its four quarters, whatever products they come from."""
    is_final: bool = False
    """Whether the reference was published at or after the last gate closure of the periods whose price it is."""
    opens_at: datetime | None = None
    """From when on it can be traded, where that is still to come."""
    is_unclear: bool = False
    """Whether the provider answers without saying which of the day's two such hours it means: neither has a price."""

    def __hash__(self) -> int:
        """Rows are looked up by the hundred with each change of one: their revisions tell nearly all apart."""
        return hash((self.period.start, self.revision, self.state))

    @property
    def gate_closes_at(self) -> datetime:
        """The moment after which the period can't be traded: its last gate's."""
        return self.gates[-1].closes_at

    @property
    def is_stand_in(self) -> bool:
        """Whether the figures go by another product's price."""
        return self.reference is not None and self.source is ReferenceSource.HOUR


@dataclass(frozen=True, slots=True)
class Board:
    """All periods of the day in order of delivery, with the exact sum of the rows as `total`."""

    trader: Trader
    market: Market
    delivery_day: date
    as_of: datetime
    rows: tuple[BoardRow, ...]
    total: Figures
    version: str
    prices: Prices
    """What the rows' references were taken from: the whole day's, by start and end of delivery."""
    products: Legs
    """What was traded, by product, whatever the reading."""
    positions: Sequence[PositionRow] = field(repr=False)
    """What the products were taken from."""
    reading: Reading = Reading.PRODUCT
    past: Past | None = None
    """Of which moment it is, as known or as it had happened; None: of now."""
    _changes_at: datetime | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def currency(self) -> str:
        """The market's on the delivery day."""
        return self.market.rules_on(self.delivery_day).currency

    @property
    def changes_at(self) -> datetime:
        """The next moment at which the board changes by the clock alone.

        A gate closes, the market's day ends, or, while a gate is open, a slot does: the lines over time grow then.
        Open boards are asked for it twice a second, so it is worked out once.
        """
        if self._changes_at is None:
            object.__setattr__(self, "_changes_at", self._next_change())
        assert self._changes_at is not None
        return self._changes_at

    def _next_change(self) -> datetime:
        gates = (gate.closes_at for row in self.rows for gate in row.gates if gate.closes_at > self.as_of)
        closures = (*gates, *{row.opens_at for row in self.rows if row.opens_at})
        midnight = self.market.day_bounds(self.market.day_of(self.as_of))[1]
        return min((midnight, *closures)) if self.is_settled else min((midnight, next_slot(self.as_of), *closures))

    @property
    def is_settled(self) -> bool:
        """Whether every gate is closed: nothing changes but by corrections and last prices."""
        return all(row.state == PeriodState.CLOSED for row in self.rows)

    @property
    def stand_in_mwh(self) -> Decimal:
        """Energy whose result goes by its hour's price as a stand-in, part of the total."""
        with localcontext(EXACT):
            return sum((row.figures.priced_mwh for row in self.rows if row.is_stand_in), ZERO)

    @property
    def unpriced_count(self) -> int:
        """Rows with trades whose reference is unknown: not part of the total's performance."""
        return sum(1 for row in self.rows if row.figures.trade_count and row.figures.performance_eur is None)


def load_board(
    *,
    trader: Trader,
    market: Market,
    delivery_day: date,
    now: datetime,
    also: DeliveryPeriod | None = None,
    prices: Prices | None = None,
    reading: Reading = Reading.PRODUCT,
    past: Past | None = None,
) -> Board:
    """The board as it stands in the database: two queries; a third while something that exists twice lacks a price.

    `also` is a period that gets a row even if it is shorter than an hour and was never traded. With `prices` only
    the positions are read. `past`: as it stood then, and `now` means nothing.
    """
    if past:
        market = past.market(market)
        positions = past.traded_by(trader, market, delivery_day).positions
    else:
        positions = positions_of_day(trader_pk=trader.pk, market_id=market.pk, day=delivery_day)
    if prices is None:
        prices = past.prices(market, delivery_day) if past else latest_prices(market_id=market.pk, day=delivery_day)
    board = build_board(
        trader=trader,
        market=market,
        delivery_day=delivery_day,
        now=past.moment if past else now,
        positions=positions,
        prices=prices,
        also=also,
        reading=reading,
    )
    return replace(_marked(board, past), past=past) if past else _marked(board)


def load_after(before: Board, *, now: datetime, prices_moved: bool = False) -> Board:
    """A board after trades, and prices where they moved: one query, or two, and the rows that are as they were."""
    asked = _Asked(before.trader, before.market, before.delivery_day, before.reading)
    positions = positions_of_day(trader_pk=asked.trader.pk, market_id=asked.market.pk, day=asked.day)
    prices = before.prices
    if prices_moved:
        prices = prices_after(prices, market_id=asked.market.pk, day=asked.day)
    elif before.as_of <= now < before.changes_at and (touched := _touched(positions, before)) is not None:
        return _after_trades(before, now, positions, touched)
    return _marked(_build(asked, now, positions, prices, {row.period: row for row in before.rows}))


def _touched(positions: list[PositionRow], before: Board) -> set[DeliveryPeriod] | None:
    """The rows that trades since then touch. None where rows come or go, or the provider may leave one unclear."""
    earlier = {(p.period, p.direction): p.revision for p in before.positions}
    moved = [p for p in positions if earlier.get((p.period, p.direction)) != p.revision]
    rows = {row.period for row in before.rows}
    touched = {row for p in moved for row in rows_of(p.period, before.reading)}
    is_plain = all(p.total.trade_count for p in moved) and len(positions) >= len(earlier) and touched <= rows
    if not is_plain or _doubled(before.delivery_day, before.market.calendar):
        return None
    return touched | {hour for p in moved for hour in rows_of(p.period, Reading.HOUR)} & rows  # for their profiles


def _after_trades(before: Board, now: datetime, positions: list[PositionRow], touched: set[DeliveryPeriod]) -> Board:
    """The board with these rows made anew, until it would have changed by the clock alone."""
    market, reading, products = before.market, before.reading, _legs(positions)
    legs, nets = read(products, reading), net_by_quarter(products)
    revisions = row_revisions(positions, reading, before.prices)
    times = now, next((row.period.start for row in before.rows if row.state == PeriodState.NEXT), None)

    def anew(period: DeliveryPeriod) -> BoardRow:
        rules = market.period_rules(before.delivery_day, period)
        reference = reference_of(rules, before.prices)
        return _row((period, rules), legs.get(period, _NO_LEGS), reference, times, revisions, nets)

    rows = tuple(anew(row.period) if row.period in touched else row for row in before.rows)
    total = _counting_once(total_figures(row.figures for row in rows), products)
    version = board_version(positions, before.prices.values())
    after = replace(before, as_of=now, rows=rows, total=total, version=version, products=products, positions=positions)
    object.__setattr__(after, "_changes_at", before.changes_at)
    return after


def _marked(board: Board, past: Past | None = None) -> Board:
    """With what the provider leaves unclear: which of the two of a long day its answer is about, of whatever length."""
    doubled = _doubled(board.delivery_day, board.market.calendar)
    if not doubled:
        return board
    asked = {row.period: _referred(board, row) & doubled for row in board.rows if row.reference is None}
    periods, until = frozenset[DeliveryPeriod]().union(*asked.values()), past.moment if past else None
    unclear = unclear_periods(market_id=board.market.pk, periods=periods, until=until) if periods else frozenset()
    marks = {period: not unclear.isdisjoint(referred) for period, referred in asked.items()}
    return replace(board, rows=tuple(_said_unclear(row, marks.get(row.period, False)) for row in board.rows))


@lru_cache(maxsize=64)
def _doubled(day: date, days: Days) -> frozenset[DeliveryPeriod]:
    """Hours, halves and quarters whose wall time exists twice on that day; none on most days."""
    return frozenset(
        period for length in DURATIONS for period in doubled_periods(day, days, int(length.total_seconds()) // 60)
    )


def _referred(board: Board, row: BoardRow) -> frozenset[DeliveryPeriod]:
    """Whose prices the row goes by and has not."""
    referred = board.market.reference_periods(board.delivery_day, row.period)
    return frozenset(period for period in referred if period not in board.prices)


def _said_unclear(row: BoardRow, is_unclear: bool) -> BoardRow:
    return row if row.is_unclear == is_unclear else replace(row, is_unclear=is_unclear)


def build_board(
    *,
    trader: Trader,
    market: Market,
    delivery_day: date,
    now: datetime,
    positions: list[PositionRow],
    prices: Prices,
    also: DeliveryPeriod | None = None,
    reading: Reading = Reading.PRODUCT,
) -> Board:
    """Rows as the reading has them: by product every hour of the day, and each shorter period that was traded. Pure."""
    return _build(_Asked(trader, market, delivery_day, reading, also), now, positions, prices, {})


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which board; `also` has a row even without a trade."""

    trader: Trader
    market: Market
    day: date
    reading: Reading
    also: DeliveryPeriod | None = None

    def periods(self, legs: Iterable[DeliveryPeriod]) -> list[DeliveryPeriod]:
        """Its rows' in order."""
        whole_day = self.market.day_periods(
            self.day, self.reading.minutes or self.market.rules_on(self.day).row_minutes
        )
        also = [self.also] if self.also and self.reading is Reading.PRODUCT else []
        return sorted({*whole_day, *legs, *also}, key=lambda p: (p.start, -p.duration.total_seconds()))


def _build(
    asked: _Asked,
    now: datetime,
    positions: list[PositionRow],
    prices: Prices,
    held: Mapping[DeliveryPeriod, BoardRow],
) -> Board:
    """`held`: earlier rows, taken over where nothing about them has changed."""
    market, reading, products = asked.market, asked.reading, _legs(positions)
    legs = read(products, reading)
    revisions = row_revisions(positions, reading, prices)
    ruled = [(period, market.period_rules(asked.day, period)) for period in asked.periods(legs)]
    next_start = min((period.start for period, rules in ruled if rules.gates[-1].closes_at > now), default=None)
    nets = net_by_quarter(products)
    referred = [(one, reference_of(one[1], prices)) for one in ruled]
    rows = tuple(
        _as_it_was(held.get(one[0]), one[1], reference.price, (now, next_start), revisions, nets)
        or _row(one, legs.get(one[0], _NO_LEGS), reference, (now, next_start), revisions, nets)
        for one, reference in referred
    )
    return Board(
        trader=asked.trader,
        market=market,
        delivery_day=asked.day,
        as_of=now,
        rows=rows,
        total=_counting_once(total_figures(row.figures for row in rows), products),
        version=board_version(positions, prices.values()),
        prices=prices,
        products=products,
        positions=positions,
        reading=reading,
    )


def _counting_once(total: Figures, products: Legs) -> Figures:
    """A total counts each trade once, in how many rows it may stand."""
    sold, bought = (
        replace(side, trade_count=counted_once(products, name))
        for side, name in ((total.sold, "sell"), (total.bought, "buy"))
    )
    return replace(total, sold=sold, bought=bought)


def _legs(positions: list[PositionRow]) -> dict[DeliveryPeriod, dict[str, Total]]:
    legs: dict[DeliveryPeriod, dict[str, Total]] = {}
    for p in positions:
        if p.total.trade_count:
            legs.setdefault(p.period, {})[p.direction] = p.total
    return legs


def _as_it_was(
    row: BoardRow | None,
    rules: PeriodRules,
    price: KnownPrice | None,
    times: tuple[datetime, datetime | None],
    revisions: Mapping[DeliveryPeriod, int],
    nets: Mapping[datetime, Decimal],
) -> BoardRow | None:
    """An earlier board's row, if nothing about it has changed: of a hundred rows a trade or a price changes one or two,
    and what knows the others need not compare them figure by figure."""
    if (
        row is None
        or row.revision != _revision(row.period, revisions, price)
        or row.state != _state(row.period, rules, *times)
        or (row.opens_at is not None and row.opens_at <= times[0])
        or row.quarters != quarters_of(row.period, nets)
    ):
        return None
    return row


def _revision(period: DeliveryPeriod, revisions: Mapping[DeliveryPeriod, int], price: KnownPrice | None) -> str:
    return f"{revisions.get(period, 0)}.{price.revision if price else 0}"


def _state(period: DeliveryPeriod, rules: PeriodRules, now: datetime, next_start: datetime | None) -> PeriodState:
    if rules.gates[-1].closes_at <= now:
        return PeriodState.CLOSED
    return PeriodState.NEXT if period.start == next_start else PeriodState.OPEN


def _row(
    ruled: tuple[DeliveryPeriod, PeriodRules],
    legs: Mapping[str, Total],
    reference: Reference,
    times: tuple[datetime, datetime | None],
    revisions: Mapping[DeliveryPeriod, int],
    nets: Mapping[datetime, Decimal],
) -> BoardRow:
    """One row. `times`: now, and when delivery of the next to close starts."""
    (period, rules), price, opens_at = ruled, reference.price, ruled[1].opens_at
    return BoardRow(
        period=period,
        delivery_hour=rules.label,
        figures=period_figures(legs.get("sell", NOTHING), legs.get("buy", NOTHING), price.value if price else None),
        reference=price,
        gates=rules.gates,
        state=_state(period, rules, *times),
        revision=_revision(period, revisions, price),
        source=reference.source,
        quarters=quarters_of(period, nets),
        is_final=reference.is_final,
        opens_at=opens_at if opens_at and opens_at > times[0] else None,
    )
