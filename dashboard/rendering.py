"""A board as HTML, part by part: what a page shows first and what its websocket sends later are the same text.

Every part is one element with an id. Only what is in the parts changes while a page is open. Elements with `data-own`
inside a part belong to the page (static/js/live.js): they are never written over. Nothing here depends on the
passing of time except through the board and the feeds, so an unchanged board renders to the same text in a language.
Everything is in the active language: who renders for others activates theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zlib import crc32
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language, gettext, ngettext, pgettext

from dashboard import formatting as fmt
from dashboard.board import Board, BoardRow, PeriodState
from dashboard.course import Course, Points
from dashboard.feeds import MOST_GAPS, FeedStates, Gap
from dashboard.pages import period_address
from dashboard.parts import render_part
from dashboard.performance import Figures
from dashboard.shapes import shape_of, spark
from market.periods import DeliveryPeriod
from prices.publications import Rhythm

FEED_STATES = "feed-states"
_UTC = ZoneInfo("UTC")
NO_COURSE = Course(0)

SHORTEST_FOLD = 3
"""Fewer rows without trades than this in a row stay as they are: a fold would save nothing."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure: `text` for people, `value` exact for programs (empty while undefined)."""

    field: str
    text: str
    value: str
    trend: fmt.Trend = fmt.Trend.NONE
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """A run of periods without trades that is shown as one line, from its first row's part."""

    title: str
    periods: str
    references: str


def render_parts(board: Board, feeds: FeedStates, address: str = "", course: Course = NO_COURSE) -> dict[str, str]:
    """Element id to that element's whole HTML, for all that can change. `address` is the board's own path."""
    sign, zone = fmt.currency_sign(board.market.currency), board.market.time_zone
    lines = folds(board.rows, sign)
    language = get_language() or settings.LANGUAGE_CODE
    rows = {
        row_id(row): _row(row, lines.get(i), i in lines, zone, language, address, course.of(row))
        for i, row in enumerate(board.rows)
    }
    return {
        FEED_STATES: render_feed_states(feeds),
        "summary": summary(board, note_on(board), course),
        **rows,
        "total": _total(board),
    }


def page_version(board: Board, parts: dict[str, str]) -> str:
    """Names this content: the figures' version, which only grows, and a digest of all parts but the feeds' states."""
    digest = crc32("".join(html for name, html in parts.items() if name != FEED_STATES).encode())
    return f"{board.version}-{digest:08x}"


def row_id(row: BoardRow) -> str:
    """The element id of a period: its start in UTC and its length, for example p-20261123T1100Z-60."""
    return _period_id(row.period)


@lru_cache(maxsize=1024)
def _period_id(period: DeliveryPeriod) -> str:
    minutes = int(period.duration.total_seconds()) // 60
    return f"p-{period.start.astimezone(UTC):%Y%m%dT%H%MZ}-{minutes}"


# --- periods ----------------------------------------------------------------------------------------------------


def folds(rows: Sequence[BoardRow], currency: str) -> dict[int, Fold | None]:
    """Index of each folded row to its fold's line on the first row of a run, to None on the rest of it.

    A day without any trade is shown whole, and the next period to close is never folded away.
    """
    if not any(row.figures.trade_count for row in rows):
        return {}
    return {
        index: _fold([rows[i] for i in run], currency) if index == run.start else None
        for run in _quiet_runs(rows)
        for index in run
    }


def _quiet_runs(rows: Sequence[BoardRow]) -> Iterator[range]:
    start = 0
    for index in range(len(rows) + 1):
        if index < len(rows) and not rows[index].figures.trade_count and rows[index].state != PeriodState.NEXT:
            continue
        if index - start >= SHORTEST_FOLD:
            yield range(start, index)
        start = index + 1


def _fold(run: Sequence[BoardRow], currency: str) -> Fold:
    first, last = run[0].delivery_hour, run[-1].delivery_hour
    known = [row.reference.value for row in run if row.reference]
    lowest, highest = fmt.number(min(known, default=None)), fmt.number(max(known, default=None))
    span = gettext("%(lowest)s to %(highest)s") % {"lowest": lowest, "highest": highest}
    values = {"count": fmt.count(len(run)), "span": f"{lowest if lowest == highest else span} {currency}/MWh"}
    return Fold(
        title=f"{first.split('-')[0]}{fmt.EN_DASH}{last.split('-')[1]}",
        periods=ngettext("%(count)s period without trades", "%(count)s periods without trades", len(run)) % values,
        references=gettext("reference %(span)s") % values if known else "",
    )


