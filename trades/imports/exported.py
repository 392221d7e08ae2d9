"""What the desk itself has exported of a period's trades, read back: a line -> a confirmation's fields. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from market.labels import unguarded
from market.periods import Days, PeriodError, calendar_of, parse_day
from trades.imports.lines import ROUNDED, ROUNDED_ID, Fields, FileError, cells_in, decimal_in, named_cells
from trades.ledger.confirmations import Unusable

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
MARKET_FIELDS = ("market", "currency", "time_zone")
DECIDED = "decided"
"""The reason of an exported line whose trade a person has decided about, if that decision is not here."""
SECOND_SIDE = "booked as a second side"
_SECOND_SIDE = re.compile(r".+ \((buy|sell)\)", re.DOTALL)
"""How the id ends under which a person has booked the other side of a trade (trades/ledger/decisions.py)."""
_WITHOUT_ZONE = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d+)?", re.ASCII)


CurrencyOn = Callable[[date], str]
"""The currency of a market on a delivery day."""


@dataclass(frozen=True, slots=True)
class MarketWords:
    """What a market is called in files: its code ("" for any), and by the delivery day its currency and its zone."""

    code: str
    currency_on: CurrencyOn
    days: Days

    def on(self, day: str) -> dict[str, str]:
        """The words that a line of this delivery day must have where it has any; the code alone for no day at all."""
        try:
            parsed = parse_day(day)
        except PeriodError:
            return {"market": self.code}
        zone = calendar_of(self.days).on(parsed).zone.key
        return dict(zip(MARKET_FIELDS, (self.code, self.currency_on(parsed), zone), strict=True))


def export_separator(first: str) -> str | None:
    """What parts the cells of the desk's own export; None for another file."""
    needed = {*EXPORT_FIELDS.values(), "change"}
    return next((separator for separator in ",;" if needed <= set(cells_in(first, separator))), None)


def export_fields(line: str, separator: str, names: list[str], market: MarketWords) -> Fields | Unusable:
    """A line that the desk itself has exported: guarded text, the reader's decimal mark, UTC without saying so.

    Raises FileError for another market's.
    """
    cells = named_cells(line, separator, names, as_they_are=True)
    if isinstance(cells, Unusable):
        return cells
    _refuse_another_market(cells, market)
    fields: Fields = {name: unguarded(cells[column]) for name, column in EXPORT_FIELDS.items()}
    if separator == ";":
        fields |= {name: fields[name].replace(",", ".") for name in ("price", "quantity", "execution_time")}
    if _WITHOUT_ZONE.fullmatch(fields["execution_time"]):
        fields["execution_time"] += "Z"
    second = _SECOND_SIDE.fullmatch(fields["id"])
    fields["decision"] = cells["change"] or (SECOND_SIDE if second and second[1] == fields["direction"] else "")
    if ROUNDED.fullmatch(fields["trader_id"]):
        return Unusable(ROUNDED_ID, f"trader_id “{fields['trader_id'][:30]}” was made a number by a spreadsheet")
    try:
        return fields | {name: decimal_in(fields, name) for name in ("price", "quantity")}
    except ValueError as error:
        return Unusable("bad_line", str(error), fields["id"][:255])


def _refuse_another_market(cells: Fields, market: MarketWords) -> None:
    for name, ours in market.on(cells["delivery_day"]).items():
        if ours and cells.get(name, ours) != ours:
            raise FileError(f"the file is of another market: its {name} is “{cells[name][:40]}”, not {ours}")
