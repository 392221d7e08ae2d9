"""A figure as a cell: its text, its exact value for programs, and its trend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from dashboard.figures.performance import Figures
from dashboard.render import formatting as fmt
from prices.queries import KnownPrice


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure: `text` for people, `value` exact for programs (empty while undefined)."""

    field: str
    text: str
    value: str
    trend: fmt.Trend = fmt.Trend.NONE
    unit: str = ""


def restated_title(price: KnownPrice | None, zone: ZoneInfo) -> str:
    """What a final price was before, and since when it is another one; empty unless it was restated."""
    if price is None or price.restated is None:
        return ""
    return gettext("restated: final price %(before)s → %(after)s on %(moment)s") % {
        "before": fmt.number(price.restated.old_value),
        "after": fmt.number(price.value),
        "moment": restated_moment(price.restated.at, zone),
    }


def restated_moment(at: datetime, zone: ZoneInfo) -> str:
    """Day and time of a restatement, for example 2026-11-28 08:01."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def leg_cells(figures: Figures) -> list[Cell]:
    if not figures.is_mixed:
        return []
    return [
        plain_cell("average_sell_price", figures.sold.average_price),
        plain_cell("average_buy_price", figures.bought.average_price),
    ]


def quiet_cells(figures: Figures) -> list[Cell]:
    """What stands after the customer's four columns."""
    sold, bought = figures.sold.energy, figures.bought.energy
    net = fmt.number(figures.net_mwh, signed=True) if figures.trade_count else fmt.UNDEFINED
    return [
        signed_cell("performance_eur", figures.performance_eur),
        energy_cell("sold_mwh", fmt.quantity(sold), sold),
        energy_cell("bought_mwh", fmt.quantity(bought), bought),
        energy_cell("net_mwh", net, figures.net_mwh),
        Cell("trade_count", fmt.count(figures.trade_count), str(figures.trade_count)),
    ]


def energy_cell(field: str, text: str, value: Decimal) -> Cell:
    return Cell(field, text, fmt.plain(value) or "", unit="MWh" if text != fmt.UNDEFINED else "")


def plain_cell(field: str, value: Decimal | None) -> Cell:
    return Cell(field, fmt.number(value), fmt.plain(value) or "")


def signed_cell(field: str, value: Decimal | None) -> Cell:
    return Cell(field, fmt.number(value, signed=True), fmt.plain(value) or "", fmt.trend(value))
