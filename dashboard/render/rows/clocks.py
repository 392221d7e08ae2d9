"""What a row says of time: its period on the people's clock, when it opens, and its gate closures by phase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from dashboard.figures.board import BoardRow, PeriodState
from dashboard.render import formatting as fmt
from market.labels import label_of
from market.models import Market
from market.rules import Phase

QUARTER = timedelta(minutes=15)


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


def about(row: BoardRow, market: Market, day: date, *, by_quarter: bool = True) -> list[str]:
    """What an opened row says of itself: the people's clock, its gates, its net by quarter hour if wanted, and its
    reference."""
    clocks, name = clocks_of(market, day), market.rules_on(day).reference_name
    local, opens = local_title(row, clocks), opens_title(row, clocks)
    gates = gate_cell(row, clocks).words
    return [
        *([f"{local} {gettext('local')}"] if local else []),
        *([opens] if opens else []),
        *([gettext("gates: %(gates)s") % {"gates": gates}] if gates else []),
        *([_by_quarter(row, market.rules_on(day).zone)] if row.quarters and by_quarter else []),
        *([gettext("reference: %(name)s") % {"name": name}] if name else []),
    ]


def _by_quarter(row: BoardRow, zone: ZoneInfo) -> str:
    """The net of an hour's quarters, each by when it begins on the product day's clock."""
    starts = (fmt.clock(row.period.start + number * QUARTER, zone) for number in range(len(row.quarters)))
    nets = (fmt.number(net, signed=True) for net in row.quarters)
    words = ", ".join(f"{start} {net}" for start, net in zip(starts, nets, strict=True))
    return gettext("net by quarter: %(nets)s MWh") % {"nets": words}


def phase_names() -> dict[Phase, str]:
    """Each phase in one word, which has no space in it."""
    return {Phase.BORDERS: gettext("borders"), Phase.AREAS: gettext("areas"), Phase.AREA: gettext("area")}
