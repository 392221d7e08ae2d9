"""A workbook that the desk has exported, as the lines of a CSV. Takes bytes, gives text."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import openpyxl

from market.labels import EXPORTED_WORKBOOK, guarded
from trades.imports.lines import FileError

SIGNATURE = b"PK\x03\x04"
"""How every XLSX file begins."""
MOST_ROWS = 1_048_576
"""What the format holds."""
DAY = "delivery_day"
"""The column that holds days: to a workbook a day is a moment, its midnight."""
_TEXTS = {"exchange_id", "trader_id"}
_BROKEN = (BadZipFile, ParseError, zlib.error, AttributeError, IndexError, KeyError, OSError, TypeError, ValueError)
"""What reading a file raises that is none, or was cut off."""


def lines_of(data: bytes) -> list[str]:
    """The rows as lines of CSV, in the words of the export for programs. FileError: no workbook, or several sheets."""
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            is_ours = book.properties.category == EXPORTED_WORKBOOK
            sheets = [rows for sheet in book.worksheets if (rows := list(_rows(sheet)))]
        finally:
            book.close()
    except _BROKEN as error:
        raise FileError("the file begins like a workbook and can't be read as one") from error
    if len(sheets) > 1:
        raise FileError("the workbook has several sheets with something on them: save the one with trades alone")
    rows = sheets[0] if sheets else []
    names = [str(name) for name in rows[0]] if rows else []
    return [_line(row, names, is_ours) for row in rows]


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    rows = sheet.iter_rows(values_only=True, max_row=MOST_ROWS)
    return (row for row in rows if any(cell is not None for cell in row))


def _line(row: tuple[Any, ...], names: list[str], is_ours: bool) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(_cell(*pair, is_ours) for pair in zip(row, names, strict=False))
    return text.getvalue()


def _cell(value: Any, name: str, is_ours: bool) -> str:
    """The text of a cell. An id that is no text any more is written as a rounded number, and so is a doubt."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if name == DAY else value.isoformat(" ")
    if isinstance(value, str):
        text = " ".join(value.splitlines()) if value else value
        return guarded(text) if is_ours else text  # a CSV that was saved as a workbook is guarded already
    if name in _TEXTS:
        return f"{float(value):.15E}"
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)
