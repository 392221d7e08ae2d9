"""“If I closed now at …”: the form in an opened row, and its arithmetic in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from dashboard.figures.board import BoardRow, PeriodState
from dashboard.figures.opened.closing import Closing
from dashboard.render import formatting as fmt
from dashboard.render.cells import Cell

LONGEST = 12
"""Characters of a field of the form."""


@dataclass(frozen=True, slots=True)
class RefusedClosing:
    """What can't be worked out: price and energy as they were typed, the field that is wrong, and why."""

    price: str
    energy: str
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ClosingForm:
    """What the form is filled in with and what else it sends; `cells` (result, net, break-even) once it was asked."""

    price: str
    energy: str
    hidden: Mapping[str, str]
    break_even: Cell
    cells: Mapping[str, Cell] | None
    refused: RefusedClosing | None = None
    longest: int = LONGEST


def closing_form(
    row: BoardRow, hidden: Mapping[str, str], closing: Closing | RefusedClosing | None
) -> ClosingForm | None:
    """None for a row that is closed, or that has no net."""
    if row.state == PeriodState.CLOSED or not row.figures.net_mwh:
        return None
    break_even = Cell("break_even", fmt.number(row.figures.break_even), fmt.plain(row.figures.break_even) or "")
    if isinstance(closing, RefusedClosing):
        price, energy = closing.price[:LONGEST], closing.energy[:LONGEST]
        return ClosingForm(price, energy, hidden, break_even, None, closing)
    return _filled(row, hidden, closing, break_even)


def _filled(row: BoardRow, hidden: Mapping[str, str], closing: Closing | None, break_even: Cell) -> ClosingForm:
    price = closing.price if closing else row.figures.reference_price
    energy = closing.energy if closing else abs(row.figures.net_mwh)
    return ClosingForm(
        fmt.plain(price.quantize(Decimal("0.01")) if price is not None and closing is None else price) or "",
        fmt.plain(energy) or "",
        hidden,
        break_even,
        _cells(closing) if closing else None,
    )


def _cells(closing: Closing) -> dict[str, Cell]:
    return {
        name: Cell(f"closed_{name}", fmt.number(value, signed=signed), fmt.plain(value) or "", fmt.trend(value))
        for name, value, signed in (
            ("result", closing.result, True),
            ("net", closing.net_mwh, True),
            ("break_even", closing.break_even, False),
        )
    }
