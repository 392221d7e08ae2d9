"""Tables as files: XLSX and a CSV for spreadsheets, and a CSV for programs. All typed, all safe to open.

CSV for programs (RFC 4180, UTF-8): decimals exact with dots, moments as ISO 8601, in UTC with Z and local with their
offset. CSV for spreadsheets: the reader's decimal mark, moments without zones (the column's name says which clock), and
only the rows that nothing else in the table sums up. In both, text that a spreadsheet would take for a formula gets an
apostrophe before it, as OWASP advises; numbers are never touched.
XLSX: numbers are numbers (to the 16 digits that the format holds), days and moments are dates, text is text; totals
stand on sheets of their own.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_CEILING, Decimal
from itertools import islice
from typing import TYPE_CHECKING

from django.utils.formats import get_format

from dashboard.render.formatting import on_clock, plain, utc
from dashboard.render.tables import Column, Kind, Table, Value
from market.labels import EXPORTED_WORKBOOK, guarded

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_A_PIECE = 500
LONGEST_NAME = 120

_LABEL = re.compile(r"\d\d:\d\d-\d\d:\d\d[AB]?", re.ASCII)
_MONTH = "jan|feb|mär|mar|apr|mai|may|jun|jul|aug|sep|okt|oct|nov|dez|dec"
_DATED = rf"\W*({_MONTH})[a-zä]*\W*\d[\W\d]*|\d[\W\d]*({_MONTH})[a-zä]*[\W\d]*"
_NO_TEXT = re.compile(rf"[^A-Za-z_]*\d[^A-Za-z_]*([eE][+-]?\d+)?|{_DATED}|true|false", re.IGNORECASE)
"""What a spreadsheet takes for a number, a share, a time or a date; an id of 16 digits becomes another one."""
_LINE_BREAKS = re.compile(r"(?<!\A)[\r\n]+")
"""Within a text: a file has a line a trade."""

_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")


def file_name(*parts: str, form: str) -> str:
    """A name that every file system and header takes, whatever a trader is called: "board_trader_1_2026-11-23.csv"."""
    safe = "_".join(_UNSAFE.sub("_", part).strip("._") for part in parts)
    return f"{safe[:LONGEST_NAME]}.{form}"


# --- CSV ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV is written: what parts its cells, its decimal mark, and whether a spreadsheet is to open it."""

    separator: str = ","
    decimal: str = "."
    for_spreadsheets: bool = False


FOR_PROGRAMS = Dialect()
LEAST_DECIMALS = 4
"""Of a number that has any. Where a comma is the decimal mark, spreadsheets take 3.075 for 3075 and 12.5 for the 12th
of May (LibreOffice 7.4 in German and Polish); with four they take it for text, which nobody adds up unawares."""


_MARKS = {**dict.fromkeys(("de-ch", "fr-ch", "it-ch", "de-li"), "."), "no": ",", "en-za": ","}
"""Where computers are set up otherwise than Django's formats have it."""


def for_spreadsheets(language: str) -> Dialect:
    """Semicolons and a decimal comma where the language has one; else commas and a point."""
    known = _MARKS.get(language.lower())
    decimal = known or str(get_format("DECIMAL_SEPARATOR", lang=language, use_l10n=True))
    return Dialect(";" if decimal == "," else ",", decimal, for_spreadsheets=True)


def csv_pieces(table: Table, dialect: Dialect = FOR_PROGRAMS) -> Iterator[str]:
    """The file, some rows at a time: the header first, so that a table without rows is one that says what it is."""
    mark = "\ufeff" if dialect.for_spreadsheets else ""  # without it Excel takes UTF-8 for the computer's old encoding
    yield mark + _lines([[column.name for column in table.columns]], dialect)
    rows = iter(parts_of(table) if dialect.for_spreadsheets else table.rows)
    while piece := list(islice(rows, ROWS_A_PIECE)):
        yield _lines((_csv_row(table, row, dialect) for row in piece), dialect)


def _lines(rows: Iterable[Sequence[str]], dialect: Dialect) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=dialect.separator).writerows(rows)
    return text.getvalue()


def _csv_row(table: Table, row: Sequence[Value], dialect: Dialect) -> list[str]:
    return [_csv_cell(table, column, value, dialect) for column, value in zip(table.columns, row, strict=True)]


def _csv_cell(table: Table, column: Column, value: Value, dialect: Dialect) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _csv_moment(value, column, table, dialect)
    if isinstance(value, Decimal):
        return _with_decimals(plain(value) or "").replace(".", dialect.decimal)
    if isinstance(value, str):
        text = _LINE_BREAKS.sub(" ", value)
        is_no_text = dialect.for_spreadsheets and _NO_TEXT.fullmatch(text) and not _LABEL.fullmatch(text)
        safe = guarded(text)
        return f"'{text}" if is_no_text and safe == text else safe
    return str(value)


