"""A desk over several markets: side by side, with one total for each currency and never one sum."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.figures.desk import load_desk
from dashboard.figures.markets import currency_totals, load_market_totals
from dashboard.figures.past import Past
from dashboard.figures.readings import Reading
from market.areas.adding import add_market
from market.models import Market
from prices.models import ReferencePrice
from tests.dashboard.boards import SKETCH_DAY
from tests.dashboard.people import a_head
from tests.trades.frames import germany
from trades.ledger.traders import ensure_trader
from trades.models import Position

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def hold(market: Market, mwh: int, price: int, *, reference: int | None, day: date = SKETCH_DAY) -> None:
    """One hour sold by trader_1, and its reference."""
    period = market.day_periods(day)[12]
    known = {
        "market": market,
        "delivery_day": day,
        "delivery_hour": market.label_of(period),
        "delivery_start": period.start,
        "delivery_end": period.end,
    }
    Position.objects.create(
        **known,
        trader=ensure_trader(trader_id="trader_1"),
        direction="sell",
        trade_count=1,
        quantity=mwh,
        energy=mwh,
        turnover=mwh * price,
    )
    if reference is not None:
        ReferencePrice.objects.create(**known, value=reference, last_update=timezone.now(), arrived_at=timezone.now())


@pytest.fixture
def markets() -> list[Market]:
    found = [germany(), add_market("FI"), add_market("GB")]
    hold(found[0], 10, 20, reference=18)
    hold(found[1], 5, 30, reference=40)
    hold(found[2], 2, 50, reference=None)
    return found


def test_one_total_a_currency(markets: list[Market]) -> None:
    totals = load_market_totals(markets, SKETCH_DAY, Reading.PRODUCT)
    assert [(one.market.code, one.currency, one.figures.performance_eur) for one in totals] == [
        ("DE", "EUR", Decimal(20)),
        ("FI", "EUR", Decimal(-50)),
        ("GB", "GBP", None),
    ]
    assert [(one.currency, one.result, one.unpriced) for one in currency_totals(totals)] == [
        ("EUR", Decimal(-30), 0),
        ("GBP", None, 2),
    ]


@pytest.mark.parametrize("reading", Reading)
def test_a_market_s_total_is_its_desk_s(markets: list[Market], reading: Reading) -> None:
    for one in load_market_totals(markets, SKETCH_DAY, reading):
        whole = load_desk(market=one.market, delivery_day=SKETCH_DAY, now=timezone.now(), reading=reading).whole.total
        assert (one.figures.performance_eur, one.figures.sold) == (whole.performance_eur, whole.sold)


def test_of_a_moment_before_any_price_nothing_is_known(markets: list[Market]) -> None:
    past = Past(datetime(2020, 1, 1, tzinfo=UTC))
    assert [one.figures.trade_count for one in load_market_totals(markets, SKETCH_DAY, Reading.HOUR, past)] == [0, 0, 0]


def test_the_desk_s_page_shows_them_side_by_side(client: Client, markets: list[Market]) -> None:
    client.force_login(a_head())
    page = client.get(f"/desk/{SKETCH_DAY}/?market=FI").content.decode()
    strip = page[page.index('id="markets"') : page.index("</section>", page.index('id="markets"'))]
    assert strip.count('class="total"') == 2
    assert 'data-value="-30"' in strip and "£" in strip
    assert 'aria-current="true">FI</a>' in strip
    Market.objects.filter(code__in=["FI", "GB"]).update(is_active=False)
    assert 'id="markets"' not in client.get(f"/desk/{SKETCH_DAY}/").content.decode(), "one market is no list"
