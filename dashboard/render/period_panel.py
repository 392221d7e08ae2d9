"""An opened row as HTML: how its figure adds up, its trades newest first, the reference's path, and the chart's place.

The panel is one element of its own behind the row's, so that news for the row leaves it alone; the page's script
fetches it again when its row has changed (static/js/opened.js).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from dashboard.figures.board import PeriodState
from dashboard.figures.firmness.rules import Firmness
from dashboard.figures.opened.closing import Closing
from dashboard.figures.opened.inside import inside
from dashboard.figures.past import Basis, Past
from dashboard.figures.performance import Figures
from dashboard.figures.period import JudgedTrade, OpenedPeriod
from dashboard.figures.readings import Reading
from dashboard.render import formatting as fmt
from dashboard.render.addresses import at_moment
from dashboard.render.board import row_id
from dashboard.render.cells import Cell, restated_title
from dashboard.render.panel.closing import RefusedClosing, closing_form
from dashboard.render.panel.inside import lines_of
from dashboard.render.rows.clocks import about
from dashboard.render.rows.firm import firm_lines
from dashboard.render.rows.flags import SHORT_FLAGS
from market.models import Market
from market.totals import EXACT
from prices.queries import PricePoint
from trades.models import TradeFlag

CHART, TRADES, PATH = "chart", "trades", "prices"
SECTIONS = (CHART, TRADES, PATH)
MOST_STEPS = 300
"""Steps of the reference in its table: two days' publications."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a panel's links lead: the opened row's own path, the board's, and the market where it has to be named."""

    row: str
    board: str
    chart: str
    market: str | None
    reading: Reading
    live: str
    """The board's own as it is now."""
    past: Past | None = None

    def of(self, show: str, page: int = 1) -> str:
        """The opened row with this section and page of its trades."""
        query = urlencode(self.asked(show, page))
        return f"{self.row}?{query}" if query else self.row

    def asked(self, show: str, page: int = 1) -> dict[str, str]:
        """What the opened row with this section and page is asked with."""
        asked = {
            **self._asked,
            "show": show if show != CHART else None,
            "page": str(page) if page > 1 else None,
        }
        return {name: value for name, value in asked.items() if value}

    def export(self, form: str) -> str:
        """All of the period's trades as a file."""
        query = urlencode({name: value for name, value in self._asked.items() if value})
        return f"{self.row}trades.{form}{'?' if query else ''}{query}"

    @property
    def _asked(self) -> dict[str, str | None]:
        """What every address of the row is asked with."""
        past = self.past
        return {
            "market": self.market,
            "by": None if self.reading is Reading.PRODUCT else self.reading.value,
            "as_of": fmt.utc(past.moment) if past else None,
            "basis": past.basis.value if past and past.basis is not Basis.KNOWN else None,
        }

    def at(self, moment: datetime) -> str:
        """The board as it was known at a moment (UTC)."""
        return at_moment(self.live, Past(moment))


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to know about a trade: a word, and all of it for those who ask."""

    word: str
    all: str


@dataclass(frozen=True, slots=True)
class TradeLine:
    """One trade of the table, ready to be shown."""

    exchange_id: str
    utc: str
    time: str
    day: str
    side: str
    side_name: str
    cells: tuple[Cell, ...]
    marks: tuple[Mark, ...]
    counts: bool
    then: str
    """The board as it was known when the trade came."""
    product: str
    """The trade's own product, and how much of it the row has."""


@dataclass(frozen=True, slots=True)
class StepLine:
    """One published value of the reference, ready to be shown."""

    published: str
    arrived: str
    value: str
    change: Cell


def render_opened(
    opened: OpenedPeriod,
    addresses: Addresses,
    show: str,
    *,
    whole: bool,
    assumed: Sequence[object] = (),
    closing: Closing | RefusedClosing | None = None,
    firm: Firmness | None = None,
) -> str:
    """The panel; `whole` with all its sections, for a page without script, else with what is shown: with the chart
    come the trades, as a wide page has room for both."""
    row, zone = opened.row, opened.board.market.people_zone(opened.board.delivery_day)
    held = lines_of(inside(opened.board, row))
    sections = SECTIONS if whole else (CHART, TRADES) if show == CHART else (show,)
    context = {
        "row": row,
        "of": row_id(row),
        "title": fmt.period_title(row.delivery_hour),
        "reading": {Reading.HOUR: _("by hour"), Reading.QUARTER: _("by quarter hour")}.get(opened.board.reading, ""),
        "currency": fmt.currency_sign(opened.board.currency),
        "sum": _sum(row.figures),
        "restated": restated_title(row.reference, zone),
        "show": show,
        "tabs": _tabs(opened, addresses, show),
        **_leads(addresses),
        "about": about(row, opened.board.market, opened.board.delivery_day, by_quarter=not held),
        "inside": held,
        "closing": closing_form(opened.row, addresses.asked(show), closing),
        "assumed": assumed,
        "firm": firm_lines(firm, fmt.currency_sign(opened.board.currency)) if firm else "",
        "gate": fmt.utc(row.gate_closes_at),
        "settled": row.state == PeriodState.CLOSED,
        "trades": [_line(trade, zone, opened, addresses) for trade in opened.trades] if TRADES in sections else None,
        "pages": _pages(opened, addresses),
        "steps": _steps(opened.path, zone) if PATH in sections else None,
    }
    return render_to_string("dashboard/opened.html", context)


