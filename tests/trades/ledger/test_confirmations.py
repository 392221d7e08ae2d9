"""The decision table of docs/confirmations.md: one test a row, and any bytes at all."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.rules import DayRules
from trades.ledger.confirmations import (
    LARGEST_FRAME,
    TradeConfirmation,
    Unusable,
    confirmation_of,
    fields_in,
    flags_of,
    parse_frame,
    timestamp_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
FIELDS: dict[str, Any] = {
    "id": "123",
    "price": 20.5,
    "quantity": 12.3,
    "direction": "buy",
    "delivery_day": "2023-02-06",
    "delivery_hour": "08-09",
    "trader_id": "trader_1",
    "execution_time": "2023-02-06T06:13:45Z",
}


def frame(envelope: str = "trade_confirmation", **changes: Any) -> bytes:
    fields = {name: value for name, value in {**FIELDS, **changes}.items() if value is not ...}
    return json.dumps({envelope: fields}).encode()


def raw(name: str, literal: str) -> bytes:
    """A frame with one field's JSON written out, for what json.dumps can't say."""
    return frame(**{name: "@@"}).replace(b'"@@"', literal.encode())


def accepted(data: bytes) -> TradeConfirmation:
    result = parse_frame(data, BERLIN)
    assert isinstance(result, TradeConfirmation), result
    return result


def refused(data: bytes) -> Unusable:
    result = parse_frame(data, BERLIN)
    assert isinstance(result, Unusable), result
    assert result.detail
    return result


@pytest.mark.parametrize("envelope", ["trade_confirmation", "deal_confirmation"])
def test_both_envelopes_are_the_same_trade(envelope: str) -> None:
    trade = accepted(frame(envelope))
    assert trade == TradeConfirmation(
        exchange_id="123",
        trader_id="trader_1",
        direction="buy",
        price=Decimal("20.5"),
        quantity=Decimal("12.3"),
        delivery_day=date(2023, 2, 6),
        delivery_hour="08-09",
        period=trade.period,
        execution_time=datetime(2023, 2, 6, 6, 13, 45, tzinfo=UTC),
    )
    assert trade.period.start == datetime(2023, 2, 6, 7, tzinfo=UTC)
    assert (trade.energy, trade.turnover) == (Decimal("12.3"), Decimal("252.15"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b" " + b"x" * LARGEST_FRAME, "too_large"),
        (b"\xff\xfe{}", "not_utf8"),
        (b'{"trade_confirmation": {"id": "\x80"}}', "not_utf8"),
        (b"hello", "not_json"),
        (b"{", "not_json"),
        (b'{"trade_confirmation": NaN}', "not_json"),
        (b"\x00", "not_json"),
        (frame() + b"{}", "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b"null", "other_message"),
        (b"[]", "other_message"),
        (b'"text"', "other_message"),
        (b"17", "other_message"),
        (b"{}", "other_message"),
        (b'{"heartbeat": 1}', "other_message"),
        (b'{"trade_confirmation": {}, "deal_confirmation": {}}', "two_envelopes"),
        (b'{"trade_confirmation": []}', "bad_envelope"),
        (b'{"trade_confirmation": null}', "bad_envelope"),
        (b'{"trade_confirmation": {"id": "1", "id": "2"}}', "duplicate_field"),
    ],
)
def test_frames_that_are_no_confirmation(data: bytes, reason: str) -> None:
    assert refused(data).reason == reason


@pytest.mark.parametrize("name", list(FIELDS))
def test_every_field_is_needed(name: str) -> None:
    assert refused(frame(**{name: ...})).reason == f"missing_{name}"


@pytest.mark.parametrize("name", list(FIELDS))
@pytest.mark.parametrize("value", [None, True, [], {}])
def test_no_field_may_be_of_another_kind(name: str, value: Any) -> None:
    assert refused(frame(**{name: value})).reason == f"bad_{name}"


@pytest.mark.parametrize("name", ["direction", "delivery_day", "delivery_hour", "trader_id", "execution_time"])
def test_texts_are_never_numbers(name: str) -> None:
    assert refused(frame(**{name: 7})).reason == f"bad_{name}"


@pytest.mark.parametrize("literal", ["7", "0", "12345678901234567890123456789", "9" * 255])
def test_an_id_written_as_an_integer_is_its_digits(literal: str) -> None:
    assert accepted(raw("id", literal)).exchange_id == literal


@pytest.mark.parametrize("literal", ["1.0", "1.5", "-1", "1e3", "1.23457E+11", "9" * 256])
def test_an_id_that_is_another_number_is_refused(literal: str) -> None:
    """What a spreadsheet has made of an id is not the id any more."""
    assert refused(raw("id", literal)).reason == "bad_id"


@pytest.mark.parametrize("name", ["price", "quantity"])
@pytest.mark.parametrize(
    "literal",
    ['"20.5"', '""', "100000", "99999.0001", "1e400", "1e-5", "0.00001", "1e999999999", "9" * 5000],
)
def test_numbers_that_are_refused(name: str, literal: str) -> None:
    assert refused(raw(name, literal)).reason == f"bad_{name}"


@pytest.mark.parametrize(
    "literal", ["1e99999999999999999999", "NaN", "Infinity", "-Infinity", "0x10", "01", "1.", "+1"]
)
def test_numbers_that_json_does_not_have(literal: str) -> None:
    assert refused(raw("price", literal)).reason == "not_json"


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("-25", "-25"),
        ("0", "0"),
        ("-0.0", "0"),
        ("99999", "99999"),
        ("-99999", "-99999"),
        ("1e2", "100"),
        ("20.1234", "20.1234"),
        ("20.50000000000000000000000000000000000000", "20.5"),
        ("0.1", "0.1"),
    ],
)
def test_prices_are_exact_and_may_be_negative(literal: str, value: str) -> None:
    assert str(accepted(raw("price", literal)).price.normalize() + 0) == str(Decimal(value).normalize() + 0)


@pytest.mark.parametrize("literal", ["0", "-1", "-0.0001", "0.0"])
def test_a_quantity_is_above_zero(literal: str) -> None:
    assert refused(raw("quantity", literal)).reason == "bad_quantity"


@pytest.mark.parametrize("value", ["BUY", "Sell", "", "b", "buy ", "hold"])
def test_a_direction_is_exactly_buy_or_sell(value: str) -> None:
    assert refused(frame(direction=value)).reason == "bad_direction"


@pytest.mark.parametrize("name", ["id", "trader_id"])
@pytest.mark.parametrize("value", ["", "x" * 256, "a\x00b", "a\nb", "\x1b[31m", "\x7f", "\x85", "\ud800"])
def test_identifiers_that_are_refused(name: str, value: str) -> None:
    assert refused(frame(**{name: value})).reason == f"bad_{name}"


@pytest.mark.parametrize("name", ["id", "trader_id"])
@pytest.mark.parametrize(
    "value", ["x" * 255, "0123456789abcdef" * 2, "<script>alert(1)</script>", "🌞" * 255, " ", "a/b", "=1+1", "\u2028"]
)
def test_any_other_text_is_an_identifier(name: str, value: str) -> None:
    trade = accepted(frame(**{name: value}))
    assert value == {"id": trade.exchange_id, "trader_id": trade.trader_id}[name]


@pytest.mark.parametrize("value", ["2023-02-30", "06.02.2023", "2023-2-6", "", "2023-02-06T00:00:00Z"])
def test_delivery_days_that_are_refused(value: str) -> None:
    assert refused(frame(delivery_day=value)).reason == "bad_delivery_day"


@pytest.mark.parametrize(
    "value", ["8", "14", "8-9", "10-08", "08:30-10:30", "24-25", "25-26", "", "08:10-08:25", "02-03B"]
)
def test_delivery_hours_that_are_refused(value: str) -> None:
    assert refused(frame(delivery_hour=value)).reason == "bad_delivery_hour"


@pytest.mark.parametrize(
    ("value", "label", "energy"),
    [("08:15-08:30", "08:15-08:30", "3.075"), ("08:30-09:00", "08:30-09:00", "6.15"), ("23-00", "23-24", "12.3")],
)
def test_other_products_and_spellings(value: str, label: str, energy: str) -> None:
    trade = accepted(frame(delivery_hour=value))
    assert (trade.delivery_hour, trade.energy) == (label, Decimal(energy))


def test_the_doubled_hour_is_taken_as_the_first_and_marked() -> None:
    trade = accepted(frame(delivery_day="2026-10-25", delivery_hour="02-03"))
    assert (trade.delivery_hour, trade.ambiguous_hour) == ("02-03A", True)
    trade = accepted(frame(delivery_day="2026-10-25", delivery_hour="02-03B"))
    assert (trade.delivery_hour, trade.ambiguous_hour) == ("02-03B", False)


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        ("2023-02-06T06:13:45Z", 0),
        ("2023-02-06T07:13:45+01:00", 0),
        ("2023-02-06T06:13:45.5Z", 500_000),
        ("2023-02-06T06:13:45.123456789Z", 123_456),
        ("2023-02-06T01:13:45.001-05:00", 1_000),
        ("2023-02-06 06:13:45+00:00", 0),
        ("2023-02-06 07:13:45.123456+01:00", 123_456),
        ("2023-02-06 06:13:45.123456 UTC", 123_456),
        ("2023-02-06 06:13:45 +0000", 0),
        ("2023-02-06T03:43:45-02:30", 0),
        ("2023-02-06T05:13:45-01", 0),
        ("20230206T061345Z", 0),
        ("20230206T071345,25+0100", 250_000),
        ("2023-W06-1T06:13:45Z", 0),
    ],
)
def test_execution_times_in_all_their_forms(value: str, micros: int) -> None:
    expected = datetime(2023, 2, 6, 6, 13, 45, micros, tzinfo=UTC)
    assert accepted(frame(execution_time=value)).execution_time == expected


@pytest.mark.parametrize(
    "value",
    [
        "2023-02-06T06:13:45",
        "2023-02-06",
        "yesterday",
        "",
        "2023-02-30T00:00:00Z",
        "2023-02-06T25:00:00Z",
        "1675663985",
        "0001-01-01T00:00:00+14:00",
        "2023-02-06T06:13:45+99:00",
        "2023-W54-1T00:00:00Z",
        "2023-02-06T06:60:00Z",
        "2023-02-06T06:13:61Z",
        "2023-02-06T24:00:01Z",
        "2023-02-06T06:13:45+01:60",
        "2023-02-06 06:13:45 CET",
    ],
)
def test_execution_times_that_are_refused(value: str) -> None:
    assert refused(frame(execution_time=value)).reason == "bad_execution_time"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2023-02-06T24:00:00Z", datetime(2023, 2, 7, tzinfo=UTC)),
        ("2023-02-06T06:13Z", datetime(2023, 2, 6, 6, 13, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_other_names_of_a_moment(value: str, moment: datetime) -> None:
    """24:00 is the end of its day, a leap second the next moment; without seconds it is a full minute."""
    assert timestamp_of(value) == moment


def test_unknown_fields_are_ignored() -> None:
    assert accepted(frame(venue="XBID", extra={"deep": [1, 2]})) == accepted(frame())


def test_the_id_is_named_where_it_can_be_read() -> None:
    assert refused(frame(price=None)).exchange_id == "123"
    assert refused(frame(id="a\nb")).exchange_id == ""


def flags(data: bytes, received: str = "2023-02-06T06:13:46Z") -> list[str]:
    return flags_of(
        accepted(data),
        received_at=datetime.fromisoformat(received),
        gate_closes_at=accepted(data).period.start - timedelta(minutes=5),
        rules=DayRules(BERLIN, "EUR", highest_price=Decimal(9999), products=frozenset({15, 60})),
    )


def test_nothing_is_odd_about_an_ordinary_trade() -> None:
    assert flags(frame()) == []


def test_oddities_are_flagged_and_never_refused() -> None:
    assert flags(frame(), received="2023-02-06T06:54:59Z") == []
    assert flags(frame(), received="2023-02-06T06:55:00Z") == ["period_closed"]
    assert flags(frame(execution_time="2023-02-06T06:14:46Z")) == []
    assert flags(frame(execution_time="2023-02-06T06:14:47Z")) == ["odd_execution_time"]
    assert flags(frame(execution_time="2023-02-05T04:13:45Z")) == ["odd_execution_time"]
    doubled = frame(delivery_day="2026-10-25", delivery_hour="02-03")
    assert flags(doubled) == ["ambiguous_hour"]
    assert flags(frame(price=9999.5)) == ["price_out_of_bounds"]
    assert flags(frame(delivery_hour="08:00-08:30")) == ["unlisted_product"]


@given(st.binary(max_size=400))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    parse_frame(data, BERLIN)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(name=st.sampled_from(list(FIELDS)), value=json_values)
def test_any_value_in_any_field_has_an_answer(name: str, value: Any) -> None:
    result = parse_frame(frame(**{name: value}), BERLIN)
    if isinstance(result, TradeConfirmation):
        assert result.quantity > 0
        assert abs(result.price) <= 99_999
        assert result.period.start < result.period.end


@given(
    price=st.decimals(min_value=-99_999, max_value=99_999, places=4),
    quantity=st.decimals(min_value="0.0001", max_value=99_999, places=4),
)
def test_numbers_arrive_exactly_as_they_were_sent(price: Decimal, quantity: Decimal) -> None:
    trade = accepted(
        frame(price="@p", quantity="@q").replace(b'"@p"', str(price).encode()).replace(b'"@q"', str(quantity).encode())
    )
    assert (trade.price, trade.quantity) == (price, quantity)


def test_a_line_of_a_file_may_name_its_hour_by_number() -> None:
    fields = {**FIELDS, "delivery_hour": "14", "price": Decimal(20), "quantity": Decimal(1)}
    line = confirmation_of(fields, BERLIN)
    assert isinstance(line, TradeConfirmation)
    assert line.delivery_hour == "14-15"
    refused = confirmation_of({**fields, "direction": "hold"}, BERLIN)
    assert isinstance(refused, Unusable)
    assert refused.exchange_id == "123"


def test_a_time_is_utc_or_a_sentence() -> None:
    assert timestamp_of("2023-02-06T08:13:45+02:00") == datetime(2023, 2, 6, 6, 13, 45, tzinfo=UTC)
    with pytest.raises(ValueError, match="time"):
        timestamp_of("yesterday")


def test_a_files_line_holds_its_fields_with_or_without_an_envelope() -> None:
    bare = json.dumps(FIELDS).encode()
    assert (
        fields_in(bare)
        == fields_in(frame())
        == {**FIELDS, **{k: Decimal(str(FIELDS[k])) for k in ("price", "quantity")}}
    )
    refusal = fields_in(b'{"trade_confirmation": {"id": "1", "id": "2"}}')
    assert isinstance(refusal, Unusable)
    assert refusal.reason == "duplicate_field"
