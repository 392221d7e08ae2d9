"""The board's pages through Django: rights, addresses, switches, and what is said when there is nothing to show."""

from __future__ import annotations

import html
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.render.addresses import board_address
from market.models import Market
from market.periods import day_of
from prices.models import ProviderRequest
from prices.observations import WHICH_OF_TWO
from tests.dashboard.boards import SKETCH_DAY, store_price, store_sketch, store_trade
from tests.dashboard.people import PASSWORD, a_head, a_superuser, a_trader
from tests.trades.frames import germany
from trades.ledger.traders import ensure_trader
from trades.models import Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

BOARD = "/boards/trader_1/2023-02-06/"


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.content.decode()[:500]
    return response.content.decode()


@pytest.fixture
def anna(client: Client) -> User:
    germany()
    user = a_trader()
    client.force_login(user)
    return user


def test_a_trader_sees_the_own_board(client: Client, anna: User) -> None:
    store_sketch()
    text = page(client, BOARD)
    assert 'data-delivery-hour="12-13"' in text
    assert ">10.20</span>" in text
    assert ">+0.40</span>" in text
    assert 'data-socket="/ws/boards/trader_1/2023-02-06/?language=en"' in text
    assert "data-follows-today" not in text
    assert '<select name="trader"' not in text, "nobody to switch to"


def test_home_is_the_own_board_of_today(client: Client, anna: User) -> None:
    text = page(client, "/")
    today = day_of(timezone.now(), germany().zone)
    assert f'data-socket="/ws/boards/trader_1/{today}/?language=en"' in text
    assert "data-follows-today" in text
    assert 'data-near="today"' in text


def test_data_pages_are_not_kept(client: Client, anna: User) -> None:
    for address in ("/", BOARD, "/accounts/login/"):
        assert "no-store" in client.get(address)["Cache-Control"]


def test_another_traders_board_does_not_exist(client: Client, anna: User) -> None:
    ensure_trader(trader_id="trader_2")
    own_right = page(client, "/boards/trader_2/2023-02-06/", 404)
    unknown = page(client, "/boards/nobody/2023-02-06/", 404)
    assert "There is no trader “trader_2” whose board you may see." in own_right
    assert own_right.replace("trader_2", "nobody") == unknown


@pytest.mark.parametrize("address", ["/", BOARD, "/boards/", "/boards/nobody/2023-02-06/"])
def test_without_a_login_there_is_the_login_page(client: Client, address: str) -> None:
    germany()
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={quote(address)}"


@pytest.mark.parametrize("who", [a_head, a_superuser])
def test_who_may_see_all_can_switch(client: Client, who: type[User]) -> None:
    germany()
    for trader_id in ("trader_1", "trader_2"):
        ensure_trader(trader_id=trader_id)
    client.force_login(who())
    text = page(client, "/boards/trader_2/2023-02-06/")
    assert '<option value="trader_2" selected>' in text
    assert '<option value="trader_1">' in text
    assert 'value="trader_1" selected' in page(client, "/"), "the first trader, lacking an own one"
    response = client.get("/boards/", {"trader": "trader_1", "day": "2023-02-07"})
    assert response["Location"] == "/boards/trader_1/2023-02-07/"


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        ("2023-02-30", "2023-02-30 is not in the calendar."),
        ("2023-2-6", "“2023-2-6” is not a delivery day of the form YYYY-MM-DD."),
        ("1999-01-01", "1999-01-01 is not between 2000-01-01 and 2199-12-31."),
        ("tomorrow", "“tomorrow” is not a delivery day of the form YYYY-MM-DD."),
    ],
)
def test_a_day_that_is_none(client: Client, anna: User, day: str, sentence: str) -> None:
    assert sentence in html.unescape(page(client, f"/boards/trader_1/{day}/", 404))
    assert sentence in html.unescape(page(client, f"/boards/?trader=trader_1&day={day}", 404))


@pytest.mark.parametrize("day", ["2000-01-01", "2199-12-31"])
def test_the_first_and_the_last_day(client: Client, anna: User, day: str) -> None:
    page(client, f"/boards/trader_1/{day}/")


def test_days_beside(client: Client, anna: User) -> None:
    text = page(client, BOARD)
    assert 'href="/boards/trader_1/2023-02-05/" rel="prev"' in text
    assert 'href="/boards/trader_1/2023-02-07/" rel="next"' in text
    tomorrow = day_of(timezone.now(), germany().zone) + timedelta(days=1)
    text = page(client, f"/boards/trader_1/{tomorrow}/")
    assert 'data-near="tomorrow"' in text
    assert text.count("data-delivery-hour=") in {23, 24, 25}