def _leads(addresses: Addresses) -> dict[str, object]:
    """Where the panel's links and its script lead."""
    return {
        "exports": [
            (addresses.export("xlsx"), "XLSX", _("XLSX for spreadsheets")),
            (addresses.export("sheet.csv"), _("CSV (sheet)"), _("CSV for spreadsheets")),
            (addresses.export("csv"), "CSV", _("CSV for programs")),
        ],
        "close": addresses.board,
        "past": addresses.past,
        "chart": addresses.chart,
        "row_address": addresses.row,
    }


def _tabs(opened: OpenedPeriod, addresses: Addresses, show: str) -> list[tuple[str, str, bool]]:
    trades, prices = fmt.count(opened.state.trades), fmt.count(len(opened.path))
    names = (_("Chart"), f"{_('Trades')} ({trades})", f"{_('Reference')} ({prices})")
    return [(addresses.of(name), text, name == show) for name, text in zip(SECTIONS, names, strict=True)]


def _pages(opened: OpenedPeriod, addresses: Addresses) -> dict[str, str]:
    """Where newer and older trades are, and which page this is; nothing when all fit one."""
    page, last = opened.page, opened.pages
    if last == 1:
        return {}
    return {
        "newer": addresses.of(TRADES, page - 1) if page > 1 else "",
        "older": addresses.of(TRADES, page + 1) if page < last else "",
        "text": _("page %(page)s of %(last)s") % {"page": fmt.count(page), "last": fmt.count(last)},
    }


# --- how the figure adds up ---------------------------------------------------------------------------------------


def _sum(figures: Figures) -> dict[str, Cell]:
    """The figures of the one line, by their names; `net_value` is the net position x the reference in EUR."""
    return {
        "sold": _cell("sold_mwh", figures.sold.energy),
        "sell": _cell("average_sell_price", figures.sold.average_price),
        "bought": _cell("bought_mwh", figures.bought.energy),
        "buy": _cell("average_buy_price", figures.bought.average_price),
        "cash": _cell("cash", figures.cash if figures.trade_count else None, signed=True),
        "net": _cell("net_mwh", figures.net_mwh if figures.trade_count else None, signed=True),
        "reference": _cell("reference_price", figures.reference_price),
        "value": _cell("net_value", net_value(figures), signed=True),
        "result": _cell("performance_eur", figures.performance_eur, signed=True),
    }


def net_value(figures: Figures) -> Decimal | None:
    """Net position (MWh) x reference, in EUR: what cash and result differ by. None while the result is undefined."""
    if figures.performance_eur is None or figures.reference_price is None:
        return None
    with localcontext(EXACT):
        return figures.net_mwh * figures.reference_price


def _cell(field: str, value: Decimal | None, *, signed: bool = False) -> Cell:
    trend = fmt.trend(value) if signed else fmt.Trend.NONE
    return Cell(field, fmt.number(value, signed=signed), fmt.plain(value) or "", trend)


# --- the tables ---------------------------------------------------------------------------------------------------


def _line(judged: JudgedTrade, zone: ZoneInfo, opened: OpenedPeriod, addresses: Addresses) -> TradeLine:
    trade = judged.trade
    local = fmt.on_clock(trade.execution_time, zone)
    cells = (
        _cell("quantity", trade.quantity),
        _cell("energy", judged.energy),
        _cell("price", trade.price),
        _cell("against_now", judged.against_now if trade.counts else None, signed=True),
        _cell("against_then", judged.against_then if trade.counts else None, signed=True),
    )
    return TradeLine(
        exchange_id=trade.exchange_id,
        utc=fmt.utc(trade.execution_time),
        time=f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}",
        day="" if local.date() == opened.board.delivery_day else f"{local:%d.%m.}",
        side=trade.direction,
        side_name=_("sold") if trade.direction == "sell" else _("bought"),
        cells=cells,
        marks=_marks(judged),
        counts=trade.counts,
        then=addresses.at(trade.received_at),
        product=_product(judged, opened.board.market),
    )


def _product(judged: JudgedTrade, market: Market) -> str:
    label = fmt.period_title(market.label_of(judged.trade.period))
    pattern = _("all of %(product)s") if judged.parts == 1 else _("1/%(parts)s of %(product)s")
    return pattern % {"parts": judged.parts, "product": label}


def _marks(judged: JudgedTrade) -> tuple[Mark, ...]:
    trade = judged.trade
    marks = [Mark(str(SHORT_FLAGS[flag]), str(flag.label)) for flag in map(_flag, trade.flags) if flag]
    if trade.change:
        words = {"corrected": _("corrected"), "cancelled": _("cancelled")}
        marks.insert(0, Mark(words[trade.change], trade.reason))
    return tuple(marks)


def _flag(name: str) -> TradeFlag | None:
    return TradeFlag(name) if name in TradeFlag.values else None


def _steps(path: Sequence[PricePoint], zone: ZoneInfo) -> list[StepLine]:
    """The newest step first, each with what it changed by."""
    before = [None, *(point.value for point in path)]
    steps = [_step(point, earlier, zone) for point, earlier in zip(path, before, strict=False)]
    return steps[::-1][:MOST_STEPS]


def _step(point: PricePoint, earlier: Decimal | None, zone: ZoneInfo) -> StepLine:
    change = None if earlier is None else point.value - earlier
    return StepLine(
        published=_moment(point.last_update, zone),
        arrived=_moment(point.arrived_at, zone),
        value=fmt.number(point.value),
        change=Cell("change", fmt.number(change, signed=True), fmt.plain(change) or ""),
    )


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%d.%m. %H:%M:%S}"
