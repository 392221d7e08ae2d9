"""A workbook that the desk has exported, as the lines of a CSV. Takes bytes, gives text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from zipfile import BadZipFile

import openpyxl

from trades.imports.files import FileError

SIGNATURE = b"PK\x03\x04"
"""How every XLSX file begins."""
MOST_ROWS = 1_048_576
"""What the format holds."""
DAY = "delivery_day"
"""The column that holds days: to a workbook a day is a moment, its midnight."""


def lines_of(data: bytes) -> list[str]:
    """The first sheet's rows as lines of CSV, in the words of the export for programs. FileError: no such workbook."""
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        raise FileError("the file begins like a workbook and can't be read as one") from error
    try:
        rows = list(_rows(book))
    finally:
        book.close()
    names = [str(name) for name in rows[0]] if rows else []
    return [_line(row, names) for row in rows]


def _rows(book: Any) -> Iterator[tuple[Any, ...]]:
    rows = book.worksheets[0].iter_rows(values_only=True, max_row=MOST_ROWS)
    return (row for row in rows if any(cell is not None for cell in row))


def _line(row: tuple[Any, ...], names: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(_cell(*pair) for pair in zip(row, names, strict=False))
    return text.getvalue()


def _cell(value: Any, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if name == DAY else value.isoformat(" ")
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    text = str(value)
    return f"'{text}" if text.startswith("'") else text  # as the CSV guards what would look guarded
