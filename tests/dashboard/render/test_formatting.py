"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils.html import conditional_escape
from hypothesis import given
from hypothesis import strategies as st

from dashboard.render import formatting as fmt
from dashboard.render.formatting import Trend

BERLIN = ZoneInfo("Europe/Berlin")
MOMENT = datetime(2026, 11, 23, 9, 31, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "—"),
        ("0", "0.00"),
        ("10.2", "10.20"),
        ("-3.59", "−3.59"),
        ("0.005", "0.01"),
        ("-0.005", "−0.01"),
        ("0.004999", "0.00"),
        ("-0.0049", "0.00"),
        ("1234567.891", "1\u202f234\u202f567.89"),
        ("-1000", "−1\u202f000.00"),
        ("99999999999999999999999999999999.995", "100" + "\u202f000" * 10 + ".00"),
    ],
)
def test_numbers(value: str | None, shown: str) -> None:
    assert fmt.number(None if value is None else Decimal(value)) == shown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("12.30", "12.30"),
        ("+1\u202f152.78", "+1<i>152</i>.78"),
        ("1\u202f234\u202f567.89 MWh", "1<i>234</i><i>567</i>.89 MWh"),
        ("<b> 1\u202f000", "&lt;b&gt; 1<i>000</i>"),
        ("from 1\u202f000 to 2\u202f000", "from 1<i>000</i> to 2<i>000</i>"),
    ],
)
def test_thousands_are_set_apart_without_a_space_that_would_be_read_aloud(text: str, html: str) -> None:
    assert conditional_escape(fmt.grouped(text)) == html
    assert "\u202f" not in fmt.spoken(text)


@pytest.mark.parametrize(
    ("value", "shown", "trend"),
    [
        (None, "—", Trend.NONE),
        ("0.4", "+0.40", Trend.GOOD),
        ("-3.2", "−3.20", Trend.BAD),
        ("0", "0.00", Trend.EVEN),
        ("0.004", "0.00", Trend.EVEN),
        ("-0.004", "0.00", Trend.EVEN),
        ("0.005", "+0.01", Trend.GOOD),
    ],
)
def test_results_have_a_sign_and_the_trend_of_what_is_shown(value: str | None, shown: str, trend: Trend) -> None:
    exact = None if value is None else Decimal(value)
    assert (fmt.number(exact, signed=True), fmt.trend(exact)) == (shown, trend)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_sign_and_colour_never_disagree(value: Decimal) -> None:
    first = fmt.number(value, signed=True)[0]
    assert {"+": Trend.GOOD, fmt.MINUS: Trend.BAD}.get(first, Trend.EVEN) == fmt.trend(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("20.5000", "20.5"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("1E-7", "0.0000001"),
        ("-0.00", "0"),
        ("-0.5", "-0.5"),
        ("0.12345678901234567890123456789012345678901234567890", "0.1234567890123456789012345678901234567890123456789"),
    ],
)
def test_exact_values_are_plain(value: str | None, text: str | None) -> None:
    assert fmt.plain(None if value is None else Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8))
def test_exact_values_are_exact(value: Decimal) -> None:
    assert Decimal(fmt.plain(value) or "") == value


def test_energy_that_was_not_traded_is_a_dash() -> None:
    assert (fmt.quantity(Decimal(0)), fmt.quantity(Decimal("12.3"))) == ("—", "12.30")


def test_moments_are_the_markets() -> None:
    assert (fmt.clock(MOMENT, BERLIN), fmt.clock_seconds(MOMENT, BERLIN)) == ("10:31", "10:31:07")
    assert fmt.utc(MOMENT.astimezone(BERLIN)) == "2026-11-23T09:31:07Z"


def test_titles() -> None:
    assert fmt.day_title(date(2026, 11, 3)) == "Tue 3 Nov 2026"
    assert fmt.period_title("02-03A") == "02–03A"
    assert (fmt.currency_sign("EUR"), fmt.currency_sign("SEK")) == ("€", "SEK")
