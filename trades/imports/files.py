"""The exchange's files: lines -> confirmations, or the reason why not. Pure: takes text, gives records.

Three formats, told apart by their first line: JSON lines of confirmations; CSV with the confirmation's field names;
and the exchange's private-trades file (a # comment, then columns parted by semicolons, volume in MWh, no trader).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from market.labels import label_of
from market.periods import DURATIONS, DeliveryPeriod, day_of
from trades.ledger.confirmations import TradeConfirmation, Unusable, confirmation_of, parse_frame, timestamp_of

CSV_FIELDS = ("id", "price", "quantity", "direction", "delivery_day", "delivery_hour", "trader_id", "execution_time")
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


def read_trades(lines: Iterable[str], *, zone: ZoneInfo, currency: str, trader_id: str | None) -> Iterator[FileLine]:
    """Every line that should be a trade, in order. Raises FileError when the format or the trader can't be told."""
    numbered = ((number, line.rstrip("\r\n")) for number, line in enumerate(lines, start=1))
    content = ((n, line.removeprefix("\ufeff")) for n, line in numbered)
    content = ((n, line) for n, line in content if line.strip() and not line.startswith("#"))
    first = next(content, None)
    if first is None:
        raise FileError("the file holds no trades")
    if first[1].lstrip().startswith("{"):
        yield _json_line(first, zone)
        yield from (_json_line(item, zone) for item in content)
    elif set(CSV_FIELDS) <= set(_cells(first[1], ",")):
        names = _cells(first[1], ",")
        yield from (_csv_line(item, names, zone) for item in content)
    elif set(PRIVATE_FIELDS) <= set(_cells(first[1], ";")):
        if not trader_id:
            raise FileError("this file names no trader: say whose trades they are with --trader")
        names = _cells(first[1], ";")
        yield from (_private_line(item, names, zone, currency, trader_id) for item in content)
    else:
        raise FileError(
            "the file is in none of the known formats: JSON lines of confirmations, CSV with the columns "
            f"{','.join(CSV_FIELDS)}, or the exchange's private trades with {';'.join(PRIVATE_FIELDS)}"
        )


def _cells(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:  # a cell of absurd length
        return []


def _json_line(item: tuple[int, str], zone: ZoneInfo) -> FileLine:
    """A confirmation in its envelope, as the websocket sends it, or without one."""
    number, line = item
    parsed = parse_frame(line.encode(), zone)
    if isinstance(parsed, Unusable) and parsed.reason == "other_message":
        bare = json.loads(line, parse_float=Decimal, parse_int=Decimal)
        if isinstance(bare, dict):
            parsed = confirmation_of(bare, zone)
    return FileLine(number, line, parsed)


def _csv_line(item: tuple[int, str], names: list[str], zone: ZoneInfo) -> FileLine:
    number, line = item
    fields: dict[str, Any] | Unusable = _named(line, ",", names)
    if isinstance(fields, Unusable):
        return FileLine(number, line, fields)
    try:
        fields["price"], fields["quantity"] = _decimal(fields, "price"), _decimal(fields, "quantity")
    except ValueError as error:
        return FileLine(number, line, Unusable("bad_line", str(error), fields["id"]))
    return FileLine(number, line, confirmation_of(fields, zone))


def _private_line(item: tuple[int, str], names: list[str], zone: ZoneInfo, currency: str, trader_id: str) -> FileLine:
    number, line = item
    cells = _named(line, ";", names)
    if isinstance(cells, Unusable):
        return FileLine(number, line, cells)
    try:
        fields = _private_fields(cells, zone, currency)
    except ValueError as error:
        return FileLine(number, line, Unusable("bad_line", str(error), cells["TradeId"][:255]))
    return FileLine(number, line, confirmation_of({**fields, "trader_id": trader_id}, zone))


def _private_fields(cells: dict[str, Any], zone: ZoneInfo, currency: str) -> dict[str, Any]:
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


def _named(line: str, separator: str, names: list[str]) -> dict[str, Any] | Unusable:
    cells = _cells(line, separator)
    if len(cells) != len(names):
        return Unusable("bad_line", f"{len(cells)} columns instead of {len(names)}")
    return dict(zip(names, cells, strict=True))


def _decimal(cells: dict[str, Any], name: str) -> Decimal:
    try:
        return Decimal(cells[name])
    except InvalidOperation:
        raise ValueError(f"{name} “{cells[name][:30]}” is not a number") from None
