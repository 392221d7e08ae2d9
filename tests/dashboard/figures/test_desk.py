"""The desk's view: every trader beside the others, totals that are the sums, and only for those who see all."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from dashboard.figures.board_key import WHOLE_DESK, BoardKey
from dashboard.figures.desk import Desk, build_desk, load_desk
from dashboard.figures.performance import rounded, total_figures
from dashboard.live.boards import read_versions, render
from dashboard.render.desk import render_desk
from market.labels import parse_period
from market.models import Market
from market.periods import day_of
from market.totals import Total
from prices.queries import KnownPrice
from tests.dashboard.boards import MORNING, SKETCH_DAY, store_price, store_sketch, store_trade, the_feeds
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany
from trades.ledger.traders import ensure_trader
from trades.models import Trader
from trades.queries import PositionRow

ADDRESS = "/desk/2023-02-06/"
MARKET = Market(pk=1, code="DE", name="Germany")
LABELS = ("10-11", "12-13", "12:15-12:30")

positions = st.lists(
    st.tuples(
        st.sampled_from((1, 2, 3)),
        st.sampled_from(LABELS),
        st.sampled_from(("buy", "sell")),
        st.decimals(min_value="0.0001", max_value=9999, places=6),
        st.decimals(min_value=-999999, max_value=999999, places=10),
    ),
    unique_by=lambda one: one[:3],
)
references = st.dictionaries(st.sampled_from(LABELS), st.decimals(min_value=-9999, max_value=9999, places=10))


def a_desk(held: list[tuple[int, str, str, Decimal, Decimal]], prices: dict[str, Decimal]) -> Desk:
    period = {label: parse_period(SKETCH_DAY, label, MARKET.zone).period for label in LABELS}
    by_trader: dict[int, list[PositionRow]] = {}
    for trader, label, direction, energy, turnover in held:
        by_trader.setdefault(trader, []).append(PositionRow(period[label], direction, Total(1, energy, turnover), 1))
    return build_desk(
        market=MARKET,
        delivery_day=SKETCH_DAY,
        now=MORNING,
        traders=[Trader(pk=n, trader_id=f"trader_{n}", is_bot=n == 1) for n in (1, 2, 3)],
        positions=by_trader,
        prices={period[label]: KnownPrice(value, MORNING, MORNING, 1) for label, value in prices.items()},
    )


@given(positions, references)
def test_the_desk_is_the_exact_sum_of_its_traders(
    held: list[tuple[int, str, str, Decimal, Decimal]], prices: dict[str, Decimal]
) -> None:
    desk = a_desk(held, prices)
    assert desk.whole.total == total_figures(board.total for board in desk.boards)
    for row in desk.whole.rows:
        parts = [r.figures for board in desk.boards for r in board.rows if r.period == row.period]
        added = total_figures(parts)
        assert (row.figures.sold, row.figures.bought) == (added.sold, added.bought)
        assert row.figures.performance_eur == added.performance_eur


@given(positions, references)
def test_rounding_is_off_by_no_more_than_the_page_says(
    held: list[tuple[int, str, str, Decimal, Decimal]], prices: dict[str, Decimal]
) -> None:
    desk = a_desk(held, prices)
    shown = [board.total.performance_eur for board in desk.boards if board.total.performance_eur is not None]
    whole = desk.whole.total.performance_eur
    if whole is not None:
        assert abs(sum(map(rounded, shown)) - rounded(whole)) <= desk.most_off_by_rounding()


def test_people_before_bots_and_the_best_and_the_worst() -> None:
    held = [(n, "12-13", "sell", Decimal(10), Decimal(100 + n)) for n in (1, 2, 3)]
    desk = a_desk(held, {"12-13": Decimal(10)})
    assert [board.trader.trader_id for board in desk.boards] == ["trader_2", "trader_3", "trader_1"]
    best, worst = desk.best_and_worst()
    assert best is not None
    assert worst is not None
    assert (best.trader.trader_id, worst.trader.trader_id) == ("trader_3", "trader_1")
    assert a_desk(held[:1], {"12-13": Decimal(10)}).best_and_worst() == (None, None), "nobody to compare with"
    assert a_desk(held, {}).best_and_worst() == (None, None), "nothing known"


def test_undefined_is_never_zero() -> None:
    parts = render_desk(a_desk([(2, "12-13", "sell", Decimal(10), Decimal(1))], {}), the_feeds())
    row = parts["p-20230206T1100Z-60"]
    assert 'data-value="-10">−10.00</small>' in row, "its net position is known"
    assert re.search(r'data-field="performance_eur" data-trend="none" data-value=""><a [^>]*>—</a>', row)
    assert "0.00" not in row.replace("−10.00", "")


# --- the page -------------------------------------------------------------------------------------------------------
pages = pytest.mark.django_db


@pytest.fixture
def head(client: Client) -> User:
    germany()
    user = a_head()
    client.force_login(user)
    return user


def page(client: Client, address: str = ADDRESS, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return html.unescape(response.content.decode())


@pages
def test_the_page_shows_every_trader(client: Client, head: User) -> None:
    store_sketch()
    store_sketch(trader="trader_2")
    ensure_trader(trader_id="<b>new</b>")
    Trader.objects.filter(trader_id="trader_2").update(is_bot=True)
    text = page(client)
    assert 'href="/boards/trader_1/2023-02-06/"' in text
    assert 'href="/boards/trader_1/2023-02-06/12-13/"' in text
    assert '<span class="bot">bot</span>' in text
    assert ">&lt;b&gt;new" in client.get(ADDRESS).content.decode()
    desk = load_desk(market=germany(), delivery_day=SKETCH_DAY, now=timezone.now())
    assert desk.whole.total.performance_eur == 2 * Decimal(4 - 32 + 100)
    assert 'data-total="performance_eur" data-trend="good" data-value="144"' in text


@pages
def test_three_queries_whatever_there_is(head: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for trader in ("trader_1", "trader_2", "trader_3"):
        store_sketch(trader=trader)
    market = germany()
    assert market.dated is market.dated, "the market's rules are read once"
    with django_assert_num_queries(3):
        load_desk(market=market, delivery_day=SKETCH_DAY, now=timezone.now())


@pages
def test_today_and_other_days(client: Client, head: User) -> None:
    today = day_of(timezone.now(), germany().zone)
    text = page(client, "/desk/")
    assert "data-follows-today" in text
    assert f'href="/desk/{today + timedelta(days=1)}/" rel="next"' in text
    assert client.get("/desk/?day=2023-02-06")["Location"] == ADDRESS
    assert "2023-02-30 is not in the calendar." in page(client, "/desk/2023-02-30/", 404)
    assert "No trader yet" in text


@pages
def test_a_trader_has_no_desk(client: Client) -> None:
    germany()
    client.force_login(a_trader())
    assert "There is nothing at this address." in page(client, ADDRESS, 404)
    assert 'href="/desk/' not in page(client, "/")


@pages
def test_the_hub_renders_and_compares_the_desk(head: User) -> None:
    market = germany()
    key = BoardKey(WHOLE_DESK, market.pk, SKETCH_DAY, "de")
    store_trade("12-13", "sell", "10", "10.2")
    first = render(key, timezone.now(), None)
    assert ">Händler<" in first.parts["traders"]
    assert read_versions({key}) == {key: first.board.version}
    store_trade("12-13", "sell", "10", "10.2", trader="trader_2")
    store_price("12-13", "9.8")
    second = render(key, timezone.now(), first)
    assert read_versions({key}) == {key: second.board.version} != {key: first.board.version}
    assert "+8,00" in second.parts["summary"]
