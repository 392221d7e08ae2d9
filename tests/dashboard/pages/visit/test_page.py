"""The guided first visit: offered on rows of one's own, begun once, never again in whichever browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.access.logins import create_trader_login
from dashboard.models import FirstVisit
from market import clock
from tests.dashboard.boards import store_trade
from tests.dashboard.people import PASSWORD
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
TOUR, LOADED = 'id="tour"', "visit."


@pytest.fixture
def anna() -> User:
    """A trader who is new here."""
    germany()
    return create_trader_login(trader_id="trader_1", username="anna", password=PASSWORD)


def today(label: str = "12-13") -> None:
    store_trade(label, "sell", "10", "20", day=germany().day_of(clock.now()))


def home(client: Client) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_is_offered_on_real_rows_with_six_steps(client: Client, anna: User) -> None:
    client.force_login(anna)
    assert TOUR not in home(client), "nothing to show it on"
    today()
    page = home(client)
    assert TOUR in page
    assert page.count("<li data-at=") == 6
    assert TOUR in home(client), "offered until it begins"
    day = germany().day_of(clock.now())
    assert TOUR not in client.get(f"/boards/trader_1/{day}/").content.decode()


def test_it_begins_once(client: Client, anna: User) -> None:
    today()
    client.force_login(anna)
    assert client.post("/first-visit/").status_code == 201
    assert client.post("/first-visit/").status_code == 204
    page = home(client)
    assert TOUR not in page
    assert LOADED not in page
    other = Client()
    other.force_login(anna)
    assert other.post("/first-visit/").status_code == 204
    assert TOUR not in home(other)
    assert FirstVisit.objects.get().user == anna


def test_who_has_had_it_pays_with_no_query_and_a_shared_browser_shows_it_to_both(client: Client, anna: User) -> None:
    today()
    FirstVisit.objects.create(user=anna)
    client.post("/accounts/login/", {"username": "anna", "password": PASSWORD})
    assert client.cookies["visited"].value == str(anna.pk)
    with CaptureQueriesContext(connection) as queries:
        home(client)
    assert not [query for query in queries if "firstvisit" in query["sql"]]
    ben = create_trader_login(trader_id="trader_1b", username="ben", password=PASSWORD)
    store_trade("12-13", "sell", "10", "20", day=germany().day_of(clock.now()), trader="trader_1b")
    client.force_login(ben)
    assert TOUR in home(client)


def test_nobody_begins_it_without_a_log_in(client: Client) -> None:
    assert client.post("/first-visit/").status_code == 302
    assert client.get("/first-visit/").status_code == 405
    assert not FirstVisit.objects.exists()
