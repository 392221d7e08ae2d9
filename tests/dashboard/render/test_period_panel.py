"""The opened row: who may see it, what it says of each trade, and that its sums are the row's, the cent included."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.figures.board import load_board
from dashboard.figures.period import PAGE, known_at
from dashboard.render.period_panel import net_value
from market.labels import parse_period
from prices.queries import PricePoint
from tests.dashboard.boards import MORNING, SKETCH_DAY, store_price, store_sketch, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany
from trades.ledger.confirmations import TradeConfirmation
from trades.ledger.decisions import cancel_trade, correct_trade
from trades.ledger.traders import ensure_trader
from trades.models import Trade, TradeFlag, Trader
from trades.queries import PeriodKey, trades_of_period

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

OPENED, DATA = "/boards/trader_1/2023-02-06/15-16/", "/api/v1/trades/trader_1/2023-02-06/15-16"
BEFORE = datetime(2023, 2, 6, 8, 1, 2, 345_678, tzinfo=UTC)


def page(client: Client, address: str, status: int = 200, **headers: str) -> str:
    response = client.get(address, headers=headers or None)
    assert response.status_code == status, response.content.decode()[:500]
    return html.unescape(response.content.decode())


def data(client: Client, have: str = "") -> dict[str, Any]:
    response = client.get(DATA, {"have": have} if have else {})
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def panel(client: Client, show: str = "trades", number: int = 1) -> str:
    return page(client, f"{OPENED}?show={show}&page={number}", **{"X-Part": "opened"})


@pytest.fixture
def anna(client: Client) -> User:
    germany()
    user = a_trader()
    client.force_login(user)
    store_sketch()
    return user


def test_the_page_says_how_the_figure_adds_up(client: Client, anna: User) -> None:
    text = page(client, OPENED)
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text.split('class="sum"')[1].split("</p>")[0]))
    assert (
        "sold 10.00 MWh at 30.00 bought 10.00 MWh at 20.00 cash +100.00 € net 0.00 MWh × reference 25.00 = 0.00 € "
        "so far +100.00 €"
    ) in said
    assert (
        text.index('data-delivery-hour="15-16"') < text.index('id="opened"') < text.index('data-delivery-hour="16-17"')
    )
    assert 'class="trades-part"' in text, "for those without script or eyes, the tables stand in the page"
    assert 'class="prices-part"' in text


def test_the_sums_are_the_rows_and_the_trades(client: Client, anna: User) -> None:
    market, trader = germany(), Trader.objects.get(trader_id="trader_1")
    for n in range(7):
        store_trade("15-16", "buy" if n % 3 else "sell", f"{n + 0.3}", f"{-3.3337 * n}")
    cancel_trade(trade=Trade.objects.order_by("id")[2], reason="by mistake", user=anna)
    board = load_board(trader=trader, market=market, delivery_day=SKETCH_DAY, now=MORNING)
    row = next(row for row in board.rows if row.delivery_hour == "15-16")
    key = PeriodKey(trader.pk, market.pk, SKETCH_DAY, row.period)
    trades = [trade for trade in trades_of_period(key=key) if trade.counts]
    cash = sum(t.price * t.quantity * row.period.hours * (1 if t.direction == "sell" else -1) for t in trades)
    assert row.figures.cash == cash
    assert row.figures.cash + (net_value(row.figures) or 0) == row.figures.performance_eur
    text = panel(client)
    for field, value in (("cash", cash), ("performance_eur", row.figures.performance_eur)):
        assert Decimal(re.findall(f'data-field="{field}" data-value="([^"]+)"', text)[0]) == value
    assert f'data-revision="{row.revision}"' in text


def test_trades_newest_first_with_what_they_meant(client: Client, anna: User) -> None:
    store_price("15-16", "18", at=BEFORE - timedelta(minutes=5))
    store_price("15-16", "27", at=BEFORE + timedelta(minutes=5))
    store_trade("15-16", "sell", "4.5", "20", at=BEFORE)
    text = re.sub(r"<[^>]+>", " ", panel(client).split("<tbody>")[1])
    first = text.index("09:01:02.345")
    assert re.sub(r"\s+", " ", text[first:]).startswith("09:01:02.345 sold 4.50 4.50 20.00 −7.00 +2.00 board-")
    times = [one.execution_time for one in trades_of_period(key=_key())]
    assert times == sorted(times, reverse=True)


def _key(label: str = "15-16") -> PeriodKey:
    market = germany()
    period = parse_period(SKETCH_DAY, label, market.zone).period
    return PeriodKey(Trader.objects.get(trader_id="trader_1").pk, market.pk, SKETCH_DAY, period)


def test_corrected_cancelled_and_flagged_trades_are_marked(client: Client, anna: User) -> None:
    one, other = Trade.objects.filter(delivery_hour="15-16").order_by("id")
    cancel_trade(trade=one, reason="typed <twice>", user=anna)
    correct_trade(trade=other, facts=_facts(other, price="31.25"), reason="wrong price", user=anna)
    Trade.objects.filter(pk=other.pk).update(flags=[TradeFlag.PERIOD_CLOSED, "of a later version"])
    raw = client.get(f"{OPENED}?show=trades", headers={"X-Part": "opened"}).content.decode()
    assert 'title="typed &lt;twice&gt;"' in raw
    text = html.unescape(raw)
    assert "<tr data-cancelled>" in text
    assert 'title="wrong price">corrected' in text
    assert "31.25" in text
    assert 'title="arrived after gate closure">late' in text
    assert "sold <b" in text
    assert "bought <b" not in text, "the bought one was cancelled"


def test_a_trade_corrected_into_another_period_is_there(client: Client, anna: User) -> None:
    moved = Trade.objects.get(delivery_hour="12-13")
    correct_trade(trade=moved, facts=_facts(moved, label="15-16"), reason="wrong hour", user=anna)
    assert moved.exchange_id in panel(client)
    assert moved.exchange_id not in page(client, OPENED.replace("15-16", "12-13"), **{"X-Part": "opened"})


def _facts(trade: Trade, *, price: str = "10.2", label: str = "15-16") -> TradeConfirmation:
    period = parse_period(SKETCH_DAY, label, germany().zone).period
    return TradeConfirmation(
        exchange_id=trade.exchange_id,
        price=Decimal(price),
        quantity=trade.quantity,
        direction=trade.direction,
        delivery_day=SKETCH_DAY,
        delivery_hour=label,
        period=period,
        trader_id="trader_1",
        execution_time=trade.execution_time,
        ambiguous_hour=False,
    )


def test_many_trades_come_in_pages(
    client: Client, anna: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(PAGE):
        store_trade("15-16", "sell", "1", "30")
    with django_assert_max_num_queries(22):
        text = panel(client)
    assert text.count("<time") == PAGE
    assert "page 1 of 2" in text
    assert f'href="{OPENED}?show=trades&page=2" data-panel rel="next"' in text
    assert panel(client, number=2).count("<time") == 2
    assert "page 2 of 2" in panel(client, number=99)


# --- addresses ------------------------------------------------------------------------------------------------------


def test_who_may_open_a_row(client: Client, anna: User) -> None:
    ensure_trader(trader_id="trader_2")
    for address in (OPENED, DATA):
        foreign, unknown = (client.get(address.replace("trader_1", name)) for name in ("trader_2", "nobody"))
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert foreign.content.replace(b"trader_2", b"nobody") == unknown.content
    client.logout()
    assert client.get(OPENED)["Location"] == f"/accounts/login/?next={OPENED}"
    assert client.get(DATA).status_code == 401
    client.force_login(a_head())
    assert client.get(OPENED).status_code == client.get(DATA).status_code == 200
    assert "no-store" in client.get(OPENED)["Cache-Control"]
    assert client.post(OPENED).status_code == 405


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("2023-02-06/24-25", "“24-25” does not exist on 2023-02-06 in Europe/Berlin."),
        ("2023-02-06/noon", "“noon” is not a delivery hour of the form HH-HH or HH:MM-HH:MM."),
        ("2023-02-30/12-13", "2023-02-30 is not in the calendar."),
        ("2027-03-28/02-03", "“02-03” does not exist on 2027-03-28 in Europe/Berlin."),
        ("2023-02-06/12-13/?show=everything", "An opened row has no such part."),
        ("2023-02-06/12-13/?page=0", "An opened row has no such part."),
    ],
)
def test_what_does_not_exist(client: Client, anna: User, address: str, sentence: str) -> None:
    assert sentence in page(client, f"/boards/trader_1/{address}{'' if '?' in address else '/'}", 404)


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("2026-10-25/02-03A", "02–03A"),
        ("2026-10-25/02a-02b", "02–03A"),
        ("2026-10-25/02-03B", "02–03B"),
        ("2023-02-06/12:15-12:30", "12:15–12:30"),
        ("2023-02-06/23-24", "23–24"),
    ],
)
def test_labels_of_all_kinds(client: Client, anna: User, address: str, title: str) -> None:
    text = page(client, f"/boards/trader_1/{address}/")
    assert f"</span>{title}</h3>" in text
    assert "No trades for this period yet." in text


@pytest.mark.parametrize("trader_id", ["a/b", "2023-02-06", "x/2023-02-06", "50%", "?q#f", "é🚀"])
def test_a_trader_id_is_data(client: Client, trader_id: str) -> None:
    germany()
    client.force_login(a_head())
    ensure_trader(trader_id=trader_id)
    board = client.get("/boards/", {"trader": trader_id, "day": "2023-02-06"})["Location"]
    text = client.get(board).content.decode()
    row = html.unescape(re.findall(r'<a href="([^"]+/15-16/)">', text)[0])
    assert row == f"{board}15-16/"
    source = html.unescape(re.findall(r'data-source="([^"]+)"', client.get(row).content.decode())[0])
    assert client.get(source).status_code == 200


# --- the chart's data -------------------------------------------------------------------------------------------------


def test_an_hour_by_hour_shows_its_quarters_and_products(client: Client, anna: User) -> None:
    store_trade("15:15-15:30", "sell", "4", "33")
    store_price("15:15-15:30", "27")
    opened = page(client, f"{OPENED}?by=hour", **{"X-Part": "opened"})
    table = opened.partition('class="inside-part"')[2].partition("</table>")[0]
    lines = re.findall(r'<th scope="row">([^<]+)</th>(.*?)</tr>', table)
    assert [title for title, _ in lines] == [
        *("15:00–15:15", "15:15–15:30", "15:30–15:45", "15:45–16:00"),
        *("15–16", "15:15–15:30"),
    ]
    reference = re.compile(r'data-part="reference_price" data-value="([^"]*)"')
    assert [reference.findall(cells) for _, cells in lines] == [[""], ["27"], [""], [""], ["25"], ["27"]]
    assert 'data-part="performance_eur" data-value="6" data-trend="good"' in lines[-1][1], "1 MWh sold 6 above"
    assert "net by quarter" not in opened
    for other in ("product", "quarter"):
        address = f"{OPENED.replace('15-16', '15:15-15:30')}?by={other}"
        assert "inside-part" not in page(client, address, **{"X-Part": "opened"})


def test_the_chart_gets_what_is_new(client: Client, anna: User) -> None:
    first = data(client)
    assert first["after"] == 0
    assert list(zip(first["side"], first["mw"], first["price"], strict=True)) == [
        ("buy", "10", "20"),
        ("sell", "10", "30"),
    ]
    assert first["path"] == [[int(MORNING.timestamp() * 1000), "25"]]
    again = data(client, first["state"])
    assert again["time"] == []
    assert again["state"] == first["state"]
    store_trade("15-16", "sell", "2.5", "-7", at=BEFORE)
    newer = data(client, first["state"])
    assert (newer["price"], newer["mw"], newer["time"]) == (["-7"], ["2.5"], [int(BEFORE.timestamp() * 1000)])
    assert newer["after"] > 0


def test_the_chart_gets_everything_anew_when_the_past_changed(client: Client, anna: User) -> None:
    first = data(client)
    cancel_trade(trade=Trade.objects.filter(delivery_hour="15-16").earliest("id"), reason="by mistake", user=anna)
    changed = data(client, first["state"])
    assert (changed["after"], changed["side"]) == (0, ["sell"])
    for nonsense in ("1.2.3", "a.b.c.d", "9.0.9999999.0", "²." * 4, "1.0.1.0" * 9):
        assert data(client, nonsense)["after"] == 0


def test_a_trade_that_was_committed_late_is_not_missed(client: Client, anna: User) -> None:
    trades, _, newest, changes = data(client)["state"].split(".")
    assert data(client, f"{int(trades) - 1}.0.{newest}.{changes}")["after"] == 0


# --- pure -------------------------------------------------------------------------------------------------------------


def test_the_reference_known_at_a_moment() -> None:
    path = [PricePoint(Decimal(n), MORNING + timedelta(minutes=n), MORNING + timedelta(minutes=n + 1)) for n in (0, 10)]
    assert known_at(path, MORNING + timedelta(seconds=59)) is None, "published, but nobody here knew"
    assert known_at(path, MORNING + timedelta(minutes=1)) == 0
    assert known_at(path, MORNING + timedelta(hours=1)) == 10
    assert known_at([], MORNING) is None