def _csv_moment(value: datetime, column: Column, table: Table, dialect: Dialect) -> str:
    if not dialect.for_spreadsheets:
        return utc(value) if column.kind == Kind.UTC else on_clock(value, table.zone).isoformat()
    on_its_clock = on_clock(value, _moment_zone(table, column)).replace(tzinfo=None)
    fraction = on_its_clock.microsecond
    precision = "microseconds" if fraction % 1000 else "milliseconds" if fraction else "seconds"
    return on_its_clock.isoformat(" ", precision).replace(".", dialect.decimal)


def _with_decimals(text: str) -> str:
    _, point, decimals = text.partition(".")
    return text + "0" * (LEAST_DECIMALS - len(decimals)) if point else text


# --- XLSX -----------------------------------------------------------------------------------------------------------
_SHAPES = {
    Kind.DAY: "yyyy-mm-dd",
    Kind.UTC: "yyyy-mm-dd hh:mm:ss.000",
    Kind.LOCAL: "yyyy-mm-dd hh:mm:ss.000",
}
_WIDTHS = {Kind.TEXT: 16, Kind.INTEGER: 12, Kind.NUMBER: 18, Kind.DAY: 12, Kind.UTC: 23, Kind.LOCAL: 23}


KIND = "row"
"""The column that says what a row is: in a workbook each kind has a sheet of its own."""


def xlsx_file(table: Table) -> bytes:
    """A workbook of a sheet for each kind of row, so that a column's sum is never added to what it sums up.

    Each has a fixed header and a filter.
    """
    import xlsxwriter  # few ask for a workbook, and every web process would begin with it

    file = io.BytesIO()
    workbook = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    workbook.set_properties({"category": EXPORTED_WORKBOOK})
    formats = {kind: workbook.add_format({"num_format": shape}) for kind, shape in _SHAPES.items()}
    formats[Kind.TEXT] = workbook.add_format({"num_format": "@", "quote_prefix": True})
    bold = workbook.add_format({"bold": True})
    for name, rows in _sheets(table).items():
        sheet = workbook.add_worksheet(name)
        for at, column in enumerate(table.columns):
            sheet.write_string(0, at, column.name, bold)
            sheet.set_column(at, at, _WIDTHS[column.kind])
        for line, row in enumerate(rows, start=1):
            for at, (column, value) in enumerate(zip(table.columns, row, strict=True)):
                _write(sheet, (line, at), value, _moment_zone(table, column), formats.get(column.kind))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(table.columns) - 1)
    workbook.close()
    return file.getvalue()


def _sheets(table: Table) -> dict[str, list[Sequence[Value]]]:
    """Each sheet's name and rows, in the order of the table; one sheet for a table whose rows are all of a kind."""
    if table.columns[0].name != KIND:
        return {table.name: list(table.rows)}
    found: dict[str, list[Sequence[Value]]] = {}
    for row in table.rows:
        found.setdefault(str(row[0]), []).append(row)
    return found or {table.name: []}


def parts_of(table: Table) -> list[Sequence[Value]]:
    """The rows of the table's first kind: the finest, which all others are sums of."""
    return next(iter(_sheets(table).values()))


def _moment_zone(table: Table, column: Column) -> tzinfo:
    return UTC if column.kind == Kind.UTC else table.zone


_BEGINNING, _FIRST_DATE = datetime(1899, 12, 30), datetime(1901, 1, 1)  # noqa: DTZ001 - dates there have no zone
"""A workbook counts days from the first on, and agrees with calendars from the second on at the latest."""
_SMALLEST_PART = Decimal("1e-11")
"""Of a day, about a microsecond: what fits behind a date in the 16 digits that are written."""


def _write_moment(sheet: Worksheet, cell: tuple[int, int], local: datetime, shape: Format | None) -> None:
    """As the number of days that is just behind the moment.

    SheetJS cuts what lies below a millisecond where others round: just before, a third of all quarter hours would be a
    millisecond early, and many full hours in the hour before.
    """
    if local < _FIRST_DATE:
        sheet.write_string(*cell, local.isoformat(" "))
        return
    days = Decimal((local - _BEGINNING) // timedelta(microseconds=1)) / (24 * 3600 * 1_000_000)
    sheet.write_number(*cell, float(days.quantize(_SMALLEST_PART, ROUND_CEILING) + _SMALLEST_PART), shape)


def _write(sheet: Worksheet, cell: tuple[int, int], value: Value, zone: tzinfo, shape: Format | None) -> None:
    if value is None:
        return
    if isinstance(value, datetime):  # the format knows no zones: the column's name says which clock it is
        _write_moment(sheet, cell, on_clock(value, zone).replace(tzinfo=None), shape)
    elif isinstance(value, date):
        sheet.write_datetime(*cell, value, shape)
    elif isinstance(value, str):
        sheet.write_string(*cell, value, shape)
    else:
        sheet.write_number(*cell, value, shape)
