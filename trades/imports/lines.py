"""A line of a file of columns: its cells by name, and its numbers. Pure."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from typing import Any

from trades.ledger.confirmations import Unusable

Fields = dict[str, Any]
"""A confirmation's fields by name, as a line writes them; numbers are Decimals."""

ROUNDED_ID = "rounded_id"
"""The reason of a line whose id a spreadsheet has rounded: which trade it was can't be told any more."""
ROUNDED = re.compile(r"\d+(?:[.,]\d+)?[eE]\+\d+", re.ASCII)

_PLAIN_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)


class FileError(Exception):
    """A file in none of the known formats; the message is one sentence for people."""


def cells_in(line: str, separator: str, *, as_they_are: bool = False) -> list[str]:
    """A line's cells; an export's ids may begin or end with a space, everybody else's don't."""
    try:
        return [cell if as_they_are else cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:  # a cell of absurd length
        return []


def named_cells(line: str, separator: str, names: list[str], *, as_they_are: bool = False) -> Fields | Unusable:
    cells = cells_in(line, separator, as_they_are=as_they_are)
    if len(cells) != len(names):
        return Unusable("bad_line", f"{len(cells)} columns instead of {len(names)}")
    return dict(zip(names, cells, strict=True))


def decimal_in(cells: Fields, name: str) -> Decimal:
    """The number of a cell; ValueError for all but plain decimals: Python reads 2_0.5 and ١٢ as numbers, too, and a
    spreadsheet that writes 1.2E+04 has rounded."""
    text = cells[name].strip()
    if not _PLAIN_DECIMAL.fullmatch(text):
        raise ValueError(f"{name} “{text[:30]}” is not a number in plain decimals")
    return Decimal(text)
