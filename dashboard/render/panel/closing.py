"""“If I closed now at …”: the form in an opened row, and its arithmetic in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from dashboard.figures.board import BoardRow, PeriodState
from dashboard.figures.opened.closing import Closing
from dashboard.render import formatting as fmt
from dashboard.render.cells import Cell


@dataclass(frozen=True, slots=True)
class ClosingForm:
    """What the form is filled in with and what else it sends; `cells` (result, net, break-even) once it was asked."""

    price: str
    energy: str
    hidden: Mapping[str, str]
    break_even: Cell
    cells: Mapping[str, Cell] | None


def closing_form(row: BoardRow, hidden: Mapping[str, str], closing: Closing | None) -> ClosingForm | None:
    """None for a row that is closed, or that has no net."""
    if row.state == PeriodState.CLOSED or not row.figures.net_mwh:
        return None
    price = closing.price if closing else row.figures.reference_price
    energy = closing.energy if closing else abs(row.figures.net_mwh)
    return ClosingForm(
        fmt.plain(price.quantize(Decimal("0.01")) if price is not None and closing is None else price) or "",
        fmt.plain(energy) or "",
        hidden,
        Cell("break_even", fmt.number(row.figures.break_even), fmt.plain(row.figures.break_even) or ""),
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
