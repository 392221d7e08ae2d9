"""Our average, the market's, and over market: as tables by product, month and year, and as a curve over the days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.dateformat import format as format_date
from django.utils.translation import gettext

from dashboard.figures.earnings.against_market import AgainstMarket, MarketComparison
from dashboard.figures.history import DayRange
from dashboard.render import formatting as fmt
from dashboard.render.bar_chart import HEIGHT, WIDTH, Bar, Chart, Point, bar_chart
from dashboard.render.cells import Cell, energy_cell, plain_cell, signed_cell
from dashboard.render.earnings.selection import product_title
from market.totals import EXACT, ZERO


@dataclass(frozen=True, slots=True)
class MarketLine:
    """A part of the range against the market."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class MarketTable:
    """Lines of one kind. `key` names it in the page."""

    key: str
    title: str
    lines: tuple[MarketLine, ...]


def market_tables(found: MarketComparison) -> list[MarketTable]:
    """By product, month and year; nothing without a reference."""
    if not found.days:
        return []
    products = ((product_title(product), part) for product, part in reversed(found.products))
    months = ((format_date(month, "F Y"), part) for month, part in found.months)
    years = ((str(year), part) for year, part in found.years)
    return [
        MarketTable("product", gettext("Product"), _lines(products)),
        MarketTable("month", gettext("Month"), _lines(months)),
        MarketTable("year", gettext("Year"), _lines(years)),
        MarketTable("all", gettext("All"), _lines([(gettext("All"), found.total)])),
    ]


def _lines(parts: Iterable[tuple[str, AgainstMarket]]) -> tuple[MarketLine, ...]:
    return tuple(MarketLine(name, _cells(part)) for name, part in parts)


def _cells(part: AgainstMarket) -> tuple[Cell, ...]:
    sold, bought = part.sold, part.bought
    return (
        energy_cell("sold_mwh", fmt.quantity(sold.energy), sold.energy),
        plain_cell("average_sell_price", sold.ours),
        plain_cell("market_sell_price", sold.market),
        energy_cell("bought_mwh", fmt.quantity(bought.energy), bought.energy),
        plain_cell("average_buy_price", bought.ours),
        plain_cell("market_buy_price", bought.market),
        signed_cell("performance", part.over_per_mwh),
        signed_cell("performance_eur", part.over),
    )


@dataclass(frozen=True, slots=True)
class Curve:
    """What was made over the market up to and with each day: the points of an SVG's line, its scale and names."""

    points: str
    chart: Chart
    scale: tuple[tuple[str, str], ...]
    title: str
    width: int = WIDTH
    height: int = HEIGHT


def cumulative_curve(found: MarketComparison, days: DayRange, currency: str) -> Curve | None:
    """Of every day of the range; None without a reference."""
    chart = bar_chart(list(_so_far(found, days))) if found.days else None
    if chart is None:
        return None
    points = " ".join(f"{_middle(bar)},{_end(bar)}" for bar in chart.bars)
    scale = tuple((line.y, fmt.round_number(line.value)) for line in chart.lines)
    title = gettext("Over market, added up: %(amount)s %(currency)s") % {
        "amount": fmt.number(found.total.over, signed=True),
        "currency": fmt.currency_sign(currency),
    }
    return Curve(points, chart, scale, title)


def _so_far(found: MarketComparison, days: DayRange) -> Iterable[Point]:
    made: dict[date, Decimal | None] = {day: part.over for day, part in found.days}
    total = ZERO
    for number in range(days.days):
        day = days.first + timedelta(days=number)
        total = EXACT.add(total, made.get(day) or ZERO)
        yield Point(fmt.short_day(day), "", total)


def _middle(bar: Bar) -> Decimal:
    return Decimal(bar.x) + Decimal(bar.width) / 2


def _end(bar: Bar) -> Decimal:
    """Where the value is: above zero a bar's top, below zero its foot."""
    if bar.trend == "even":
        return Decimal(bar.y) + Decimal(bar.height) / 2
    return Decimal(bar.y) + (Decimal(bar.height) if bar.trend == "bad" else 0)
