"""The clock of our earnings as a table: hours of delivery down, time left across, the gate at the right."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext, ngettext

from dashboard.figures.earnings.clock import EarningsClock
from dashboard.figures.earnings.time_left import Left
from dashboard.figures.history import Slice
from dashboard.render import formatting as fmt
from dashboard.render.cells import Cell, signed_cell
from dashboard.render.earnings.selection import Selection, step_title
from dashboard.render.history import hour_title

_STRENGTHS = (1, 5, 15)
"""EUR/MWh: from each on a cell's colour is a step stronger."""


@dataclass(frozen=True, slots=True)
class ClockCell:
    """EUR/MWh, how many trades and MWh, and where they are listed. `strength`: 1 to 4, 0 without a figure."""

    figure: Cell
    count: str
    energy: str
    result: str
    strength: int
    address: str


@dataclass(frozen=True, slots=True)
class ClockLine:
    """An hour's cells, in the order of the heads; None where nothing was traded. The last one is the margin."""

    name: str
    cells: tuple[ClockCell | None, ...]


def clock_table(selection: Selection, clock: EarningsClock, currency: str) -> dict[str, object]:
    """Heads, lines and the line of margins."""
    steps = [step for step in reversed(Left) if step is not Left.AFTER or step in clock.steps]
    sign = fmt.currency_sign(currency)
    lines = []
    for hour, margin in sorted(clock.hours.items()):
        parts = [(step, clock.cells.get((hour, step))) for step in steps]
        cells = [_cell(part, selection.cell(hour, step), sign) for step, part in parts]
        lines.append(ClockLine(hour_title(hour), (*cells, _cell(margin, selection.cell(hour, None), sign))))
    margins = [_cell(clock.steps.get(step), selection.cell(None, step), sign) for step in steps]
    total = _cell(clock.total if clock.hours else None, selection.cell(None, None), sign)
    heads = [*(step_title(step) for step in steps), gettext("All")]
    return {"heads": heads, "lines": lines, "margin": ClockLine(gettext("All"), (*margins, total))}


def _cell(part: Slice | None, address: str, sign: str) -> ClockCell | None:
    if part is None:
        return None
    figures = part.figures
    result = figures.performance_eur
    energy = figures.sold.energy + figures.bought.energy
    count = ngettext("%(count)s trade", "%(count)s trades", figures.trade_count)
    return ClockCell(
        signed_cell("performance", figures.performance),
        count % {"count": fmt.count(figures.trade_count)},
        f"{fmt.number(energy)} MWh",
        f"{fmt.number(result, signed=True)} {sign}" if result is not None else gettext("no reference price yet"),
        _strength(figures.performance),
        address,
    )


def _strength(performance: Decimal | None) -> int:
    if performance is None:
        return 0
    return 1 + sum(abs(performance) >= limit for limit in _STRENGTHS)
