"""The exchange's files: lines -> confirmations, or the reason why not. Pure: takes text, gives records.

Four formats, told apart by their first line: JSON lines of confirmations; CSV with the confirmation's field names; the
exchange's private-trades file (a # comment, then columns parted by semicolons, volume in MWh, no trader); and what the
desk's own pages export of a period's trades, for programs or for spreadsheets.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from market.labels import label_of
from market.periods import DURATIONS, DeliveryPeriod, day_of
from trades.imports.period_numbers import Counting, PeriodNumberError, WrittenPeriod, labels_of
from trades.ledger.confirmations import TradeConfirmation, Unusable, confirmation_of, fields_in, timestamp_of

Fields = dict[str, Any]
"""A confirmation's fields by name, as a line writes them; numbers are Decimals."""

FROM_ZERO = Counting()
ROUNDED_ID = "rounded_id"
"""The reason of a line whose id a spreadsheet has rounded: which trade it was can't be told any more."""
_WITHOUT_ZONE = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d+)?", re.ASCII)
_ROUNDED = re.compile(r"\d+(?:[.,]\d+)?[eE]\+\d+", re.ASCII)

CSV_FIELDS = ("id", "price", "quantity", "direction", "delivery_day", "delivery_hour", "trader_id", "execution_time")
EXPORT_FIELDS = {
    "id": "exchange_id",
    "price": "price",
    "quantity": "quantity_mw",
    "direction": "direction",
    "delivery_day": "delivery_day",
    "delivery_hour": "delivery_hour",
    "trader_id": "trader_id",
    "execution_time": "execution_time_utc",
}
"""A confirmation's fields as dashboard/render/tables.py exports them; `change` says what a person decided."""
DECIDED = "decided"
"""The reason of an exported line whose trade was cancelled or corrected: it does not say what the exchange said."""
PRIVATE_FIELDS = (
    "TradeId",
    "Side",
    "DeliveryStart",
    "DeliveryEnd",
    "ExecutionTime",
    "Price",
    "Currency",
    "Volume",
    "VolumeUnit",
)


class FileError(Exception):
    """A file in none of the known formats; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class FileLine:
    """One line that holds a trade: its number in the file (from 1), its text, and what it says."""

    number: int
    text: str
    parsed: TradeConfirmation | Unusable
    exported: bool = False
    """The desk's own words: they tell what is stored somewhere, not what the exchange has."""


def read_trades(
    lines: Iterable[str], *, zone: ZoneInfo, currency: str, trader_id: str | None, counting: Counting = FROM_ZERO
) -> list[FileLine]:
    """Every line that should be a trade, in order.

    Raises FileError when the format, the trader or what the periods' numbers count can't be told.
    """
    content = _content(lines)
    first = next(content, None)
    if first is None:
        raise FileError("the file holds no trades")
    exported = _export_separator(first[1]) is not None
    read = _reader(first[1], zone, currency, trader_id)
    items = [first, *content] if first[1].lstrip().startswith("{") else list(content)
    named = [(number, line, read(line)) for number, line in items]
    written = [WrittenPeriod(n, *_day_and_period(f)) for n, _, f in named if isinstance(f, dict)]
    try:
        labels = labels_of(written, counting, zone)
    except PeriodNumberError as error:
        raise FileError(str(error)) from None
    return [FileLine(n, line, _confirmation(fields, labels, zone), exported) for n, line, fields in named]


