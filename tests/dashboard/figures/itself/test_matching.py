"""The desk against itself, beside brute force on random days; stable under equal moments and any order of reading."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from dashboard.figures.itself.matching import DeskTrade, Pair, PairSum, alike, matches, round_trips, sum_of, sums_by
from market.periods import DeliveryPeriod

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR = DeliveryPeriod(NOON, NOON + timedelta(hours=1))
QUARTER = DeliveryPeriod(NOON, NOON + timedelta(minutes=15))
NEXT = DeliveryPeriod(NOON + timedelta(hours=1), NOON + timedelta(hours=2))


def a_trade(
    number: int | str,
    trader: str,
    direction: str,
    price: str = "20",
    mw: str = "10",
    *,
    after: float = 0,
    period: DeliveryPeriod = HOUR,
) -> DeskTrade:
    """A trade executed `after` seconds past eight."""
    moment = EIGHT + timedelta(seconds=after)
    return DeskTrade(str(number), trader, direction, Decimal(price), Decimal(mw), moment, period)


def told(pairs: list[Pair]) -> list[tuple[str, str, Decimal]]:
    return [(pair.earlier.exchange_id, pair.later.exchange_id, pair.quantity) for pair in pairs]


def test_the_oldest_is_met_first_and_no_megawatt_twice() -> None:
    trades = [
        a_trade(1, "a", "sell", "30", "5"),
        a_trade(2, "b", "sell", "28", "4", after=60),
        a_trade(3, "c", "buy", "31", "7", after=120),
        a_trade(4, "d", "buy", "20", "9", after=180),
    ]
    found = matches(trades)
    assert told(found) == [("1", "3", 5), ("2", "3", 2), ("2", "4", 2)]
    assert [pair.result for pair in found] == [-5, -6, 16]
    assert sum_of(found) == PairSum(3, Decimal(9), Decimal(5))
    assert sum_of(found).per_mwh == pytest.approx(Decimal(5) / 9)
    assert [pair.apart for pair in found] == [timedelta(minutes=2), timedelta(minutes=1), timedelta(minutes=2)]


def test_thirty_minutes_are_within_and_a_moment_more_is_not() -> None:
    sold = a_trade(1, "a", "sell")
    assert len(matches([sold, a_trade(2, "b", "buy", after=1800)])) == 1
    assert not matches([sold, a_trade(2, "b", "buy", after=1800.000001)])


def test_products_sides_and_traders_stay_apart() -> None:
    sold = a_trade(1, "a", "sell")
    assert not matches([sold, a_trade(2, "b", "buy", period=QUARTER), a_trade(3, "b", "buy", period=NEXT)])
    assert not matches([sold, a_trade(2, "b", "sell", after=5)])
    own = [sold, a_trade(2, "a", "buy", "22", "4", after=5)]
    assert not matches(own)
    assert told(round_trips(own)) == [("1", "2", 4)]
    assert round_trips(own)[0].result == -8


def test_an_own_trade_in_between_does_not_stop_the_others() -> None:
    trades = [a_trade(1, "a", "sell"), a_trade(2, "b", "sell", after=1), a_trade(3, "a", "buy", after=2)]
    assert told(matches(trades)) == [("2", "3", 10)]
    assert told(round_trips(trades)) == [("1", "3", 10)]


def test_energy_is_exact_and_without_any_there_is_no_figure_per_mwh() -> None:
    (pair,) = matches([
        a_trade(1, "a", "buy", "-5.0001", "0.3", period=QUARTER),
        a_trade(2, "b", "sell", "0.1", "0.1", period=QUARTER),
    ])  # fmt: skip
    assert (pair.energy, pair.result) == (Decimal("0.025"), Decimal("0.1275025"))
    assert (pair.bought.exchange_id, pair.sold.exchange_id) == ("1", "2")
    assert sum_of([]).per_mwh is None
    assert sums_by([pair], lambda one: one.period) == {QUARTER: PairSum(1, pair.energy, pair.result)}


def test_alike_are_opposite_pairs_within_a_second_whosever_they_are() -> None:
    trades = [
        a_trade(1, "a", "sell", "20", "10"),
        a_trade(2, "b", "buy", "20.0000", "10.0", after=1),
        a_trade(3, "a", "buy", after=1.000001),
        a_trade(4, "c", "sell", after=0.5),
        a_trade(5, "c", "sell", "20.01", after=0.5),
        a_trade(6, "c", "sell", "20", "9", after=0.5),
        a_trade(7, "c", "sell", period=QUARTER, after=0.5),
    ]
    assert told(alike(trades)) == [("1", "2", 10), ("4", "2", 10), ("4", "3", 10)]


def a_day(chance: random.Random) -> list[DeskTrade]:
    """Few traders, prices and moments, so that many meet, and many at the same moment."""
    step = chance.choice([0.25, 30, 300])
    return [
        a_trade(
            chance.randrange(10**9),
            chance.choice("abc"),
            chance.choice(["buy", "sell"]),
            chance.choice(["20", "20.5", "-3.3333"]),
            chance.choice(["10", "0.1", "3.3"]),
            after=step * chance.randrange(16),
            period=chance.choice([HOUR, QUARTER, NEXT]),
        )
        for _ in range(chance.randrange(40))
    ]


def brute(trades: list[DeskTrade], *, own: bool) -> list[tuple[str, str, Fraction, Fraction]]:
    """Every trade looks at all trades before it; in fractions, and with nothing of the product's."""
    left = {trade.exchange_id: Fraction(trade.quantity) for trade in trades}
    ordered = sorted(trades, key=lambda t: (t.period.start, t.period.end, t.executed_at, t.exchange_id))
    found = []
    for place, late in enumerate(ordered):
        for early in ordered[:place]:
            seconds = (late.executed_at - early.executed_at).total_seconds()
            if early.period != late.period or seconds > 1800 or early.direction == late.direction:
                continue
            met = min(left[early.exchange_id], left[late.exchange_id])
            if (early.trader == late.trader) != own or not met:
                continue
            left[early.exchange_id] -= met
            left[late.exchange_id] -= met
            sign = 1 if late.direction == "sell" else -1
            hours = Fraction(int((late.period.end - late.period.start).total_seconds()), 3600)
            gained = sign * (Fraction(late.price) - Fraction(early.price)) * met * hours
            found.append((early.exchange_id, late.exchange_id, met, gained))
    return found


