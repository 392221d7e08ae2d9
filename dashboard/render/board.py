"""A board as HTML, part by part: what a page shows first and what its websocket sends later are the same text.

Every part is one element with an id. Only what is in the parts changes while a page is open. Elements with `data-own`
inside a part belong to the page (static/js/live.js): they are never written over. Nothing here depends on the
passing of time except through the board and the feeds, so an unchanged board renders to the same text in a language.
Everything is in the active language: who renders for others activates theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from functools import lru_cache
from zlib import crc32

from django.conf import settings
from django.utils.translation import get_language, gettext, ngettext, pgettext

from dashboard.figures.board import Board, BoardRow, PeriodState
from dashboard.figures.feed_status import FeedStates
from dashboard.figures.firmness.outlook import NO_OUTLOOK, Outlook
from dashboard.figures.timeline import Timeline
from dashboard.render import formatting as fmt
from dashboard.render.addresses import in_reading, period_address
from dashboard.render.cells import Cell, leg_cells, plain_cell, quiet_cells, restated_title, signed_cell
from dashboard.render.feed_status import FEED_STATES, render_feed_states
from dashboard.render.jinja import render_part
from dashboard.render.rows.clocks import Clocks, clocks_of, gate_cell, local_title, opens_title
from dashboard.render.rows.firm import firm_mark
from dashboard.render.rows.folds import Place, places
from dashboard.render.sparklines import profile_of, shape_of, spark
from market.periods import DeliveryPeriod
from market.rules import ReferenceSource, product_of
from prices.publications import PublicationClock
from prices.rhythms import interval_of

NO_TIMELINE = Timeline(0)


def render_parts(
    board: Board,
    feeds: FeedStates,
    address: str = "",
    timeline: Timeline = NO_TIMELINE,
    outlook: Outlook = NO_OUTLOOK,
) -> dict[str, str]:
    """Element id to that element's whole HTML, for all that can change. `address` is the board's own path."""
    sign, clocks = fmt.currency_sign(board.currency), clocks_of(board.market, board.delivery_day)
    language, address = get_language() or settings.LANGUAGE_CODE, in_reading(address, board.reading)
    rhythm = PublicationClock(interval_of(board.market))
    rows = {
        row_id(row): _row(
            row, place, clocks, language, address, timeline, outlook, rhythm=rhythm, unanswered=_has_none(row, feeds)
        )
        for row, place in zip(board.rows, places(board.rows, sign), strict=True)
    }
    return {
        FEED_STATES: render_feed_states(feeds),
        "summary": summary(board, note_on(board), timeline),
        **rows,
        "total": _total(board),
    }


def page_version(board: Board, parts: dict[str, str]) -> str:
    """Names this content: the figures' version, which only grows, and a digest of all parts but the feeds' states."""
    digests = (_digest(html) for name, html in parts.items() if name != FEED_STATES)
    return f"{board.version}-{crc32(''.join(digests).encode()):08x}"


@lru_cache(maxsize=16_384)
def _digest(html: str) -> str:
    """Of a part: most are as they were, the very same text."""
    return f"{crc32(html.encode()):08x}"


def row_id(row: BoardRow) -> str:
    """The element id of a period: its start in UTC and its length, for example p-20261123T1100Z-60."""
    return period_id(row.period)


@lru_cache(maxsize=1024)
def period_id(period: DeliveryPeriod) -> str:
    """The same, of a period that may have no row."""
    minutes = int(period.duration.total_seconds()) // 60
    return f"p-{period.start.astimezone(UTC):%Y%m%dT%H%MZ}-{minutes}"


# --- periods ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def _row(
    row: BoardRow,
    place: Place,
    clocks: Clocks,
    _language: str,
    address: str,
    timeline: Timeline,
    outlook: Outlook,
    *,
    rhythm: PublicationClock,
    unanswered: bool,
) -> str:
    """One period. Remembered per language, because most rows of a board that changed are as they were."""
    figures = row.figures
    context = {
        "id": row_id(row),
        "address": period_address(address, row.delivery_hour),
        "row": row,
        "place": place,
        "profile": profile_of(row.quarters),
        "title": fmt.period_title(row.delivery_hour),
        "local": local_title(row, clocks),
        "minutes": int(row.period.duration.total_seconds()) // 60,
        "starts": fmt.utc(row.period.start),
        "average": plain_cell("average_price", figures.average_price),
        "legs": leg_cells(figures),
        "reference": plain_cell("reference_price", figures.reference_price),
        "break_even": None if row.state == PeriodState.CLOSED else plain_cell("break_even", figures.break_even),
        "restated": restated_title(row.reference, clocks.zone),
        "reference_note": _reference_note(row, clocks, rhythm, unanswered=unanswered),
        "performance": signed_cell("performance", figures.performance),
        "firm": None if row.state == PeriodState.CLOSED else firm_mark(outlook.of(row), figures),
        "cells": quiet_cells(figures),
        "spark": spark(timeline.of(row)),
        "gate": gate_cell(row, clocks),
    }
    return render_part("period", context)


@dataclass(frozen=True, slots=True)
class ReferenceNote:
    """What stands beside a reference price; the page's script shows age and state by the moments (UTC, ISO 8601).

    The next publication is expected at `due`; from `final` on, the price can't change any more.
    """

    text: str
    state: str
    updated: str = ""
    due: str = ""
    final: str = ""


def _has_none(row: BoardRow, feeds: FeedStates) -> bool:
    """Whether the provider has no prices of the row's product at all."""
    return row.reference is None and product_of(row.period) in feeds.unanswered_products


