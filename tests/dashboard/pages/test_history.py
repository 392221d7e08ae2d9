"""The history: sums that are exact whichever way one looks, ranges that are none, and who may see whose."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.figures.board import load_board
from dashboard.figures.history import DayRange, History, RangeError, Slice, day_range, load_history
from dashboard.figures.performance import Figures, total_figures
from dashboard.render.bar_chart import HEIGHT, Point, bar_chart
from market.periods import PeriodError, day_of
from tests.dashboard.boards import store_price, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany
from trades.ledger.traders import ensure_trader
from trades.models import Trader

DAYS = DayRange(date(2026, 10, 24), date(2026, 10, 26))
pages = pytest.mark.django_db


def store_days() -> None:
    """Three days around the long one, two traders, a period without reference, a negative price, quarter hours."""
    for trader, day, label, direction, mw, price in (
        ("trader_1", 24, "08-09", "sell", "10.5", "30.25"),
        ("trader_1", 25, "02-03A", "sell", "1", "10"),
        ("trader_1", 25, "02-03B", "buy", "2", "-5"),
        ("trader_1", 25, "08-09", "buy", "3.3", "31"),
        ("trader_1", 26, "08:15-08:30", "sell", "4", "33.3333"),
        ("trader_1", 26, "20-21", "sell", "7", "50"),
        ("trader_2", 24, "08-09", "buy", "2.5", "29"),
        ("trader_2", 26, "08-09", "sell", "1.1", "12"),
    ):
        store_trade(label, direction, mw, price, day=date(2026, 10, day), trader=trader)
    for day, label, value in (
        (24, "08-09", "29.5"),
        (25, "02-03A", "11.3333"),
        (25, "02-03B", "-4.4"),
        (25, "08-09", "30"),
        (26, "08:15-08:30", "30.1234"),
        (26, "08-09", "30.5"),
    ):
        store_price(label, value, day=date(2026, 10, day))


def boards_total(trader_id: str) -> Figures:
    """The same from the boards of the three days."""
    market, trader = germany(), Trader.objects.get(trader_id=trader_id)
    boards = [
        load_board(trader=trader, market=market, delivery_day=DAYS.first + timedelta(days=n), now=timezone.now())
        for n in range(DAYS.days)
    ]
    return total_figures(board.total for board in boards)


def summed(parts: list[Slice]) -> Figures:
    return total_figures(part.figures for part in parts)


def every_way(found: History) -> dict[str, list[Slice]]:
    return {
        "days": [part for _, part in found.days],
        "hours": [part for _, part in found.hours],
        "traders": [part for _, part in found.traders],
        "sides": [Slice(sold=found.total.sold), Slice(bought=found.total.bought)],
    }


@pages
def test_a_range_is_the_exact_sum_of_its_boards() -> None:
    market = germany()
    store_days()
    for trader_id in ("trader_1", "trader_2"):
        found = load_history(market=market, trader=Trader.objects.get(trader_id=trader_id), days=DAYS)
        assert found.total.figures == boards_total(trader_id)
        assert found.traders == ()
        for name in ("days", "hours", "sides"):
            assert summed(every_way(found)[name]) == found.total.figures, name
    desk = load_history(market=market, trader=None, days=DAYS)
    assert desk.total.figures == total_figures([boards_total("trader_1"), boards_total("trader_2")])
    for name, parts in every_way(desk).items():
        assert summed(parts) == desk.total.figures, name
        assert sum(part.unpriced for part in parts) == desk.total.unpriced == 7


@pages
def test_the_hour_that_exists_twice_is_one_hour_of_the_day() -> None:
    store_days()
    found = load_history(market=germany(), trader=None, days=DAYS)
    hours = dict(found.hours)
    assert sorted(hours) == [2, 8, 20]
    assert hours[2].figures.performance_eur == Decimal(10) - Decimal("11.3333") + 2 * Decimal("-4.4") + 10
    assert hours[20].figures.performance_eur is None, "no reference: undefined, not 0"
    assert hours[20].unpriced == 7


@pages
def test_queries_do_not_grow(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    market = germany()
    store_days()
    trader = Trader.objects.get(trader_id="trader_1")
    assert market.dated is market.dated, "the market's rules are read once"
    with django_assert_num_queries(2):
        load_history(market=market, trader=trader, days=DAYS)
    with django_assert_num_queries(4):
        load_history(market=market, trader=None, days=DAYS)


@pages
def test_no_history_reads_trades() -> None:
    """Every statement reads positions and prices by an index that begins with the days or the trader's days."""
    market = germany()
    store_days()
    with connection.cursor() as cursor:  # a table of some size, known to PostgreSQL, as in every year but the first
        cursor.execute(
            """INSERT INTO trades_position (market_id, trader_id, direction, delivery_day, delivery_hour,
                   delivery_start, delivery_end, trade_count, quantity, energy, turnover, revision, updated_at)
               SELECT %s, trader.id, 'sell', day, '00-01', day - interval '1 hour', day, 1, 1, 1, 1, 1, now()
               FROM trades_trader AS trader,
                   generate_series(timestamptz '2010-01-01 Z', '2019-12-31 Z', '1 day') AS day""",
            [market.pk],
        )
        cursor.execute("ANALYZE trades_position")
        cursor.execute("SET LOCAL enable_seqscan = off")
    with connection.execute_wrapper(_explained(plans := [])):
        load_history(market=market, trader=Trader.objects.get(trader_id="trader_1"), days=DAYS)
        load_history(market=market, trader=None, days=DAYS)
    joined = "\n".join(plans)
    assert "trades_trade" not in joined
    assert "position_once" in plans[0]
    assert all(re.search("position_(by_day|once)", plan) for plan in plans)


