"""The exports' addresses, beside the views that they are of, with the same rights and the same refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.figures.board import load_board
from dashboard.figures.desk import load_desk
from dashboard.figures.history import load_history
from dashboard.figures.past import Past
from dashboard.figures.period import load_all_trades
from dashboard.figures.readings import Reading
from dashboard.pages.desk import need_desk
from dashboard.pages.history import asked_history
from dashboard.pages.language import numbers_language
from dashboard.pages.past.asked import asked_past
from dashboard.pages.requests import (
    asked_market,
    asked_period,
    asked_reading,
    asked_trader,
    refusal,
    refusing,
    sentence,
)
from dashboard.render.files import (
    CSV_TYPE,
    FOR_PROGRAMS,
    XLSX_TYPE,
    Dialect,
    csv_pieces,
    file_name,
    for_spreadsheets,
    xlsx_file,
)
from dashboard.render.tables import Table, board_table, desk_table, history_table, trades_table
from market import clock
from market.periods import PeriodError, parse_day

XLSX, SHEET_CSV = "xlsx", "sheet.csv"


@require_safe
@never_cache
@login_required
@refusing
def board(request: HttpRequest, trader_id: str, day: str, form: str) -> HttpResponseBase:
    """GET /boards/<trader_id>/<day>/board.csv (or .xlsx, or .sheet.csv) with `by` as the page."""
    trader, market = asked_trader(request.user, trader_id), asked_market(request)
    reading, delivery_day, now = asked_reading(request), parse_day(day), clock.now()
    past = asked_past(request, market, now)
    shown = load_board(trader=trader, market=market, delivery_day=delivery_day, now=now, reading=reading, past=past)
    name = file_name("board", trader_id, day, *_by(reading), *_when(past), form=form)
    return table_file(request, board_table(shown), name, form)


@require_safe
@never_cache
@login_required
@refusing
def trades(request: HttpRequest, trader_id: str, day: str, delivery_hour: str, form: str) -> HttpResponseBase:
    """GET /boards/<trader_id>/<day>/<delivery_hour>/trades.csv (or .xlsx) with `by`: all trades of an opened row."""
    asked = asked_period(request, trader_id, day, delivery_hour)
    now = clock.now()
    past = asked_past(request, asked.market, now)
    shown, row, judged = load_all_trades(key=asked.row(past), now=now)
    name = file_name("trades", trader_id, day, asked.parsed.label, *_by(asked.reading), *_when(past), form=form)
    return table_file(request, trades_table(shown, row, judged), name, form)


@require_safe
@never_cache
@login_required
@refusing
def desk(request: HttpRequest, day: str, form: str) -> HttpResponseBase:
    """GET /desk/<day>/desk.csv (or .xlsx, or .sheet.csv) with `by` as the page."""
    need_desk(request.user)
    market, reading = asked_market(request), asked_reading(request)
    now = clock.now()
    past = asked_past(request, market, now)
    shown = load_desk(market=market, delivery_day=parse_day(day), now=now, reading=reading, past=past)
    name = file_name("desk", market.code, day, *_by(reading), *_when(past), form=form)
    return table_file(request, desk_table(shown), name, form)


def _by(reading: Reading) -> list[str]:
    """What a file's name says of its reading; nothing by product, as files were always called."""
    return [] if reading is Reading.PRODUCT else [f"by {reading}"]


def _when(past: Past | None) -> list[str]:
    """What a file's name says of its moment; nothing of now."""
    return [f"as {past.basis} at {past.moment:%Y-%m-%d %H%M%S}Z"] if past else []


@require_safe
@never_cache
@login_required
@refusing
def history(request: HttpRequest, form: str) -> HttpResponseBase:
    """GET /history/history.csv (or .xlsx) with what the page is asked with."""
    try:
        asked = asked_history(request)
    except PeriodError as error:
        return refusal(request, sentence(error), status=400)
    loaded = load_history(market=asked.market, trader=asked.trader, days=asked.days, reading=asked.reading)
    whose = asked.trader.trader_id if asked.trader else "desk"
    name = file_name("history", whose, str(asked.days.first), str(asked.days.last), *_by(asked.reading), form=form)
    return table_file(request, history_table(loaded), name, form)


def table_file(request: HttpRequest, table: Table, name: str, form: str) -> HttpResponseBase:
    """A table in the form that was asked for."""
    answer: HttpResponseBase
    if form == XLSX:
        answer = HttpResponse(xlsx_file(table), content_type=XLSX_TYPE)
    else:
        dialect = for_spreadsheets(numbers_language(request)) if form == SHEET_CSV else FOR_PROGRAMS
        answer = StreamingHttpResponse(_pieces(table, dialect), content_type=CSV_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


async def _pieces(table: Table, dialect: Dialect) -> AsyncIterator[bytes]:
    """Asynchronous, because the server sends what is synchronous only when all of it is there."""
    for piece in csv_pieces(table, dialect):
        yield piece.encode()
