"""An opened hour's quarters and products as lines of a table."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from dashboard.figures.opened.inside import Inside, Part
from dashboard.render import formatting as fmt
from dashboard.render.cells import Cell, plain_cell, quiet_cells, signed_cell


@dataclass(frozen=True, slots=True)
class Line:
    """A quarter, or what a product puts into the hour; `is_first` of the products."""

    title: str
    is_stand_in: bool
    cells: tuple[Cell, ...]
    is_first: bool = False


def lines_of(held: Inside) -> list[Line]:
    """The quarters, and beneath them the products."""
    products = [_line(part, is_first=number == 0) for number, part in enumerate(held.products)]
    return [*(_line(part) for part in held.quarters), *products]


def _line(part: Part, *, is_first: bool = False) -> Line:
    figures, title = part.figures, fmt.period_title(part.label)
    cells = (
        plain_cell("average_price", figures.average_price),
        plain_cell("reference_price", figures.reference_price),
        signed_cell("performance", figures.performance),
        *quiet_cells(figures),
    )
    if part.parts > 1:
        title = _("1/%(parts)s of %(product)s") % {"parts": part.parts, "product": title}
    return Line(title, part.is_stand_in, cells, is_first)