@lru_cache(maxsize=2048)
def _row(
    row: BoardRow, fold: Fold | None, folded: bool, time_zone: str, _language: str, address: str, points: Points
) -> str:
    """One period. Remembered per language, because most rows of a board that changed are as they were."""
    zone, figures = ZoneInfo(time_zone), row.figures
    context = {
        "id": row_id(row),
        "address": period_address(address, row.delivery_hour),
        "row": row,
        "fold": fold,
        "folded": folded,
        "title": fmt.period_title(row.delivery_hour),
        "minutes": int(row.period.duration.total_seconds()) // 60,
        "starts": fmt.utc(row.period.start),
        "average": _cell("average_price", figures.average_price),
        "legs": _legs(figures),
        "reference": _cell("reference_price", figures.reference_price),
        "reference_note": _reference_note(row, zone),
        "performance": signed_cell("performance", figures.performance),
        "cells": quiet_cells(figures),
        "spark": spark(points),
        "gate_closes": fmt.utc(row.gate_closes_at),
        "gate": gettext("closed") if row.state == PeriodState.CLOSED else fmt.clock(row.gate_closes_at, zone),
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


def _reference_note(row: BoardRow, zone: ZoneInfo) -> ReferenceNote:
    if row.reference is None:
        return ReferenceNote(
            pgettext("price", "none yet") if row.state != PeriodState.CLOSED else pgettext("price", "none"), "undefined"
        )
    updated, gate = row.reference.last_update, row.gate_closes_at
    rhythm = Rhythm(float(settings.MARKET_DATA_UPDATE_INTERVAL))
    settled = row.state == PeriodState.CLOSED and updated >= gate
    covering = rhythm.next_slot(gate.timestamp()) + 3 * rhythm.late_window  # by then the last one must be out
    return ReferenceNote(
        text=gettext("final") if settled else fmt.clock(updated, zone),
        state="final" if settled else "",
        updated=fmt.utc(updated),
        due=_posix_utc(rhythm.next_publication(updated.timestamp(), updated.timestamp())),
        final=fmt.utc(gate) if updated >= gate else _posix_utc(covering),
    )


def _posix_utc(moment: float) -> str:
    return fmt.utc(datetime.fromtimestamp(moment, tz=UTC))


def _total(board: Board) -> str:
    figures = board.total
    context = {
        "average": _cell("average_price", figures.average_price),
        "legs": _legs(figures),
        "performance": signed_cell("performance", figures.performance),
        "cells": quiet_cells(figures),
    }
    return render_part("total", context)


def _legs(figures: Figures) -> list[Cell]:
    if not figures.is_mixed:
        return []
    return [
        _cell("average_sell_price", figures.sold.average_price),
        _cell("average_buy_price", figures.bought.average_price),
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


def _cell(field: str, value: Decimal | None) -> Cell:
    return Cell(field, fmt.number(value), fmt.plain(value) or "")


def signed_cell(field: str, value: Decimal | None) -> Cell:
    return Cell(field, fmt.number(value, signed=True), fmt.plain(value) or "", fmt.trend(value))


# --- the day's answer -------------------------------------------------------------------------------------------


def summary(board: Board, note: str, course: Course = NO_COURSE) -> str:
    """The day's answer in the largest type, with what has to be said about it beyond its figures."""
    figures = board.total
    currency = fmt.currency_sign(board.market.currency)
    result = signed_cell("performance_eur", figures.performance_eur)
    context = {
        "result": result,
        "performance": signed_cell("performance", figures.performance),
        "cells": list(zip(_names(), quiet_cells(figures)[1:], strict=True)),
        "currency": currency,
        "title": f"{result.text} {currency}" if figures.performance_eur is not None else "",
        "settled": board.is_settled,
        "note": note,
        "shape": shape_of(board, course),
    }
    return render_part("summary", context)


def _names() -> tuple[str, ...]:
    return gettext("Sold"), gettext("Bought"), gettext("Net"), gettext("Trades")


def note_on(board: Board) -> str:
    """What has to be said about the result: nothing, most of the time."""
    if not board.total.trade_count:
        return gettext("No trades on this day.") if board.is_settled else gettext("No trades for this day yet.")
    if not board.unpriced_count:
        return ""
    return ngettext(
        "%(count)s period with trades has no reference price yet and is not in the result.",
        "%(count)s periods with trades have no reference price yet and are not in the result.",
        board.unpriced_count,
    ) % {"count": fmt.count(board.unpriced_count)}


# --- the feeds --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A feed's state in words. `level`: ok, late or lost. `shows`: how the page shows the moment on its own clock."""

    name: str
    level: str
    words: str
    moment: datetime | None = None
    shows: str = "seconds"
    """ "seconds": the time of day; "age": what has passed since; "countdown": the time, and what is left until it."""

    since: datetime | None = None
    """From when on it has been like this, where the words don't say it."""

    @property
    def utc(self) -> str:
        return fmt.utc(self.moment) if self.moment else ""

    @property
    def since_utc(self) -> str:
        return fmt.utc(self.since) if self.since else ""

    @property
    def since_text(self) -> str:
        return f"{fmt.clock_seconds(self.since, _UTC)} UTC" if self.since else ""

    @property
    def text(self) -> str:
        """The moment as long as no script shows it: the feeds' states know no time zone."""
        return f"{fmt.clock_seconds(self.moment, _UTC)} UTC" if self.moment else ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as a `<time>` element: for programs, for a page without its script, and how the script shows it."""

    utc: str
    text: str
    shows: str
    """ "seconds": the time of day; "day": the date before it, unless it is today."""


@dataclass(frozen=True, slots=True)
class GapLine:
    """The feed's open gaps in words: how many, the newest, and how many earlier ones there are."""

    count: str
    start: Moment
    end: Moment
    earlier: str


@dataclass(frozen=True, slots=True)
class Staleness:
    """Which figures a lost feed leaves standing still ("trades", "prices"), as of when, and why; empty: none."""

    figures: str = ""
    as_of: datetime | None = None
    why: str = ""


def render_feed_states(feeds: FeedStates) -> str:
    """The feeds in words, and for the page's script what stands still because of them."""
    return _feed_states(feeds, get_language() or settings.LANGUAGE_CODE)


@lru_cache(maxsize=64)
def _feed_states(feeds: FeedStates, _language: str) -> str:
    """Remembered per language: a change of the figures takes the feeds over as they were."""
    stale = staleness(feeds)
    context = {
        "exchange": _exchange(feeds),
        "gaps": _gaps(feeds.gaps),
        "prices": _prices(feeds),
        "stale": stale,
        "as_of": fmt.utc(stale.as_of) if stale.as_of else "",
    }
    return render_part("feed_states", context)


def staleness(feeds: FeedStates) -> Staleness:
    """What lost feeds mean for the figures. A price that is only late is not lost."""
    trades, prices = not feeds.exchange.connected, feeds.prices.state == "down"
    if trades and prices:
        moments = [moment for moment in (feeds.exchange.since, feeds.prices.last_success_at) if moment]
        return Staleness("trades prices", min(moments, default=None), gettext("exchange and prices are not connected"))
    if trades:
        silent = feeds.exchange.silent
        why = gettext("the exchange does not answer") if silent else gettext("the exchange is not connected")
        return Staleness("trades", feeds.exchange.since, why)
    if prices:
        return Staleness("prices", feeds.prices.last_success_at, gettext("the price provider does not answer"))
    return Staleness()


def _exchange(feeds: FeedStates) -> FeedLine:
    state = feeds.exchange
    if state.silent:
        return FeedLine(gettext("Exchange"), "lost", gettext("no answer since"), state.since)
    if not state.connected:
        words = gettext("not connected since") if state.since else gettext("never connected yet")
        return FeedLine(gettext("Exchange"), "lost", words, state.since)
    words = gettext("last message") if state.last_frame_at else gettext("connected, nothing heard yet")
    return FeedLine(gettext("Exchange"), "ok", words, state.last_frame_at, "age", state.since)


def _gaps(gaps: Sequence[Gap]) -> GapLine | None:
    """The exchange pushes nothing twice: what came in a gap has to be compared with its file."""
    if not gaps:
        return None
    newest, many = gaps[0], "" if len(gaps) < MOST_GAPS else "+"
    count, earlier = f"{len(gaps)}{many}", f"{len(gaps) - 1}{many}"
    long = newest.ended_at - newest.started_at >= timedelta(days=1)
    return GapLine(
        count=ngettext("%(count)s gap", "%(count)s gaps", len(gaps)) % {"count": count},
        start=_moment(newest.started_at, "day"),
        end=_moment(newest.ended_at, "day" if long else "seconds"),
        earlier=gettext("and %(count)s earlier") % {"count": earlier} if len(gaps) > 1 else "",
    )


def _moment(moment: datetime, shows: str) -> Moment:
    clock = f"{fmt.clock_seconds(moment, _UTC)} UTC"
    text = f"{fmt.short_day(moment.astimezone(UTC).date())} {clock}" if shows == "day" else clock
    return Moment(fmt.utc(moment), text, shows)


def _prices(feeds: FeedStates) -> FeedLine:
    state = feeds.prices
    if state.state == "ok":
        due = state.next_publication_at
        words = gettext("next at") if due else gettext("up to date")
        return FeedLine(gettext("Prices"), "ok", words, due, "countdown", state.since)
    if state.state == "none":
        return FeedLine(gettext("Prices"), "late", gettext("no price yet"))
    if state.state == "late":
        words = gettext("late since") if state.since else gettext("late")
        return FeedLine(gettext("Prices"), "late", words, state.since)
    words = gettext("no answer since") if state.since else gettext("no answer")
    return FeedLine(gettext("Prices"), "lost", words, state.since)
