"""The exchange's files: lines -> confirmations, or the reason why not. Pure: takes text, gives records.

Four formats, told apart by their first line: JSON lines of confirmations; CSV with the confirmation's field names; the
exchange's private-trades file (a # comment, then columns parted by semicolons, volume in MWh, no trader); and what the
desk's own pages export of a period's trades, for programs or for spreadsheets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from market.labels import label_of, parse_period
from market.periods import Days, DeliveryPeriod, PeriodError, day_of
from trades.imports.exported import CurrencyOn, MarketWords, export_fields, export_separator
from trades.imports.lines import ROUNDED, ROUNDED_ID, Fields, FileError, cells_in, decimal_in, named_cells
from trades.imports.period_numbers import Counting, PeriodNumberError, WrittenPeriod, labels_of
from trades.ledger.confirmations import TradeConfirmation, Unusable, confirmation_of, fields_in, timestamp_of

FROM_ZERO = Counting()
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


@dataclass(frozen=True, slots=True)
class FileLine:
    """One line that holds a trade: its number in the file (from 1), its text, and what it says."""

    number: int
    text: str
    parsed: TradeConfirmation | Unusable
    exported: bool = False
    """The desk's own words: they tell what is stored somewhere, not what the exchange has."""
    decision: str = ""
    """What a person has made of an exported trade: cancelled, corrected, or SECOND_SIDE; its facts count so."""


def read_trades(
    lines: Iterable[str],
    *,
    days: Days,
    currency_on: CurrencyOn,
    trader_id: str | None,
    counting: Counting = FROM_ZERO,
    market: str = "",
) -> list[FileLine]:
    """Every line that should be a trade, in order. `market` is the code that an export must name, if it is said;
    `currency_on` a delivery day is the market's.

    Raises FileError when the format, the trader or what the periods' numbers count can't be told.
    """
    content = _content(lines)
    first = next(content, None)
    if first is None:
        raise FileError("the file holds no trades")
    exported = export_separator(first[1]) is not None
    read = _reader(first[1], MarketWords(market, currency_on, days), trader_id)
    items = [first, *content] if first[1].lstrip().startswith("{") else list(content)
    named = [(number, line, read(line)) for number, line in items]
    written = [WrittenPeriod(n, *_day_and_period(f)) for n, _, f in named if isinstance(f, dict)]
    try:
        labels = labels_of(written, counting, days)
    except PeriodNumberError as error:
        raise FileError(str(error)) from None
    return [FileLine(n, line, _confirmation(f, labels, days), exported, _decision(f)) for n, line, f in named]


def _content(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Numbered lines that hold something. A # line is a comment only before the header: later it may hold a trade."""
    begun = False
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n").removeprefix("\ufeff")
        if text.strip() and (begun or not text.startswith("#")):
            begun = True
            yield number, text


def _reader(first: str, market: MarketWords, trader_id: str | None) -> Callable[[str], Fields | Unusable]:
    """What reads a line of this file's format into a confirmation's fields."""
    if first.lstrip().startswith("{"):
        return _json_fields
    if set(CSV_FIELDS) <= set(names := cells_in(first, ",")):
        return lambda line: _csv_fields(line, names)
    if separator := export_separator(first):
        exported = cells_in(first, separator)
        return lambda line: export_fields(line, separator, exported, market)
    if set(PRIVATE_FIELDS) <= set(columns := cells_in(first, ";")):
        if not trader_id:
            raise FileError("this file names no trader: say whose trades they are with --trader")
        return lambda line: _private_line(line, columns, market, trader_id)
    raise FileError(
        "the file is in none of the known formats: JSON lines of confirmations, CSV with the columns "
        f"{','.join(CSV_FIELDS)}, the exchange's private trades with {';'.join(PRIVATE_FIELDS)}, or a period's trades "
        "as this desk exports them"
    )


def _day_and_period(fields: Fields) -> tuple[str, str]:
    return str(fields.get("delivery_day", "")), str(fields.get("delivery_hour", ""))


def _confirmation(
    fields: Fields | Unusable, labels: Mapping[tuple[str, str], str], days: Days
) -> TradeConfirmation | Unusable:
    if isinstance(fields, Unusable):
        return fields
    written = fields.get("id")
    if isinstance(written, str) and ROUNDED.fullmatch(written):
        return Unusable(
            ROUNDED_ID, f"id “{written[:30]}” was rounded by a spreadsheet: export the file with ids as text"
        )
    label = labels.get(_day_and_period(fields))
    return confirmation_of(fields if label is None else {**fields, "delivery_hour": label}, days)


def _decision(fields: Fields | Unusable) -> str:
    return "" if isinstance(fields, Unusable) else str(fields.get("decision", ""))


def _json_fields(line: str) -> Fields | Unusable:
    fields = fields_in(line.encode())
    hour = None if isinstance(fields, Unusable) else fields.get("delivery_hour")
    if isinstance(fields, Unusable) or not isinstance(hour, Decimal):
        return fields
    is_bare = hour.as_tuple().exponent == 0 and not hour.is_signed()
    return {**fields, "delivery_hour": f"{hour:f}"} if is_bare else fields


def _csv_fields(line: str, names: list[str]) -> Fields | Unusable:
    fields = named_cells(line, ",", names)
    if isinstance(fields, Unusable):
        return fields
    try:
        fields["price"], fields["quantity"] = decimal_in(fields, "price"), decimal_in(fields, "quantity")
    except ValueError as error:
        return Unusable("bad_line", str(error), fields["id"][:255])
    return fields


def _private_line(line: str, names: list[str], market: MarketWords, trader_id: str) -> Fields | Unusable:
    cells = named_cells(line, ";", names)
    if isinstance(cells, Unusable):
        return cells
    try:
        return {**_private_fields(cells, market), "trader_id": trader_id}
    except ValueError as error:
        return Unusable("bad_line", str(error), cells["TradeId"][:255])


def _private_fields(cells: Fields, market: MarketWords) -> Fields:
    """A private trade in a confirmation's terms: MWh over the period's hours is MW."""
    if cells["Side"] not in {"SELL", "BUY"}:
        raise ValueError(f"Side “{cells['Side'][:20]}” is neither SELL nor BUY")
    if cells["VolumeUnit"].upper() != "MWH":
        raise ValueError(f"VolumeUnit “{cells['VolumeUnit'][:20]}” is not MWH")
    period = DeliveryPeriod(timestamp_of(cells["DeliveryStart"]), timestamp_of(cells["DeliveryEnd"]))
    day = day_of(period.start, market.days)
    if cells["Currency"] != (ours := market.currency_on(day)):
        raise ValueError(f"Currency “{cells['Currency'][:20]}” is not the market's {ours} of {day}")
    return {
        "id": cells["TradeId"],
        "price": decimal_in(cells, "Price"),
        "quantity": decimal_in(cells, "Volume") / period.hours,
        "direction": cells["Side"].lower(),
        "delivery_day": day.isoformat(),
        "delivery_hour": _product_label(period, day, market.days),
        "execution_time": cells["ExecutionTime"],
    }


def _product_label(period: DeliveryPeriod, day: date, days: Days) -> str:
    """The period's label; ValueError where the delivery day has no such product."""
    label = label_of(period, days)
    try:
        is_product = parse_period(day, label, days).period == period
    except PeriodError:
        is_product = False
    if not is_product:
        raise ValueError(f"a period of {period.duration} from {period.start:%H:%M} UTC on is no product of {day}")
    return label