def _explained(plans: list[str]):  # type: ignore[no-untyped-def]
    def explain(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        if "trades_position" in sql:
            with context["connection"].cursor().cursor as cursor:
                cursor.execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
        return execute(sql, params, many, context)

    return explain


# --- ranges ---------------------------------------------------------------------------------------------------------
def test_ranges() -> None:
    assert day_range(first="2025-11-25", last="2026-11-25").days == 366
    with pytest.raises(RangeError, match="ends on 2026-01-01, before it begins on 2026-01-02"):
        day_range(first="2026-01-02", last="2026-01-01")
    with pytest.raises(RangeError, match="at most 366 days; this one has 3654"):
        day_range(first="2016-01-01", last="2026-01-01")
    with pytest.raises(PeriodError, match="2026-02-30 is not in the calendar"):
        day_range(first="2026-02-30", last="2026-03-01")


# --- the chart ------------------------------------------------------------------------------------------------------
def test_bars_stand_on_zero_or_hang_from_it() -> None:
    values = {"up": Decimal(40), "down": Decimal(-20), "even": Decimal(0), "unknown": None}
    chart = bar_chart([Point(name, name, value) for name, value in values.items()])
    assert chart is not None
    bars = {bar.title: bar for bar in chart.bars}
    assert {name: bar.trend for name, bar in bars.items()} == {
        "up": "good",
        "down": "bad",
        "even": "even",
        "unknown": "none",
    }
    zero = Decimal(chart.zero)
    assert Decimal(bars["up"].y) + Decimal(bars["up"].height) == zero == Decimal(bars["down"].y)
    assert abs(Decimal(bars["up"].height) - 2 * Decimal(bars["down"].height)) < Decimal("0.03")
    assert [line.value for line in chart.lines] == [-20, 0, 20, 40]
    assert all(0 <= Decimal(bar.y) <= HEIGHT for bar in chart.bars)


@pytest.mark.parametrize("values", [["0"], ["0.001"], ["-5"], ["1E+12", "-3"], ["0.3", "0.1"]])
def test_scales_hold_every_value(values: list[str]) -> None:
    chart = bar_chart([Point("", "", Decimal(value)) for value in values])
    assert chart is not None
    assert chart.lines[0].value <= min(map(Decimal, values))
    assert chart.lines[-1].value >= max(map(Decimal, values))
    assert len(chart.lines) <= 7


def test_nothing_known_is_no_chart() -> None:
    assert bar_chart([]) is None
    assert bar_chart([Point("", "", None)]) is None


# --- the page -------------------------------------------------------------------------------------------------------
def page(client: Client, status: int = 200, **asked: str) -> str:
    response = client.get("/history/", asked)
    assert response.status_code == status
    return html.unescape(response.content.decode())


RANGE = {"from": "2026-10-24", "to": "2026-10-26"}


@pytest.fixture
def anna(client: Client) -> User:
    germany()
    store_days()
    user = a_trader()
    client.force_login(user)
    return user


@pages
def test_a_trader_sees_the_own_history_only(client: Client, anna: User) -> None:
    text = page(client, **RANGE)
    exact = f"{boards_total('trader_1').performance_eur:f}".rstrip("0")
    assert f'data-total="performance_eur" data-trend="good" data-value="{exact}"' in text
    assert "7.00 MWh were traded without a reference price" in text
    assert 'href="/boards/trader_1/2026-10-25/"' in text
    assert "Whole desk" not in text
    assert "By trader" not in text
    mine, again = (
        re.sub(r'(csrfmiddlewaretoken|next)" value="[^"]*"', "", one).partition("<main")[2]
        for one in (text, page(client, trader="trader_1", **RANGE))
    )
    assert mine == again
    other, unknown = page(client, 404, trader="trader_2"), page(client, 404, trader="nobody")
    assert other.replace("trader_2", "nobody") == unknown


@pages
def test_a_head_sees_the_desk_and_each_trader(client: Client, anna: User) -> None:
    client.force_login(a_head())
    text = page(client, **RANGE)
    assert "By trader" in text
    assert 'href="/history/?trader=trader_2&from=2026-10-24&to=2026-10-26"' in text
    assert 'href="/desk/2026-10-25/"' in text
    assert 'value="trader_2" selected' in page(client, trader="trader_2", **RANGE)


@pages
def test_without_a_login_or_a_trader(client: Client) -> None:
    germany()
    assert client.get("/history/")["Location"] == "/accounts/login/?next=/history/"
    client.force_login(User.objects.create_user("nobody"))
    assert "Your login does not belong to a trader." in page(client, 404)


@pages
@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"from": "2026-10-26", "to": "2026-10-24"}, "The range ends on 2026-10-24, before it begins on 2026-10-26."),
        ({"from": "2016-10-26", "to": "2026-10-26"}, "A range has at most 366 days; this one has 3653."),
        ({"from": "2026-02-30", "to": "2026-10-26"}, "2026-02-30 is not in the calendar."),
        ({"from": "yesterday"}, "“yesterday” is not a delivery day of the form YYYY-MM-DD."),
    ],
)
def test_what_is_no_range(client: Client, anna: User, asked: dict[str, str], sentence: str) -> None:
    text = page(client, 400, **asked)
    assert sentence in text
    assert f'name="from" value="{asked["from"]}"' in text, "to be corrected"
    assert "<table" not in text


@pages
def test_presets_and_a_range_without_trades(client: Client, anna: User) -> None:
    today = day_of(timezone.now(), germany().zone)
    text = page(client, days="7")
    assert f'from={today - timedelta(days=6)}&to={today}" aria-current="true">7 days' in text
    assert 'aria-current="true">30 days' in page(client)
    quiet = page(client, **{"from": "2020-01-01", "to": "2020-01-02"})
    assert "No trades in these days." in quiet
    assert "<table" not in quiet
    assert ">—</strong>" in quiet


@pages
def test_hostile_names_are_text(client: Client) -> None:
    germany()
    ensure_trader(trader_id="<script>x")
    store_trade("08-09", "sell", "1", "1", day=DAYS.first, trader="<script>x")
    store_price("08-09", "1", day=DAYS.first)
    client.force_login(a_head())
    answer = client.get("/history/", RANGE).content.decode()
    assert "<script>x" not in answer
    assert "&lt;script&gt;x" in answer
