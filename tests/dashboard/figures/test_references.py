"""By whose price a row's figures go: means of hours, their course, and when one is final."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.references import mean, mean_of, mean_path, mean_timeline, reference_of
from market.models import Market
from market.periods import DeliveryPeriod, day_periods
from market.rules import BLOCK, DatedSource, ReferenceSource
from prices.queries import KnownPrice, PricePoint, PriceTimeline
from tests.market.test_periods import BERLIN

DAY = date(2026, 11, 20)
HOURS = day_periods(DAY, BERLIN)
FIRST = datetime.fromisoformat("2026-11-20T06:00Z")

values = st.decimals(-9999, 9999, places=10)


def minutes(count: int) -> datetime:
    return FIRST + timedelta(minutes=count)


def known(value: str, updated: int, arrived: int, revision: int = 1) -> KnownPrice:
    return KnownPrice(Decimal(value), minutes(updated), minutes(arrived), revision)


def a_market(source: ReferenceSource, product: int) -> Market:
    market = Market(code="XX", time_zone="Europe/Berlin", gate_closure_minutes=5)
    market.dated = type(market.dated)(sources=(DatedSource(date(2000, 1, 1), product, source),))
    return market


@given(st.lists(values, min_size=1, max_size=25))
def test_a_mean_is_exact_to_the_tenth_decimal(prices: list[Decimal]) -> None:
    exact = sum(map(Fraction, prices)) / len(prices)
    assert abs(Fraction(mean(prices)) - exact) <= Fraction(1, 2 * 10**10)
    assert -mean(prices) == mean(-price for price in prices), "no side is rounded differently"


def test_a_mean_is_as_old_as_its_oldest_and_grows_with_each() -> None:
    one, two = known("10", 0, 3, revision=2), known("20.5", 10, 12, revision=5)
    assert mean_of([one]) is one
    both = mean_of([one, two])
    assert (both.value, both.last_update, both.arrived_at, both.revision) == (
        Decimal("15.25"),
        minutes(0),
        minutes(12),
        7,
    )


def test_the_course_of_a_mean_begins_when_all_are_known() -> None:
    def point(value: int, moment: int) -> PricePoint:
        return PricePoint(Decimal(value), minutes(moment), minutes(moment + 1))

    one, two = [point(10, 0), point(12, 20)], [point(20, 10), point(30, 30)]
    assert mean_path([one]) == tuple(one)
    assert [(float(p.value), p.last_update, p.arrived_at) for p in mean_path([one, two])] == [
        (15, minutes(0), minutes(11)),
        (16, minutes(10), minutes(21)),
        (21, minutes(20), minutes(31)),
    ]
    assert mean_path([one, []]) == mean_path([]) == ()


def test_the_same_by_slots() -> None:
    one = PriceTimeline((1, 3), (Decimal(10), Decimal(12)))
    two = PriceTimeline((2, 4), (Decimal(20), Decimal(30)))
    assert mean_timeline([one]) is one
    both = mean_timeline([one, two])
    assert (both.slots, [float(value) for value in both.values]) == ((2, 3, 4), [15, 16, 21])
    assert mean_timeline([one, None]) == mean_timeline([]) == mean_timeline([None]) == PriceTimeline((), ())


def test_a_block_goes_by_its_own_price_its_hours_or_none() -> None:
    block = DeliveryPeriod(HOURS[8].start, HOURS[10].end)
    prices = {hour: known(str(n), 0, 1) for n, hour in enumerate(HOURS)} | {block: known("99", 0, 1)}
    own = reference_of(a_market(ReferenceSource.OWN, BLOCK).period_rules(DAY, block), prices)
    assert own.price is not None and own.price.value == 99
    hours = reference_of(a_market(ReferenceSource.HOUR, BLOCK).period_rules(DAY, block), prices)
    assert hours.price is not None and (hours.price.value, hours.source) == (9, ReferenceSource.HOUR)
    assert reference_of(a_market(ReferenceSource.NONE, BLOCK).period_rules(DAY, block), prices).price is None
    del prices[HOURS[9]]
    assert reference_of(a_market(ReferenceSource.HOUR, BLOCK).period_rules(DAY, block), prices).price is None


def test_a_stand_in_is_final_with_the_last_of_those_that_it_stands_for() -> None:
    """A quarter's gate closes later than its hour's, whose price changes no more by then."""
    market, quarter = a_market(ReferenceSource.HOUR, 15), day_periods(DAY, BERLIN, 15)[35]
    hour = HOURS[8]  # 08-09 is delivered from 07:00 UTC on: its gate closes 55 minutes after FIRST
    assert reference_of(market.period_rules(DAY, quarter), {hour: known("1", 55, 56)}).is_final
    assert not reference_of(market.period_rules(DAY, quarter), {hour: known("1", 54, 56)}).is_final
    block = DeliveryPeriod(HOURS[8].start, HOURS[9].end)
    market = a_market(ReferenceSource.HOUR, BLOCK)
    first_only = {HOURS[8]: known("1", 55, 56), HOURS[9]: known("1", 114, 116)}
    assert not reference_of(market.period_rules(DAY, block), first_only).is_final
    assert reference_of(market.period_rules(DAY, block), first_only | {HOURS[9]: known("1", 115, 116)}).is_final


def test_what_a_market_remembers_of_a_period_is_what_its_rules_say_of_that_day() -> None:
    """Two rounds over more days than it remembers, over a dated rule and both clock changes."""
    market, days = a_market(ReferenceSource.HOUR, 15), [date(2026, 3, 24) + timedelta(days=n) for n in range(12)]
    for day in [*days, *days, date(2026, 10, 25), DAY]:
        for period in (*market.day_periods(day, 15), *market.day_periods(day)):
            found = market.period_rules(day, period)
            referred = market.reference_periods(day, period)
            assert (found.label, found.gates) == (market.label_of(period), market.gates(day, period))
            assert found.source is market.reference_source(day, period)
            assert found.referred == tuple((one, market.gate_closure(day, one)) for one in referred)
            assert found.opens_at == market.opens_at(day, period)
