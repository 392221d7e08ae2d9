"""A desk's totals are the same in every reading. Apart from the readings' own test: that runs under a coverage tool."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from dashboard.figures.desk import Desk, build_desk
from dashboard.figures.performance import total_figures
from dashboard.figures.readings import Reading
from market.models import Market
from market.periods import day_of
from market.totals import Total
from prices.queries import KnownPrice
from tests.dashboard.figures.test_readings import WORLDS, ZONES, Legs, a_day
from trades.models import Trader
from trades.queries import PositionRow

NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)
SHARES = [(Decimal("0.5"), Decimal("0.3"), Decimal("0.2")), (Decimal(1), Decimal("0.25"), Decimal("0.125"))]


def a_desk(legs: Legs, market: Market, chance: random.Random, reading: Reading) -> Desk:
    """The trades of a day dealt to three traders, each side of a product in unequal parts."""
    held: dict[int, list[PositionRow]] = {}
    for one, sides in legs.items():
        for side, all_of_it in sides.items():
            for trader, share in zip((1, 2, 3), chance.choice(SHARES), strict=True):
                part = Total(all_of_it.trade_count, all_of_it.energy * share, all_of_it.turnover * share)
                held.setdefault(trader, []).append(PositionRow(one, side, part, 1))
    return build_desk(
        market=market,
        delivery_day=day_of(min(legs).start, market.zone),
        now=NOON,
        traders=[Trader(pk=pk, trader_id=f"trader_{pk}") for pk in (1, 2, 3)],
        positions=held,
        prices={one: KnownPrice(Decimal(chance.randrange(-9999, 9999)) / 100, NOON, NOON, 1) for one in legs},
        reading=reading,
    )


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("worlds", [60, pytest.param(WORLDS // len(ZONES), marks=pytest.mark.long)])
def test_the_desk_s_totals_are_the_same_in_every_reading_of_many_days(zone: ZoneInfo, worlds: int) -> None:
    """Of a thousand days in all with `make drills`."""
    market = Market(pk=1, code="XX", name="Somewhere", time_zone=zone.key)
    for seed in range(worlds):
        legs = a_day(random.Random(seed), zone)
        desks = [a_desk(legs, market, random.Random(seed), reading) for reading in Reading]
        assert len({(one.whole.total.sold, one.whole.total.bought) for one in desks}) == 1, seed
        for one in desks:
            assert one.whole.total == total_figures(board.total for board in one.boards), (seed, one.whole.reading)
            assert len({(board.total.sold.trade_count, board.total.bought.trade_count) for board in one.boards}) == 1