@pytest.mark.parametrize(
    "trader_id",
    [
        "a/b",
        "/",
        "//x/",
        "a b",
        "50%",
        "%41",
        "é🚀",
        "?q#f",
        "a\\b",
        "2023-02-06",
        '"><script>alert(1)</script>',
        "x" * 99,
    ],
)
def test_a_trader_id_is_data(client: Client, trader_id: str) -> None:
    germany()
    client.force_login(a_superuser())
    ensure_trader(trader_id=trader_id)
    ensure_trader(trader_id="second")
    address = board_address(trader_id, SKETCH_DAY)
    text = page(client, address)
    assert f'<option value="{html.escape(trader_id)}" selected>' in text
    assert f'data-socket="/ws{html.escape(address)}?language=en"' in text
    assert "<script>alert" not in text


def test_a_hostile_name_is_text(client: Client, anna: User) -> None:
    Trader.objects.filter(trader_id="trader_1").update(name="<img src=x onerror=alert(1)>")
    text = page(client, BOARD)
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_several_markets_are_named_in_every_address(client: Client, anna: User) -> None:
    Market.objects.create(code="FR", name="France", time_zone="Europe/Paris")
    store_trade("12-13", "sell", "10", "10.2")
    text = page(client, f"{BOARD}?market=FR")
    assert '<option value="FR" selected>' in text
    assert 'data-socket="/ws/boards/trader_1/2023-02-06/?market=FR&amp;language=en"' in text
    assert "No trades on this day." in text
    assert '<option value="DE" selected>' in page(client, BOARD)
    assert "No active market is called “XX”; known: DE, FR." in page(client, f"{BOARD}?market=XX", 404)


def test_a_login_without_a_trader(client: Client) -> None:
    germany()
    client.force_login(User.objects.create_user("new", password=PASSWORD))
    assert "does not belong to a trader yet" in page(client, "/")


def test_a_superuser_before_the_first_trade(client: Client) -> None:
    germany()
    client.force_login(a_superuser())
    assert "Nobody has traded yet." in page(client, "/")


def test_no_market(client: Client, anna: User) -> None:
    Market.objects.update(is_active=False)
    assert "No market is active" in page(client, "/")
    assert "name one of the active markets" in page(client, BOARD, 404).lower()


def test_logging_in_and_out(client: Client) -> None:
    germany()
    a_trader()
    assert (
        "Username and password don&#x27;t belong together"
        in client.post("/accounts/login/", {"username": "anna", "password": "wrong"}).content.decode()
    )
    response = client.post(f"/accounts/login/?next={BOARD}", {"username": "anna", "password": PASSWORD, "next": BOARD})
    assert response["Location"] == BOARD
    assert client.get("/accounts/login/")["Location"] == "/", "who is in needs no login page"
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/")["Location"] == "/accounts/login/"
    assert client.get(BOARD).status_code == 302


def test_a_form_without_its_token_is_a_plain_page() -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"username": "anna", "password": "x"})
    assert response.status_code == 403
    assert "Please try again" in response.content.decode()


def test_an_address_that_does_not_exist(client: Client) -> None:
    assert "There is no page at this address." in page(client, "/nothing/here/", 404)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_boards_are_only_read(client: Client, anna: User, method: str) -> None:
    assert getattr(client, method)(BOARD).status_code == 405


def test_a_pages_cost_does_not_grow_with_the_trades(
    client: Client, anna: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    store_sketch()
    page(client, BOARD)  # what a process asks for once
    with django_assert_max_num_queries(20):
        page(client, BOARD)


def test_the_page_asks_for_nothing_from_elsewhere_and_has_no_inline_code(client: Client, anna: User) -> None:
    response = client.get(BOARD)
    text = response.content.decode()
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "http://" not in text
    assert "https://" not in text
    assert " style=" not in text
    assert "<style" not in text
    assert "<script>" not in text
    assert " onclick" not in text


def test_a_provider_that_does_not_tell_the_doubled_hours_apart_is_named(client: Client, anna: User) -> None:
    market, asked = germany(), datetime(2026, 10, 24, 12, tzinfo=UTC)
    for hour in (0, 1):
        start = datetime(2026, 10, 25, hour, tzinfo=UTC)
        end = start + timedelta(hours=1)
        ProviderRequest.objects.create(
            market=market,
            delivery_start=start,
            delivery_end=end,
            sent_at=asked,
            finished_at=asked,
            outcome="bad_answer",
            detail=f"“02-03” {WHICH_OF_TWO}",
        )
    client.force_login(anna)
    shown = page(client, "/boards/trader_1/2026-10-25/")
    assert shown.count("the provider does not say which of the two") == 2
    store_price("02-03A", "25", day=date(2026, 10, 25), at=asked)
    shown = page(client, "/boards/trader_1/2026-10-25/")
    assert shown.count("the provider does not say which of the two") == 1