def _reference_note(row: BoardRow, clocks: Clocks, rhythm: PublicationClock, *, unanswered: bool) -> ReferenceNote:
    if row.is_unclear:
        return ReferenceNote(gettext("the provider does not say which of the two"), "undefined")
    if row.source is ReferenceSource.NONE:
        return ReferenceNote(gettext("has no reference"), "undefined")
    if unanswered:
        return ReferenceNote(gettext("the provider has none"), "undefined")
    if row.reference is None:
        none_yet = opens_title(row, clocks) or pgettext("price", "none yet")
        return ReferenceNote(none_yet if row.state != PeriodState.CLOSED else pgettext("price", "none"), "undefined")
    updated, gate = row.reference.last_update, row.gate_closes_at
    settled = row.state == PeriodState.CLOSED and row.is_final
    covering = rhythm.next_slot(gate.timestamp()) + 3 * rhythm.late_window  # by then the last one must be out
    return ReferenceNote(
        text=gettext("final") if settled else fmt.clock(updated, clocks.zone),
        state="final" if settled else "",
        updated=fmt.utc(updated),
        due=fmt.posix_utc(rhythm.next_publication(updated.timestamp(), updated.timestamp())),
        final=fmt.utc(gate) if row.is_final else fmt.posix_utc(covering),
    )


def _total(board: Board) -> str:
    figures = board.total
    context = {
        "average": plain_cell("average_price", figures.average_price),
        "legs": leg_cells(figures),
        "performance": signed_cell("performance", figures.performance),
        "cells": quiet_cells(figures),
    }
    return render_part("total", context)


# --- the day's answer -------------------------------------------------------------------------------------------


def summary(board: Board, note: str, timeline: Timeline = NO_TIMELINE, more: Sequence[tuple[str, Cell]] = ()) -> str:
    """The day's answer in the largest type, with `more` figures beside it, and what has to be said about it."""
    figures = board.total
    currency = fmt.currency_sign(board.currency)
    result = signed_cell("performance_eur", figures.performance_eur)
    context = {
        "result": result,
        "performance": signed_cell("performance", figures.performance),
        "cells": [*zip(_names(), quiet_cells(figures)[1:], strict=True), *more],
        "currency": currency,
        "title": f"{result.text} {currency}" if figures.performance_eur is not None else "",
        "settled": board.is_settled,
        "note": note,
        "shape": shape_of(board, timeline),
    }
    return render_part("summary", context)


def _names() -> tuple[str, ...]:
    return gettext("Sold"), gettext("Bought"), gettext("Net"), gettext("Trades")


def note_on(board: Board) -> str:
    """What has to be said about the result: nothing, most of the time."""
    if not board.total.trade_count:
        return gettext("No trades on this day.") if board.is_settled else gettext("No trades for this day yet.")
    return " ".join(filter(None, [_unpriced(board), stand_in_note(board.stand_in_mwh)]))


def stand_in_note(energy: Decimal) -> str:
    """How much of a result goes by the hours' prices; nothing when none does."""
    if not energy:
        return ""
    return gettext("%(amount)s MWh of shorter periods go by their hour's price.") % {"amount": fmt.number(energy)}


def _unpriced(board: Board) -> str:
    if not board.unpriced_count:
        return ""
    return ngettext(
        "%(count)s period with trades has no reference price yet and is not in the result.",
        "%(count)s periods with trades have no reference price yet and are not in the result.",
        board.unpriced_count,
    ) % {"count": fmt.count(board.unpriced_count)}


# --- the feeds --------------------------------------------------------------------------------------------------
