"""The desk's view as HTML, part by part, like a board (dashboard/render/board.py): one text for all who watch it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.utils.translation import get_language, gettext

from dashboard.figures.board import BoardRow
from dashboard.figures.desk import Desk
from dashboard.figures.feed_status import FeedStates
from dashboard.figures.firmness.outlook import NO_OUTLOOK, Outlook
from dashboard.figures.markets import MarketTotal
from dashboard.figures.performance import Figures
from dashboard.render import formatting as fmt
from dashboard.render.addresses import at_moment, board_address, in_reading, period_address
from dashboard.render.board import note_on, row_id, summary
from dashboard.render.cells import Cell, energy_cell, quiet_cells, signed_cell
from dashboard.render.feed_status import FEED_STATES, render_feed_states
from dashboard.render.jinja import render_part
from dashboard.render.rows.clocks import Clocks, clocks_of, gate_cell, local_title
from dashboard.render.rows.firm import percent
from dashboard.render.rows.folds import Place, places
from dashboard.render.rows.markets import render_markets
from dashboard.render.sparklines import profile_of
from market.periods import DeliveryPeriod


@dataclass(frozen=True, slots=True)
class DeskCell:
    """One trader (or the desk) in one period: the result, and the net position beneath it."""

    key: str
    result: Cell
    net: Cell
    mark: str = ""
    """ "best", "worst" or nothing."""
    address: str = ""
    """Of the trader's opened row, if it has trades."""


def render_desk(
    desk: Desk, feeds: FeedStates, *, markets: Sequence[MarketTotal] = (), outlook: Outlook = NO_OUTLOOK
) -> dict[str, str]:
    """Element id to that element's whole HTML. `markets`: all of them, where there are several; addresses name the
    market then."""
    language = get_language() or settings.LANGUAGE_CODE
    clocks, addresses = clocks_of(desk.whole.market, desk.whole.delivery_day), _addresses(desk, bool(markets))
    places_of = places(desk.whole.rows, fmt.currency_sign(desk.whole.currency))
    best, worst = desk.best_and_worst_period()
    traded = [{row.period: row.figures for row in board.rows if row.figures.trade_count} for board in desk.boards]
    rows = {}
    for row, place in zip(desk.whole.rows, places_of, strict=True):
        mark = "best" if row.period == best else "worst" if row.period == worst else ""
        cells = _cells(desk, row, addresses, traded)
        rows[row_id(row)] = _row(row, tuple(cells), mark, place, clocks, language)
    return {
        FEED_STATES: render_feed_states(feeds),
        "summary": summary(desk.whole, _note(desk), more=_firm(desk, outlook)),
        **_markets(desk, markets),
        "traders": _traders(desk, addresses),
        "heads": render_part("desk_heads", {"traders": list(zip(desk.boards, addresses, strict=True))}),
        **rows,
        "total": _total(desk),
    }


def _markets(desk: Desk, markets: Sequence[MarketTotal]) -> dict[str, str]:
    whole = desk.whole
    return {"markets": render_markets(markets, whole.market, whole.delivery_day)} if markets else {}


def _firm(desk: Desk, outlook: Outlook) -> list[tuple[str, Cell]]:
    """How much of the day's EUR, gains and losses alike, is firm, locked in or final."""
    share = outlook.sure_share(desk.whole.rows)
    if share is None:
        return []
    return [(gettext("Of which firm"), Cell("firm_share", percent(share), fmt.plain(share) or ""))]


def _addresses(desk: Desk, named: bool) -> list[str]:
    market = desk.whole.market if named else None
    past = desk.whole.past
    return [at_moment(board_address(b.trader.trader_id, b.delivery_day, market), past) for b in desk.boards]


def _note(desk: Desk) -> str:
    off = desk.most_off_by_rounding()
    currency = fmt.currency_sign(desk.whole.currency)
    values = {"amount": f"{fmt.number(off)} {currency}"}
    rounding = (
        gettext("Totals are exact sums, rounded once: adding up rounded figures differs by up to %(amount)s.") % values
    )
    return " ".join(part for part in (note_on(desk.whole), rounding if off else "") if part)


_Traded = dict[DeliveryPeriod, Figures]
"""A trader's figures of each period with a trade in it."""


def _cells(desk: Desk, whole: BoardRow, addresses: Sequence[str], traded: Sequence[_Traded]) -> list[DeskCell]:
    """A cell a trader, the best and the worst of them marked."""
    figures = [of_trader.get(whole.period) for of_trader in traded]
    known = [f.performance_eur for f in figures if f is not None and f.performance_eur is not None]
    best, worst = (max(known), min(known)) if len(set(known)) > 1 else (None, None)
    cells = []
    for board, cell_figures, address in zip(desk.boards, figures, addresses, strict=True):
        result = cell_figures.performance_eur if cell_figures else None
        mark = "" if result is None else "best" if result == best else "worst" if result == worst else ""
        opened = period_address(in_reading(address, desk.whole.reading), whole.delivery_hour)
        cells.append(_cell(f"{row_id(whole)}-{board.trader.pk}", cell_figures, mark, opened))
    return cells


def _cell(key: str, figures: Figures | None, mark: str = "", address: str = "") -> DeskCell:
    if figures is None or not figures.trade_count:
        return DeskCell(key, Cell("performance_eur", fmt.UNDEFINED, ""), Cell("net_mwh", "", ""))
    net = energy_cell("net_mwh", fmt.number(figures.net_mwh, signed=True), figures.net_mwh)
    return DeskCell(key, signed_cell("performance_eur", figures.performance_eur), net, mark, address)


@lru_cache(maxsize=4096)
def _row(row: BoardRow, cells: tuple[DeskCell, ...], mark: str, place: Place, clocks: Clocks, _language: str) -> str:
    """One period of all traders. Remembered per language, as a board's are."""
    context = {
        "id": row_id(row),
        "row": row,
        "place": place,
        "profile": profile_of(row.quarters),
        "columns": len(cells) + 4,
        "title": fmt.period_title(row.delivery_hour),
        "local": local_title(row, clocks),
        "minutes": int(row.period.duration.total_seconds()) // 60,
        "starts": fmt.utc(row.period.start),
        "cells": cells,
        "whole": _cell(f"{row_id(row)}-desk", row.figures, mark),
        "performance": signed_cell("performance", row.figures.performance),
        "gate": gate_cell(row, clocks),
    }
    return render_part("desk_period", context)


def _traders(desk: Desk, addresses: Sequence[str]) -> str:
    best, worst = desk.best_and_worst()
    lines = [
        {
            "trader": board.trader,
            "address": address,
            "mark": "best" if board is best else "worst" if board is worst else "",
            "performance": signed_cell("performance", board.total.performance),
            "cells": quiet_cells(board.total),
        }
        for board, address in zip(desk.boards, addresses, strict=True)
    ]
    total = desk.whole.total
    context = {
        "lines": lines,
        "total": {"performance": signed_cell("performance", total.performance), "cells": quiet_cells(total)},
        "currency": fmt.currency_sign(desk.whole.currency),
    }
    return render_part("desk_traders", context)


def _total(desk: Desk) -> str:
    context = {
        "cells": [_cell(f"total-{board.trader.pk}", board.total) for board in desk.boards],
        "whole": _cell("total-desk", desk.whole.total),
        "performance": signed_cell("performance", desk.whole.total.performance),
    }
    return render_part("desk_total", context)
