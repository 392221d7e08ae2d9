"""A history in words, tables and charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from dashboard.figures.history import DayRange, History, Slice
from dashboard.figures.performance import Figures
from dashboard.figures.readings import Reading
from dashboard.render import formatting as fmt
from dashboard.render.addresses import board_address, desk_address
from dashboard.render.bar_chart import HEIGHT, WIDTH, Chart, Point, bar_chart
from dashboard.render.board import stand_in_note
from dashboard.render.cells import Cell, energy_cell, restated_moment, signed_cell
from market import clock
from market.models import Market
from market.queries import clock_zone
from trades.models import Trader


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for; `named`: the market, where there are several to tell apart."""

    market: Market
    named: Market | None
    trader: Trader | None
    days: DayRange
    reading: Reading = Reading.PRODUCT
    by: str = ""
    """The reading as the address names it; nothing where it is the user's choice."""

    def query(self, days: DayRange | None = None) -> dict[str, str]:
        """What an address of the same asks with, perhaps over other days; the market apart."""
        shown = days or self.days
        trader = self.trader.trader_id if self.trader else ""
        return {"trader": trader, "from": shown.first.isoformat(), "to": shown.last.isoformat()}

    def address(self, days: DayRange | None = None) -> str:
        """The address of the same, perhaps over other days."""
        query = {**self.query(days), "market": self.named.code if self.named else "", "by": self.by}
        return f"{reverse('history')}?{urlencode({name: value for name, value in query.items() if value})}"


@dataclass(frozen=True, slots=True)
class Line:
    """A table's row. `address`: where the name leads, if anywhere."""

    name: str
    cells: tuple[Cell, ...]
    address: str = ""
    is_bot: bool = False
    restated: str = ""
    """What final prices behind it changed afterwards, in words."""


@dataclass(frozen=True, slots=True)
class Section:
    """One way to look at the range: a chart and its table."""

    key: str
    title: str
    heading: str
    chart: Chart | None
    scale: tuple[tuple[str, str], ...]
    """Of each line of the chart: where it is, and its figure."""
    lines: tuple[Line, ...]
    is_open: bool


def history_body(asked: Asked, loaded: History) -> dict[str, object]:
    days = ngettext("%(count)s day", "%(count)s days", asked.days.days) % {"count": fmt.count(asked.days.days)}
    return {
        "range_title": f"{fmt.day_title(asked.days.first)} {fmt.EN_DASH} {fmt.day_title(asked.days.last)}",
        "length": days,
        "currency": fmt.currency_sign(loaded.currency),
        "result": signed_cell("performance_eur", loaded.total.figures.performance_eur),
        "performance": signed_cell("performance", loaded.total.figures.performance),
        "note": _note(loaded),
        "total": Line(gettext("Total"), _cells(loaded.total)),
        "sections": _sections(asked, loaded),
        "unpriced": bool(loaded.total.unpriced),
        "chart_width": WIDTH,
        "chart_height": HEIGHT,
        "as_of": fmt.clock(clock.now(), clock_zone(asked.market)),
    }


def _note(loaded: History) -> str:
    if not loaded.total.figures.trade_count:
        return gettext("No trades in these days.")
    return " ".join(filter(None, [_unpriced(loaded), stand_in_note(loaded.total.stand_in)]))


def _unpriced(loaded: History) -> str:
    if not loaded.total.unpriced:
        return ""
    values = {"amount": fmt.number(loaded.total.unpriced)}
    return gettext("%(amount)s MWh were traded without a reference price and are in no result.") % values


def _sections(asked: Asked, loaded: History) -> list[Section]:
    if not loaded.total.figures.trade_count:
        return []
    sections = [
        _section("side", gettext("By side"), gettext("Side"), [], _sides(loaded.total), is_open=True),
        _section(
            "day", gettext("By day"), gettext("Delivery day"), _day_points(loaded), _days(asked, loaded), is_open=False
        ),
        _section(
            "hour", gettext("By hour of the day"), gettext("Hour"), _hour_points(loaded), _hours(loaded), is_open=True
        ),
    ]
    if loaded.traders:
        sections.append(
            _section("trader", gettext("By trader"), gettext("Trader"), [], _traders(asked, loaded), is_open=True)
        )
    return sections


