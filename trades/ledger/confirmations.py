"""Wire text -> TradeConfirmation, or the reason why not. Pure: no Django, no clock, no network.

The decision table is docs/confirmations.md; tests/trades/ledger/test_confirmations.py has one test a row.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from market.labels import parse_period
from market.periods import Days, DeliveryPeriod, PeriodError, parse_day
from market.rules import DayRules, product_of

ENVELOPES = ("trade_confirmation", "deal_confirmation")
LARGEST_FRAME = 1024 * 1024
"""Bytes; a confirmation has a few hundred. Anything larger is kept aside unread."""

_T = TypeVar("_T")
_LIMIT = Decimal(99_999)
_STEP = Decimal("0.0001")
_ZERO = Decimal("0.0000")
_LONGEST_ID = 255
_TIMESTAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2}|\d{8}|\d{4}-W\d{2}-\d|\d{4}W\d{3})[T ]"
    r"(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)? ?(Z|UTC|[+-]\d{2}(?::?\d{2})?)",
    re.ASCII | re.IGNORECASE,
)
"""ISO 8601, extended or basic, and what exchanges and data frames make of it: spaces for the T and before the zone."""
_USUAL_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
"""What nearly all are: Python reads these by itself, and quicker."""
_JSON_TEXT = r'"([ !#-\[\]-~]{1,255})"'
_JSON_NUMBER = r"(-?(?:0|[1-9]\d{0,4})(?:\.\d{1,4})?)"
_USUAL_FIELDS = {
    "id": _JSON_TEXT,
    "price": _JSON_NUMBER,
    "quantity": _JSON_NUMBER.replace("-?", ""),
    "direction": '"(buy|sell)"',
    "delivery_day": r'"(\d{4}-\d\d-\d\d)"',
    "delivery_hour": r'"([\d:-]{5,11})"',
    "trader_id": _JSON_TEXT,
    "execution_time": f'"({_USUAL_TIMESTAMP.pattern})"',
}
_SPACE = r"[ \t\n\r]*"
_USUAL_FRAME = re.compile(
    rf'{_SPACE}\{{{_SPACE}"(?:trade|deal)_confirmation"{_SPACE}:{_SPACE}\{{{_SPACE}'
    + f"{_SPACE},{_SPACE}".join(f'"{name}"{_SPACE}:{_SPACE}{value}' for name, value in _USUAL_FIELDS.items())
    + rf"{_SPACE}\}}{_SPACE}\}}{_SPACE}",
    re.ASCII,
)
"""What the wire is documented to look like, and nearly every frame does: read at once, in half the time of JSON."""
_LONGEST_USUAL_FRAME = 2000
_CLOCKS_MAY_DIFFER = timedelta(seconds=60)
_OLDEST_EXECUTION = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class TradeConfirmation:
    """A valid confirmation. Price EUR/MWh, quantity MW, times UTC; `delivery_hour` is the canonical label."""

    exchange_id: str
    trader_id: str
    direction: str
    price: Decimal
    quantity: Decimal
    delivery_day: date
    delivery_hour: str
    period: DeliveryPeriod
    execution_time: datetime
    ambiguous_hour: bool = False

    @property
    def energy(self) -> Decimal:
        """MWh: quantity times the period's hours, exact."""
        return self.quantity * self.period.hours

    @property
    def turnover(self) -> Decimal:
        """EUR: price times energy, exact."""
        return self.price * self.energy


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a frame can't be booked: `reason` for machines, `detail` for people, the id where it could be read."""

    reason: str
    detail: str
    exchange_id: str = ""


