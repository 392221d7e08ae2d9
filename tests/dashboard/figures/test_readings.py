"""Readings: the same trades by product, hour or quarter; nothing is lost or rounded, each is counted once."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.readings import (
    Reading,
    counted_once,
    fitting,
    known_reading,
    net_by_quarter,
    parts_of,
    quarters_of,
    read,
    rows_of,
)
from market.labels import parse_period
from market.periods import DeliveryPeriod, day_periods
from market.totals import ZERO, Total

ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "Europe/London", "Europe/Lisbon", "Europe/Helsinki")]
WORLDS = 1000
CHANGES = [date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31)]
DAY = date(2026, 11, 23)
BERLIN = ZONES[0]

Legs = dict[DeliveryPeriod, dict[str, Total]]


def period(label: str) -> DeliveryPeriod:
    return parse_period(DAY, label, BERLIN).period


def total(count: int, mwh: str, eur: str) -> Total:
    return Total(count, Decimal(mwh), Decimal(eur))


def test_an_hour_is_four_quarters_of_the_same_price() -> None:
    legs = {period("12-13"): {"sell": total(2, "10", "300")}}
    rows = read(legs, Reading.QUARTER)
    assert list(rows) == list(day_periods(DAY, BERLIN, 15)[48:52])
    assert all(row == {"sell": total(2, "2.5", "75.0")} for row in rows.values())


def test_a_half_hour_is_two_and_a_quarter_is_in_its_hour() -> None:
    legs = {period("12:30-13:00"): {"buy": total(1, "3", "60")}, period("12:45-13:00"): {"sell": total(1, "1", "25")}}
    assert read(legs, Reading.QUARTER) == {
        period("12:30-12:45"): {"buy": total(1, "1.5", "30")},
        period("12:45-13:00"): {"buy": total(1, "1.5", "30"), "sell": total(1, "1", "25")},
    }
    assert read(legs, Reading.HOUR) == {period("12-13"): {"buy": total(1, "3", "60"), "sell": total(1, "1", "25")}}
    assert read(legs, Reading.PRODUCT) == legs


def test_an_hour_sold_and_one_of_its_quarters_bought_back_is_not_flat() -> None:
    legs = {period("12-13"): {"sell": total(1, "4", "80")}, period("12:15-12:30"): {"buy": total(1, "4", "90")}}
    (hour,) = read(legs, Reading.HOUR).values()
    assert hour["sell"].energy == hour["buy"].energy
    net = [
        row.get("buy", Total()).energy - row.get("sell", Total()).energy for row in read(legs, Reading.QUARTER).values()
    ]
    assert net == [-1, 3, -1, -1]


def a_day(chance: random.Random, zone: ZoneInfo | None = None, day: date | None = None) -> Legs:
    """Trades of every length, blocks too, on some day in some zone, clock changes more often than not."""
    zone = zone or chance.choice(ZONES)
    day = day or chance.choice([*CHANGES, DAY + timedelta(days=chance.randrange(400))])
    legs: Legs = {}
    hours = day_periods(day, zone)
    blocks = [sorted(chance.sample(hours, 2)) for _ in range(chance.randrange(4))]
    for chosen in (
        *(chance.sample(day_periods(day, zone, minutes), chance.randrange(1, 20)) for minutes in (60, 30, 15)),
        {DeliveryPeriod(first.start, last.end) for first, last in blocks},
    ):
        for one in chosen:
            for side in chance.sample(["buy", "sell"], chance.randrange(1, 3)):
                mw, price = (
                    Decimal(chance.randrange(1, 99_999)) / 1000,
                    Decimal(chance.randrange(-999_999, 999_999)) / 100,
                )
                mwh = mw * one.hours
                legs.setdefault(one, {})[side] = Total(chance.randrange(1, 9), mwh, mwh * price)
    return legs


def sums(rows: Legs, side: str) -> tuple[Decimal, Decimal]:
    found = [sides[side] for sides in rows.values() if side in sides]
    return sum((t.energy for t in found), ZERO), sum((t.turnover for t in found), ZERO)


def test_energy_and_money_are_the_same_in_every_reading_of_a_thousand_days() -> None:
    """In the zones of Berlin, London, Lisbon and Helsinki; days of 92 and of 100 quarters among them."""
    for seed in range(WORLDS):
        legs = a_day(random.Random(seed))
        for reading in Reading:
            rows = read(legs, reading)
            for side in ("buy", "sell"):
                assert sums(rows, side) == sums(legs, side), (seed, reading, side)
            minutes = reading.minutes
            assert minutes is None or {row.duration for row in rows} == {timedelta(minutes=minutes)}
        assert read(read(legs, Reading.QUARTER), Reading.HOUR).keys() == read(legs, Reading.HOUR).keys()


@given(st.integers(0, 10_000))
def test_a_trade_counts_once_in_a_total(seed: int) -> None:
    legs = a_day(random.Random(seed))
    for side in ("buy", "sell"):
        assert counted_once(legs, side) == sum(sides[side].trade_count for sides in legs.values() if side in sides)
        by_quarter = sum(sides[side].trade_count for sides in read(legs, Reading.QUARTER).values() if side in sides)
        assert by_quarter >= counted_once(legs, side)


@pytest.mark.parametrize("reading", Reading)
def test_nothing_stays_nothing(reading: Reading) -> None:
    assert read({}, reading) == {}


def test_what_each_quarter_is_really_short_or_long() -> None:
    hour = period("12-13")
    sold = {hour: {"sell": total(1, "4", "80")}}
    assert quarters_of(hour, net_by_quarter(sold)) == (-1, -1, -1, -1)
    bought_back = sold | {period("12:15-12:30"): {"buy": total(1, "4", "90")}}
    assert quarters_of(hour, net_by_quarter(bought_back)) == (-1, 3, -1, -1)
    assert quarters_of(period("13-14"), net_by_quarter(bought_back)) == (), "nobody has traded"
    assert quarters_of(period("12:15-12:30"), net_by_quarter(bought_back)) == (), "no hour"


def test_the_quarters_nets_are_the_day_s_net_of_any_day() -> None:
    for seed in range(100):
        legs = a_day(random.Random(seed))
        (bought, _), (sold, _) = sums(legs, "buy"), sums(legs, "sell")
        nets = net_by_quarter(legs)
        assert sum(nets.values(), ZERO) == bought - sold
        hours = {row for one in legs for row in rows_of(one, Reading.HOUR)}
        assert sum((sum(quarters_of(hour, nets), ZERO) for hour in hours), ZERO) == bought - sold


def test_the_rows_that_a_product_touches() -> None:
    hour, quarter = period("12-13"), period("12:15-12:30")
    assert rows_of(hour, Reading.PRODUCT) == rows_of(hour, Reading.HOUR) == rows_of(quarter, Reading.HOUR) == (hour,)
    assert rows_of(quarter, Reading.PRODUCT) == rows_of(quarter, Reading.QUARTER) == (quarter,)
    assert len(rows_of(hour, Reading.QUARTER)) == 4


def test_the_parts_of_a_product_and_the_readings_that_have_a_row_of_its_length() -> None:
    hour, half, quarter = period("12-13"), period("12:30-13:00"), period("12:15-12:30")
    assert [parts_of(one, Reading.QUARTER) for one in (hour, half, quarter)] == [4, 2, 1]
    assert [parts_of(hour, reading) for reading in (Reading.PRODUCT, Reading.HOUR)] == [1, 1]
    assert [fitting(Reading.QUARTER, one) for one in (hour, half, quarter)] == ["product", "product", "quarter"]
    assert [fitting(Reading.HOUR, one) for one in (hour, half, quarter)] == ["hour", "product", "product"]
    assert fitting(Reading.PRODUCT, half) == "product"


def test_a_word_that_is_no_reading_reads_by_product() -> None:
    assert [known_reading(word) for word in ("hour", "quarter", "product", "HOUR", "")] == [
        "hour",
        "quarter",
        "product",
        "product",
        "product",
    ]