def _section(
    key: str, title: str, heading: str, points: Sequence[Point], lines: Iterable[Line], *, is_open: bool
) -> Section:
    chart = bar_chart(points)
    scale = tuple((line.y, fmt.round_number(line.value)) for line in chart.lines) if chart else ()
    rows = tuple(lines)
    return Section(key, title, heading, chart, scale, rows, is_open or len(rows) <= 31)


def _day_points(loaded: History) -> list[Point]:
    traded = dict(loaded.days)
    days = [loaded.range.first + timedelta(days=n) for n in range(loaded.range.days)]
    return [_point(fmt.short_day(day), fmt.day_title(day), traded.get(day), loaded.currency) for day in days]


def _hour_points(loaded: History) -> list[Point]:
    traded = dict(loaded.hours)
    return [_point(f"{hour:02d}", hour_title(hour), traded.get(hour), loaded.currency) for hour in range(24)]


def _point(name: str, title: str, part: Slice | None, currency: str) -> Point:
    result = part.figures.performance_eur if part else None
    sign = f" {fmt.currency_sign(currency)}" if result is not None else ""
    return Point(name, f"{title}: {fmt.number(result, signed=True)}{sign}", result, traded=part is not None)


def hour_title(hour: int) -> str:
    """An hour of the day by the market's clock: "08–09"."""
    return fmt.period_title(f"{hour:02d}-{hour + 1:02d}")


def _days(asked: Asked, loaded: History) -> Iterable[Line]:
    for day, part in loaded.days:
        trader = asked.trader
        leads_to = board_address(trader.trader_id, day, asked.named) if trader else desk_address(day, asked.named)
        yield Line(fmt.day_title(day), _cells(part), leads_to, restated=_restated(loaded, day))


def _restated(loaded: History, day: date) -> str:
    count, at = loaded.restated.get(day, (0, None))
    if at is None:
        return ""
    moment = restated_moment(at, clock_zone(loaded.market))
    words = ngettext(
        "restated: %(count)s final price changed, the last one on %(moment)s",
        "restated: %(count)s final prices changed, the last one on %(moment)s",
        count,
    )
    return words % {"count": fmt.count(count), "moment": moment}


def _hours(loaded: History) -> Iterable[Line]:
    return (Line(hour_title(hour), _cells(part)) for hour, part in loaded.hours)


def _traders(asked: Asked, loaded: History) -> Iterable[Line]:
    for trader, part in loaded.traders:
        of_trader = replace(asked, trader=trader)
        yield Line(str(trader), _cells(part), of_trader.address(), trader.is_bot)


def _sides(total: Slice) -> Iterable[Line]:
    yield Line(gettext("sold"), _cells(Slice(sold=total.sold)))
    yield Line(gettext("bought"), _cells(Slice(bought=total.bought)))


def _cells(part: Slice) -> tuple[Cell, ...]:
    figures = part.figures
    return (
        signed_cell("performance_eur", figures.performance_eur),
        signed_cell("performance", figures.performance),
        signed_cell("sold_eur", part.sold.result),
        signed_cell("bought_eur", part.bought.result),
        energy_cell("sold_mwh", fmt.quantity(figures.sold.energy), figures.sold.energy),
        energy_cell("bought_mwh", fmt.quantity(figures.bought.energy), figures.bought.energy),
        energy_cell("net_mwh", _net(figures), figures.net_mwh),
        Cell("trade_count", fmt.count(figures.trade_count), str(figures.trade_count)),
        energy_cell("unpriced_mwh", fmt.quantity(part.unpriced), part.unpriced),
    )


def _net(figures: Figures) -> str:
    return fmt.number(figures.net_mwh, signed=True) if figures.trade_count else fmt.UNDEFINED