class _Refusal(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def parse_frame(frame: bytes, days: Days) -> TradeConfirmation | Unusable:
    """One frame of the exchange's websocket, for a market with these delivery days. Never raises."""
    usual = _usual_confirmation(frame, days)
    if usual is not None:
        return usual
    fields: dict[str, Any] = {}
    try:
        fields = _fields_of(frame)
        return _confirmation(fields, days)
    except _Refusal as refusal:
        return Unusable(refusal.reason, refusal.detail, _readable_id(fields))


def fields_in(text: bytes) -> dict[str, Any] | Unusable:
    """The fields of a line of JSON, in an envelope as the wire has it or without one; numbers are Decimals."""
    try:
        message = _json(text)
        if isinstance(message, dict) and "id" in message and not message.keys() & set(ENVELOPES):
            return message
        return _fields_of(text)
    except _Refusal as refusal:
        return Unusable(refusal.reason, refusal.detail)


def confirmation_of(fields: dict[str, Any], days: Days) -> TradeConfirmation | Unusable:
    """A confirmation from a line of a file: the same fields and rules, and the hours that only files write ("14")."""
    try:
        return _confirmation(fields, days, from_file=True)
    except _Refusal as refusal:
        return Unusable(refusal.reason, refusal.detail, _readable_id(fields))


def timestamp_of(text: str) -> datetime:
    """A time like 2023-02-06T06:13:45Z as UTC; ValueError with one sentence for anything else."""
    try:
        return _timestamp(text)
    except _Refusal as refusal:
        raise ValueError(refusal.detail) from None


def flags_of(
    confirmation: TradeConfirmation, *, received_at: datetime, gate_closes_at: datetime, rules: DayRules
) -> list[str]:
    """What is odd about a trade that is booked all the same (trades.models.TradeFlag), by the rules of its day; but for
    a trader who is unknown."""
    executed, period = confirmation.execution_time, confirmation.period
    flags = []
    if received_at >= gate_closes_at:
        flags.append("period_closed")
    is_recent = received_at - _OLDEST_EXECUTION <= executed <= received_at + _CLOCKS_MAY_DIFFER
    if not is_recent or executed >= period.start:
        flags.append("odd_execution_time")
    if confirmation.ambiguous_hour:
        flags.append("ambiguous_hour")
    if not rules.is_within_bounds(confirmation.price):
        flags.append("price_out_of_bounds")
    if product_of(period) not in rules.products:
        flags.append("unlisted_product")
    return flags


def _usual_confirmation(frame: bytes, days: Days) -> TradeConfirmation | None:
    """A frame that is as frames usually are, and right; None for any other: the rules below have to say what it is."""
    if len(frame) > _LONGEST_USUAL_FRAME or not frame.isascii():
        return None
    match = _USUAL_FRAME.fullmatch(frame.decode())
    if match is None:
        return None
    exchange_id, price, quantity, direction, day, label, trader_id, executed = match.groups()
    try:
        delivery_day = parse_day(day)
        period = parse_period(delivery_day, label, days)
        execution_time = datetime.fromisoformat(executed)
    except ValueError:  # PeriodError, too
        return None
    eur, mw = Decimal(price), Decimal(quantity)
    if number_problem(eur) or number_problem(mw) or not mw:
        return None
    numbers = eur.quantize(_STEP) or _ZERO, mw.quantize(_STEP)
    said = (exchange_id, trader_id, direction, *numbers, delivery_day, period.label, period.period, execution_time)
    return TradeConfirmation(*said, period.ambiguous)


def _fields_of(frame: bytes) -> dict[str, Any]:
    message = _json(frame)
    if not isinstance(message, dict):
        raise _Refusal("other_message", f"a JSON {_kind(message)}, not a confirmation")
    envelopes = [name for name in ENVELOPES if name in message]
    if not envelopes:
        names = ", ".join(sorted(message)[:5])
        raise _Refusal("other_message", f"no confirmation in it; fields: {_short(names) or 'none'}")
    if len(envelopes) == 2:
        raise _Refusal("two_envelopes", "both a trade_confirmation and a deal_confirmation")
    fields = message[envelopes[0]]
    if not isinstance(fields, dict):
        raise _Refusal("bad_envelope", f"{envelopes[0]} is a JSON {_kind(fields)}, not an object")
    return fields


def _json(frame: bytes) -> Any:
    if not frame.strip():
        raise _Refusal("empty", "an empty frame")
    if len(frame) > LARGEST_FRAME:
        raise _Refusal("too_large", f"{len(frame)} bytes; a confirmation has at most {LARGEST_FRAME}")
    try:
        text = frame.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Refusal("not_utf8", f"not UTF-8 text at byte {error.start}") from None
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise _Refusal("too_deep", "JSON nested too deeply") from None
    except (ValueError, ArithmeticError) as error:
        raise _Refusal("not_json", f"not JSON: {_short(str(error))}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _object_with_distinct_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Refusal("duplicate_field", "a field stands twice in one object")
    return result


_DECODER = json.JSONDecoder(
    parse_float=Decimal,
    parse_int=Decimal,
    parse_constant=_refuse_constant,
    object_pairs_hook=_object_with_distinct_names,
)


def _confirmation(fields: dict[str, Any], days: Days, *, from_file: bool = False) -> TradeConfirmation:
    exchange_id = _identifier(_with_id_as_text(fields), "id")
    price = _number(fields, "price")
    quantity = _number(fields, "quantity")
    if quantity <= 0:
        raise _Refusal("bad_quantity", f"quantity {_short(str(quantity))} is not above 0")
    direction = _text(fields, "direction")
    if direction not in {"buy", "sell"}:
        raise _Refusal("bad_direction", f"direction “{_short(direction)}” is neither buy nor sell")
    day = _understood(parse_day, _text(fields, "delivery_day"), "delivery_day")
    label = _text(fields, "delivery_hour")
    try:
        parsed = parse_period(day, label, days, from_file=from_file)
    except PeriodError as error:
        raise _Refusal("bad_delivery_hour", _short(str(error), 200)) from None
    return TradeConfirmation(
        exchange_id,
        _identifier(fields, "trader_id"),
        direction,
        price,
        quantity,
        day,
        parsed.label,
        parsed.period,
        _timestamp(_text(fields, "execution_time")),
        parsed.ambiguous,
    )


def _understood(parse: Callable[[str], _T], text: str, field: str) -> _T:
    try:
        return parse(text)
    except PeriodError as error:
        raise _Refusal(f"bad_{field}", _short(str(error), 200)) from None


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str):
        return value
    raise _not_a(fields, name, "text")


def _not_a(fields: dict[str, Any], name: str, wanted: str) -> _Refusal:
    if name not in fields:
        return _Refusal(f"missing_{name}", f"{name} is missing")
    return _Refusal(f"bad_{name}", f"{name} is a JSON {_kind(fields[name])}, not {wanted}")


def _with_id_as_text(fields: dict[str, Any]) -> dict[str, Any]:
    """Some exchanges write ids as JSON integers: such an id is its digits."""
    value = fields.get("id")
    if isinstance(value, Decimal) and value.as_tuple().exponent == 0 and not value.is_signed():
        return {**fields, "id": f"{value:f}"}
    return fields


def _identifier(fields: dict[str, Any], name: str) -> str:
    value = _text(fields, name)
    problem = identifier_problem(value)
    if problem:
        raise _Refusal(f"bad_{name}", f"{name} {problem}")
    return value


def identifier_problem(value: str) -> str:
    """What is wrong with an id or trader id, or "": 1 to 255 characters, none of them a control character."""
    if not 1 <= len(value) <= _LONGEST_ID:
        return f"has {len(value)} characters; 1 to {_LONGEST_ID} are allowed"
    if value.isascii() and value.isprintable():  # what nearly all are
        return ""
    if any(unicodedata.category(c) in {"Cc", "Cs"} for c in value):
        return "has control characters or broken text"
    return ""


def _number(fields: dict[str, Any], name: str) -> Decimal:
    value = fields.get(name)
    if not isinstance(value, Decimal):
        raise _not_a(fields, name, "a number")
    problem = number_problem(value)
    if problem:
        raise _Refusal(f"bad_{name}", f"{name} {_short(str(value))} {problem}")
    return value.quantize(_STEP) or _ZERO  # without the sign of a -0


def number_problem(value: Decimal) -> str:
    """What is wrong with a price or a quantity, or "": within ±99,999 and at most 4 decimals."""
    if not (value.is_finite() and -_LIMIT <= value <= _LIMIT):  # comparing never overflows, abs() does
        return f"is not within ±{_LIMIT}"
    if value.quantize(_STEP) != value:
        return "has more than 4 decimals"
    return ""


def _timestamp(text: str) -> datetime:
    if _USUAL_TIMESTAMP.fullmatch(text):
        with suppress(ValueError):  # 24:00 and leap seconds
            return datetime.fromisoformat(text)
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        raise _Refusal("bad_execution_time", f"“{_short(text)}” is not a time like 2023-02-06T06:13:45Z")
    day, hour, minute, second, fraction, zone = match.groups()
    since_midnight = timedelta(
        hours=int(hour),
        minutes=int(minute),
        seconds=int(second or 0),
        microseconds=int((fraction or "0")[:6].ljust(6, "0")),
    )
    # 24:00 is the end of its day, and second 60 is a leap second; both are the next moment's other name.
    if int(minute) > 59 or int(second or 0) > 60 or since_midnight > timedelta(days=1):
        raise _Refusal("bad_execution_time", f"“{_short(text)}” is not in the calendar")
    try:
        midnight = datetime.fromisoformat(day.upper())
        return (midnight + since_midnight).replace(tzinfo=_offset(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Refusal("bad_execution_time", f"“{_short(text)}” is not in the calendar") from None


def _offset(zone: str) -> timezone:
    """The offset from UTC that Z, UTC, +01, +0100 or +01:00 says; ValueError above a day."""
    if zone.upper() in {"Z", "UTC"}:
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if minutes > 59:
        raise ValueError(zone)
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1))


def _readable_id(fields: dict[str, Any]) -> str:
    value = _with_id_as_text(fields).get("id")
    return value if isinstance(value, str) and not identifier_problem(value) else ""


def _kind(value: object) -> str:
    kinds = {dict: "object", list: "array", str: "text", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")


def _short(text: str, length: int = 60) -> str:
    clean = "".join(c if unicodedata.category(c) not in {"Cc", "Cs"} else "�" for c in text[: length + 1])
    return clean if len(clean) <= length else clean[:length] + "…"