def brute_alike(trades: list[DeskTrade]) -> set[tuple[str, str]]:
    facts = [(one, (one.period, one.price, one.quantity)) for one in trades]
    return {
        (one.exchange_id, two.exchange_id)
        for one, what in facts
        for two, same in facts
        if what == same
        and (one.executed_at, one.exchange_id) < (two.executed_at, two.exchange_id)
        and (two.executed_at - one.executed_at).total_seconds() <= 1
        and {one.direction, two.direction} == {"buy", "sell"}
    }


def exactly(pairs: list[Pair]) -> list[tuple[str, str, Fraction, Fraction]]:
    return [
        (pair.earlier.exchange_id, pair.later.exchange_id, Fraction(pair.quantity), Fraction(pair.result))
        for pair in pairs
    ]


def test_random_days_are_matched_as_brute_force_does_in_whatever_order_they_are_read() -> None:
    chance = random.Random(1805)
    met = own = same = 0
    for _ in range(1000):
        trades = a_day(chance)
        shuffled = chance.sample(trades, len(trades))
        assert exactly(matches(shuffled)) == brute(trades, own=False)
        assert exactly(round_trips(shuffled)) == brute(trades, own=True)
        assert {told[:2] for told in exactly(alike(shuffled))} == brute_alike(trades)
        assert alike(shuffled) == alike(trades)
        met, own, same = met + len(matches(trades)), own + len(round_trips(trades)), same + len(alike(trades))
    assert min(met, own, same) > 500, "the days say something"