def _content(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Numbered lines that hold something. A # line is a comment only before the header: later it may hold a trade."""
    begun = False
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n").removeprefix("\ufeff")
        if text.strip() and (begun or not text.startswith("#")):
            begun = True
            yield number, text


def _reader(first: str, zone: ZoneInfo, currency: str, trader_id: str | None) -> Callable[[str], Fields | Unusable]:
    """What reads a line of this file's format into a confirmation's fields."""
    if first.lstrip().startswith("{"):
        return lambda line: fields_in(line.encode())
    if set(CSV_FIELDS) <= set(names := _cells(first, ",")):
        return lambda line: _csv_fields(line, names)
    if separator := _export_separator(first):
        exported = _cells(first, separator)
        return lambda line: _export_fields(line, separator, exported)
    if set(PRIVATE_FIELDS) <= set(columns := _cells(first, ";")):
        if not trader_id:
            raise FileError("this file names no trader: say whose trades they are with --trader")
        return lambda line: _private_line(line, columns, zone, currency, trader_id)
    raise FileError(
        "the file is in none of the known formats: JSON lines of confirmations, CSV with the columns "
        f"{','.join(CSV_FIELDS)}, the exchange's private trades with {';'.join(PRIVATE_FIELDS)}, or a period's trades "
        "as this desk exports them"
    )


def _export_separator(first: str) -> str | None:
    """What parts the cells of the desk's own export; None for another file."""
    needed = {*EXPORT_FIELDS.values(), "change"}
    return next((separator for separator in ",;" if needed <= set(_cells(first, separator))), None)


def _day_and_period(fields: Fields) -> tuple[str, str]:
    return str(fields.get("delivery_day", "")), str(fields.get("delivery_hour", ""))


def _confirmation(
    fields: Fields | Unusable, labels: Mapping[tuple[str, str], str], zone: ZoneInfo
) -> TradeConfirmation | Unusable:
    if isinstance(fields, Unusable):
        return fields
    written = fields.get("id")
    if isinstance(written, str) and _ROUNDED.fullmatch(written):
        return Unusable(
            ROUNDED_ID, f"id “{written[:30]}” was rounded by a spreadsheet: export the file with ids as text"
        )
    label = labels.get(_day_and_period(fields))
    return confirmation_of(fields if label is None else {**fields, "delivery_hour": label}, zone)


def _cells(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:  # a cell of absurd length
        return []


def _csv_fields(line: str, names: list[str]) -> Fields | Unusable:
    fields = _named(line, ",", names)
    if isinstance(fields, Unusable):
        return fields
    try:
        fields["price"], fields["quantity"] = _decimal(fields, "price"), _decimal(fields, "quantity")
    except ValueError as error:
        return Unusable("bad_line", str(error), fields["id"][:255])
    return fields


def _export_fields(line: str, separator: str, names: list[str]) -> Fields | Unusable:
    """A line that the desk itself has exported: guarded text, the reader's decimal mark, UTC without saying so."""
    cells = _named(line, separator, names)
    if isinstance(cells, Unusable):
        return cells
    fields: Fields = {name: cells[column].removeprefix("'") for name, column in EXPORT_FIELDS.items()}
    if cells["change"]:
        detail = f"it was {cells['change'][:20]} by a person at the desk that exported it: decide about it here"
        return Unusable(DECIDED, detail, fields["id"][:255])
    if separator == ";":
        fields |= {name: fields[name].replace(",", ".") for name in ("price", "quantity", "execution_time")}
    if _WITHOUT_ZONE.fullmatch(fields["execution_time"]):
        fields["execution_time"] += "Z"
    try:
        return fields | {name: _decimal(fields, name) for name in ("price", "quantity")}
    except ValueError as error:
        return Unusable("bad_line", str(error), fields["id"][:255])


def _private_line(line: str, names: list[str], zone: ZoneInfo, currency: str, trader_id: str) -> Fields | Unusable:
    cells = _named(line, ";", names)
    if isinstance(cells, Unusable):
        return cells
    try:
        return {**_private_fields(cells, zone, currency), "trader_id": trader_id}
    except ValueError as error:
        return Unusable("bad_line", str(error), cells["TradeId"][:255])


def _private_fields(cells: Fields, zone: ZoneInfo, currency: str) -> Fields:
    """A private trade in a confirmation's terms: MWh over the period's hours is MW."""
    if cells["Side"] not in {"SELL", "BUY"}:
        raise ValueError(f"Side “{cells['Side'][:20]}” is neither SELL nor BUY")
    if cells["Currency"] != currency:
        raise ValueError(f"Currency “{cells['Currency'][:20]}” is not the market's {currency}")
    if cells["VolumeUnit"].upper() != "MWH":
        raise ValueError(f"VolumeUnit “{cells['VolumeUnit'][:20]}” is not MWH")
    period = DeliveryPeriod(timestamp_of(cells["DeliveryStart"]), timestamp_of(cells["DeliveryEnd"]))
    if period.duration not in DURATIONS:
        raise ValueError(f"a period of {period.duration} is not known")
    return {
        "id": cells["TradeId"],
        "price": _decimal(cells, "Price"),
        "quantity": _decimal(cells, "Volume") / period.hours,
        "direction": cells["Side"].lower(),
        "delivery_day": day_of(period.start, zone).isoformat(),
        "delivery_hour": label_of(period, zone),
        "execution_time": cells["ExecutionTime"],
    }


def _named(line: str, separator: str, names: list[str]) -> Fields | Unusable:
    cells = _cells(line, separator)
    if len(cells) != len(names):
        return Unusable("bad_line", f"{len(cells)} columns instead of {len(names)}")
    return dict(zip(names, cells, strict=True))


def _decimal(cells: Fields, name: str) -> Decimal:
    try:
        return Decimal(cells[name])
    except InvalidOperation:
        raise ValueError(f"{name} “{cells[name][:30]}” is not a number") from None
