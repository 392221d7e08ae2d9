"""What an hour of the reading by hour holds: its quarters, and the products that its trades were made in. Pure, exact.

MWh, EUR and EUR/MWh. The quarters' energy and cash sum to the hour's, and so do the products'; results differ, because
each is measured by its own reference.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.figures.board import Board, BoardRow
from dashboard.figures.performance import NOTHING, Figures, period_figures
from dashboard.figures.readings import Legs, Reading, part_of, parts_of, read, rows_of
from dashboard.figures.references import reference_of
from market.periods import DeliveryPeriod
from market.rules import ReferenceSource


@dataclass(frozen=True, slots=True)
class Part:
    """A quarter of the hour, or what one product puts into it: one of `parts` equal parts of the product's trades."""

    period: DeliveryPeriod
    label: str
    figures: Figures
    is_stand_in: bool
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Inside:
    """What an hour holds, in order of delivery. `products` is empty where all was traded as the hour itself."""

    quarters: tuple[Part, ...] = ()
    products: tuple[Part, ...] = ()


def inside(board: Board, row: BoardRow) -> Inside:
    """What the row holds; nothing in another reading, or without a trade."""
    if board.reading is not Reading.HOUR or not row.quarters:
        return Inside()
    touching = {one: sides for one, sides in board.products.items() if row.period in rows_of(one, Reading.HOUR)}
    quarters = read(touching, Reading.QUARTER)
    products = sorted(touching, key=lambda period: (-period.duration.total_seconds(), period.start))
    return Inside(
        tuple(_part(board, quarter, quarters) for quarter in rows_of(row.period, Reading.QUARTER)),
        tuple(_part(board, product, touching, parts_of(product, Reading.HOUR)) for product in products)
        if products != [row.period]
        else (),
    )


def _part(board: Board, period: DeliveryPeriod, legs: Legs, parts: int = 1) -> Part:
    sides = legs.get(period, {})
    sold, bought = (part_of(sides.get(side, NOTHING), parts) for side in ("sell", "buy"))
    rules = board.market.period_rules(board.delivery_day, period)
    reference = reference_of(rules, board.prices)
    value = reference.price.value if reference.price else None
    is_stand_in = reference.price is not None and reference.source is ReferenceSource.HOUR
    return Part(period, rules.label, period_figures(sold, bought, value), is_stand_in, parts)
