"""Frames that are as they usually are: read at once, and never otherwise than by JSON and the rules one by one."""

from __future__ import annotations

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from tests.trades.ledger.test_confirmations import BERLIN, FIELDS, accepted, frame
from trades.ledger import confirmations
from trades.ledger.confirmations import TradeConfirmation, parse_frame

NEARLY_USUAL = {
    "id": ["7", "", "a b", "ü", '\\"', "\\u00e9", "x" * 255, "x" * 256, "\t", "~"],
    "price": [
        "0",
        "-0",
        "-0.0",
        "99999",
        "99999.5",
        "-99999.0001",
        "1.23456",
        "01",
        "1e2",
        "-",
        "1.",
        ".5",
        '"1"',
        "null",
    ],
    "quantity": ["1", "0", "0.0", "-1", "99999", "99999.1", "0.0001", "0.00001", "1E1", "true"],
    "direction": ["buy", "sell", "BUY", ""],
    "delivery_day": ["2026-10-25", "2026-03-29", "2026-02-30", "1999-01-01", "2026-1-1"],
    "delivery_hour": ["08-09", "02-03", "08:15-08:30", "02-03B", "23-24", "8-9", "24-25", "08-20", "12:10-12:20"],
    "trader_id": ["trader_1", "", "<b>", "€"],
    "execution_time": [
        *("2026-11-23T08:59:59Z", "2026-11-23T08:59:59.1Z", "2026-11-23T08:59:59.123456Z", "2026-11-23T24:00:00Z"),
        *("2026-11-23T23:59:60Z", "2026-02-30T08:59:59Z", "2026-11-23T08:59:59+01:00", "2026-11-23t08:59:59z"),
    ],
}
"""What stands in the frame: numbers bare, texts within quotes."""


@given(
    said=st.fixed_dictionaries({name: st.sampled_from(values) for name, values in NEARLY_USUAL.items()}),
    usual=st.sets(st.sampled_from(list(FIELDS)), min_size=5),
    envelope=st.sampled_from(["trade_confirmation", "deal_confirmation", "other"]),
    space=st.sampled_from(["", " ", "\n\t\r", "\f", " " * 100]),
    more=st.sampled_from(["", ', "venue": 1', ', "id": "8"', ","]),
    swapped=st.booleans(),
)
def test_what_is_read_at_once_is_read_alike_by_json(
    said: dict[str, str], usual: set[str], envelope: str, space: str, more: str, swapped: bool
) -> None:
    values = {name: NEARLY_USUAL[name][0] if name in usual else value for name, value in said.items()}
    quoted = {n: v if n in {"price", "quantity"} else f'"{v}"' for n, v in values.items()}
    fields = [f'"{name}"{space}:{space}{value}' for name, value in quoted.items()]
    inner = f",{space}".join(reversed(fields) if swapped else fields)
    data = f'{space}{{"{envelope}":{space}{{{inner}{more}{space}}}}}{space}'.encode()
    with mock.patch.object(confirmations, "_usual_confirmation", return_value=None):
        by_json = parse_frame(data, BERLIN)
    assert parse_frame(data, BERLIN) == by_json
    if isinstance(by_json, TradeConfirmation):
        assert repr(parse_frame(data, BERLIN)) == repr(by_json), "the same digits, too"


def test_a_usual_frame_is_read_at_once() -> None:
    for data in (frame(), frame(price=-1), frame(delivery_hour="12:15-12:30"), frame().replace(b" ", b"")):
        assert confirmations._usual_confirmation(data, BERLIN) == accepted(data)
    for data in (
        frame(venue="XBID"),
        frame(id="ü"),
        frame() + b" " * 2000,
        frame(quantity=0),
        frame(delivery_hour="24-25"),
    ):
        assert confirmations._usual_confirmation(data, BERLIN) is None
