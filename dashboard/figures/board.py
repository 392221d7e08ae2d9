"""A trader's board of one delivery day: its rows from positions and prices, in a fixed number of queries. No HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, localcontext
from enum import StrEnum

from dashboard.figures.performance import NOTHING, Figures, period_figures, total_figures
from dashboard.figures.readings import Legs, Reading, counted_once, net_by_quarter, quarters_of, read, rows_of
from market.labels import doubled_periods, label_of
from market.models import Market
from market.periods import DeliveryPeriod, day_bounds, day_of, day_periods
from market.rules import ReferenceSource, reference_period
from market.totals import EXACT, ZERO, Total
from prices.queries import KnownPrice, latest_prices, unclear_periods
from trades.models import Trader
from trades.queries import PositionRow, next_slot, positions_of_day

Prices = Mapping[DeliveryPeriod, KnownPrice]


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
    gate_closes_at: datetime
    state: PeriodState
    revision: str = ""
    """Changes with every committed change of the period's positions or price."""
    source: ReferenceSource = ReferenceSource.OWN
    """Whose price the reference is: the period's own, its hour's as a stand-in, or none by the market's rule."""
    quarters: tuple[Decimal, ...] = ()
    """Of an hour that is delivered or taken: the net MWh of its four quarters, whatever products they come from."""
    is_unclear: bool = False
    """Whether the provider answers without saying which of the day's two such hours it means: neither has a price."""

    def __hash__(self) -> int:
        """Rows are looked up by the hundred with each change of one: their revisions tell nearly all apart."""
        return hash((self.period.start, self.revision, self.state))

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
    reading: Reading = Reading.PRODUCT

    @property
    def changes_at(self) -> datetime:
        """The next moment at which the board changes by the clock alone.

        A gate closes, the market's day ends, or, while a gate is open, a slot does: the lines over time grow then.
        """
        closures = (row.gate_closes_at for row in self.rows if row.gate_closes_at > self.as_of)
        midnight = day_bounds(day_of(self.as_of, self.market.zone), self.market.zone)[1]
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
) -> Board:
    """The board as it stands in the database: two queries, however many trades there are; on the day with an hour that
    exists twice a third, until both have a price.

    `also` is a period that gets a row even if it is shorter than an hour and was never traded. With `prices`, an
    earlier board's, only the positions are read.
    """
    positions = positions_of_day(trader_pk=trader.pk, market_id=market.pk, day=delivery_day)
    if prices is None:
        prices = latest_prices(market_id=market.pk, day=delivery_day)
    missing = [p for p in doubled_periods(delivery_day, market.zone) if p not in prices]
    board = build_board(
        trader=trader,
        market=market,
        delivery_day=delivery_day,
        now=now,
        positions=positions,
        prices=prices,
        also=also,
        reading=reading,
    )
    unclear = unclear_periods(market_id=market.pk, periods=missing) if missing else frozenset()
    marked = (replace(row, is_unclear=row.period in unclear) for row in board.rows)
    return replace(board, rows=tuple(marked)) if unclear else board


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
    products = _legs(positions)
    legs = read(products, reading)
    whole_day = day_periods(delivery_day, market.zone, reading.minutes or 60)
    periods = sorted(
        {*whole_day, *legs, *([also] if also and reading is Reading.PRODUCT else [])},
        key=lambda p: (p.start, -p.duration.total_seconds()),
    )
    revisions = _revisions(positions, reading)
    next_start = min((p.start for p in periods if p.gate_closure(market.gate_closure_lead) > now), default=None)
    of = {period: _reference(market, delivery_day, period, prices) for period in periods}
    nets = net_by_quarter(products)
    rows = tuple(
        _row(p, legs.get(p, {}), of[p], market, now, next_start, revision=revisions.get(p, 0), nets=nets)
        for p in periods
    )
    return Board(
        trader=trader,
        market=market,
        delivery_day=delivery_day,
        as_of=now,
        rows=rows,
        total=_counting_once(total_figures(row.figures for row in rows), products),
        version=board_version(positions, prices.values()),
        prices=prices,
        reading=reading,
    )


def _counting_once(total: Figures, products: Legs) -> Figures:
    """A total counts each trade once, in how many rows it may stand."""
    sold, bought = (
        replace(side, trade_count=counted_once(products, name))
        for side, name in ((total.sold, "sell"), (total.bought, "buy"))
    )
    return replace(total, sold=sold, bought=bought)


def board_version(positions: Iterable[PositionRow], prices: Iterable[KnownPrice]) -> str:
    """A text that changes with every committed change of the figures, and never returns to an earlier one.

    Each position and price counts its own changes under its row lock, so the two sums only ever grow, in whichever
    order concurrent transactions commit.
    """
    return f"{sum(p.revision for p in positions)}.{sum(p.revision for p in prices)}"


def _legs(positions: list[PositionRow]) -> dict[DeliveryPeriod, dict[str, Total]]:
    legs: dict[DeliveryPeriod, dict[str, Total]] = {}
    for p in positions:
        if p.total.trade_count:
            legs.setdefault(p.period, {})[p.direction] = p.total
    return legs


def _revisions(positions: list[PositionRow], reading: Reading) -> dict[DeliveryPeriod, int]:
    revisions: dict[DeliveryPeriod, int] = {}
    for p in positions:
        for row in rows_of(p.period, reading):
            revisions[row] = revisions.get(row, 0) + p.revision
    return revisions


def _row(
    period: DeliveryPeriod,
    legs: dict[str, Total],
    reference: tuple[ReferenceSource, KnownPrice | None],
    market: Market,
    now: datetime,
    next_start: datetime | None,
    *,
    revision: int,
    nets: Mapping[datetime, Decimal],
) -> BoardRow:
    closes = period.gate_closure(market.gate_closure_lead)
    source, price = reference
    value: Decimal | None = price.value if price else None
    open_state = PeriodState.NEXT if period.start == next_start else PeriodState.OPEN
    return BoardRow(
        period=period,
        delivery_hour=label_of(period, market.zone),
        figures=period_figures(legs.get("sell", NOTHING), legs.get("buy", NOTHING), value),
        reference=price,
        gate_closes_at=closes,
        state=PeriodState.CLOSED if closes <= now else open_state,
        revision=f"{revision}.{price.revision if price else 0}",
        source=source,
        quarters=quarters_of(period, nets),
    )


def _reference(
    market: Market, day: date, period: DeliveryPeriod, prices: Prices
) -> tuple[ReferenceSource, KnownPrice | None]:
    """By whose price a period goes, and that price where it is known."""
    source = market.reference_source(day, period)
    referred = reference_period(period, source)
    return source, prices.get(referred) if referred else None
