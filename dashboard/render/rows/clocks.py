"""What a row says of time: its period on the people's clock, when it opens, and its gate closures by phase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from dashboard.figures.board import BoardRow, PeriodState
from dashboard.render import formatting as fmt
from market.labels import label_of
from market.models import Market
from market.rules import Phase


@dataclass(frozen=True, slots=True)
class Clocks:
    """The zone (by name, so that rendered rows are remembered) that times are shown in: the market's people's.

    `differ`: whether the market counts its delivery day by another clock.
    """

    zone_name: str
    differ: bool

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone_name)


@dataclass(frozen=True, slots=True)
class GateCell:
    """A row's last gate closure; with several phases all of them, as data for the countdown and in words."""

    closes: str
    text: str
    phases: str = ""
    words: str = ""


def clocks_of(market: Market, day: date) -> Clocks:
    """The clocks of a delivery day."""
    rules = market.rules_on(day)
    return Clocks(rules.people_zone.key, rules.people_zone != rules.zone)


def zones_title(market: Market, day: date) -> str:
    """Whose clocks: the product zone, and beside it the people's where it is another."""
    rules = market.rules_on(day)
    if rules.people_zone == rules.zone:
        return rules.zone.key
    return gettext("%(product)s, clocks %(people)s") % {"product": rules.zone.key, "people": rules.people_zone.key}


def local_title(row: BoardRow, clocks: Clocks) -> str:
    """The period on the people's clock, where that differs from its label."""
    return fmt.period_title(label_of(row.period, clocks.zone)) if clocks.differ else ""


def opens_title(row: BoardRow, clocks: Clocks) -> str:
    """From when on the period can be traded, while that is still to come."""
    return gettext("opens %(time)s") % {"time": fmt.clock(row.opens_at, clocks.zone)} if row.opens_at else ""


def gate_cell(row: BoardRow, clocks: Clocks) -> GateCell:
    """When the row's gates close, on the people's clock."""
    closes = fmt.utc(row.gate_closes_at)
    if row.state == PeriodState.CLOSED:
        return GateCell(closes, gettext("closed"))
    text = fmt.clock(row.gate_closes_at, clocks.zone)
    if len(row.gates) == 1:
        return GateCell(closes, text)
    names = phase_names()
    return GateCell(
        closes,
        text,
        " ".join(f"{fmt.utc(gate.closes_at)}={names[gate.phase]}" for gate in row.gates),
        ", ".join(f"{names[gate.phase]} {fmt.clock(gate.closes_at, clocks.zone)}" for gate in row.gates),
    )


def phase_names() -> dict[Phase, str]:
    """Each phase in one word, which has no space in it."""
    return {Phase.BORDERS: gettext("borders"), Phase.AREAS: gettext("areas"), Phase.AREA: gettext("area")}
