"""A board by product, by hour, by quarter: chosen, remembered, in files; and what is no reading is refused."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.models import Preference
from tests.dashboard.boards import SKETCH_DAY, store_price, store_trade
from tests.dashboard.people import PASSWORD, a_trader
from tests.trades.frames import germany

BOARD = f"/boards/trader_1/{SKETCH_DAY}/"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]


@pytest.fixture
def anna(client: Client) -> User:
    """An hour sold and one of its quarters bought back."""
    germany()
    user = a_trader()
    client.force_login(user)
    store_trade("12-13", "sell", "4", "30")
    store_trade("12:15-12:30", "buy", "4", "20")
    store_price("12-13", "25")
    return user


def figure(page: str, label: str, field: str) -> str:
    """The exact value of a row's figure, as the page has it."""
    row = next(part for part in page.split("<tbody") if f'data-delivery-hour="{label}"' in part)
    found = re.search(rf'data-field="{field}"[^>]* data-value="([^"]*)"', row)
    assert found is not None
    return found[1]


def shown(client: Client, address: str = BOARD) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_reading_has_its_rows(client: Client, anna: User) -> None:
    product, hour, quarter = (shown(client, f"{BOARD}?by={by}") for by in ("product", "hour", "quarter"))
    assert [figure(page, "12-13", "net_mwh") for page in (product, hour)] == ["-4", "-3"]
    assert figure(hour, "12-13", "trade_count") == "2"
    assert figure(hour, "12-13", "performance_eur") == "25"
    assert [page.count('<tbody id="p-') for page in (product, hour, quarter)] == [25, 24, 96]
    assert [figure(quarter, label, "net_mwh") for label in ("12:00-12:15", "12:15-12:30")] == ["-1", "0"]
    for page, by in ((product, "product"), (hour, "hour"), (quarter, "quarter")):
        assert f'data-by="{by}"' in page
        assert f'<option value="{by}" selected>' in page
        (socket,) = re.findall(r'data-socket="([^"]*)"', page)
        assert (f"by={by}" in socket) == (by != "product")


def test_a_choice_is_remembered_with_the_user(client: Client, anna: User) -> None:
    answer = client.post("/reading/", {"reading": "hour", "next": BOARD})
    assert (answer.status_code, answer["Location"]) == (302, BOARD)
    assert figure(shown(client), "12-13", "net_mwh") == "-3"
    assert client.get(f"/api/v1{BOARD}".rstrip("/")).json()["by"] == "hour"
    assert figure(shown(client, f"{BOARD}?by=product"), "12-13", "net_mwh") == "-4"
    assert figure(shown(client), "12-13", "net_mwh") == "-3", "a look in another reading changes nothing"
    elsewhere = Client()
    elsewhere.post("/accounts/login/", {"username": anna.username, "password": PASSWORD})
    assert figure(shown(elsewhere), "12-13", "net_mwh") == "-3"
    client.post("/language/", {"language": "de"})
    preference = Preference.objects.get()
    assert (preference.reading, preference.language) == ("hour", "de")


def test_a_file_says_which_reading_it_is(client: Client, anna: User) -> None:
    answer = client.get(f"{BOARD}board.csv?by=hour")
    assert answer["Content-Disposition"] == f'attachment; filename="board_trader_1_{SKETCH_DAY}_by_hour.csv"'
    head, *rows = b"".join(answer).decode().splitlines()  # type: ignore[arg-type]
    assert "reading" in head.split(",")
    assert all(",hour," in row for row in rows)
    assert len(rows) == 25


@pytest.mark.parametrize("address", [f"{BOARD}?by=minute", f"{BOARD}board.csv?by=", "/?by=days"])
def test_what_is_no_reading_is_refused_in_a_sentence(client: Client, anna: User, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 400
    assert "A board can be read by product, hour or quarter." in answer.content.decode()


def test_only_a_reading_can_be_chosen_and_only_by_who_is_logged_in(client: Client, anna: User) -> None:
    assert client.post("/reading/", {"reading": "minute"}).status_code == 400
    assert not Preference.objects.exists()
    assert Client().post("/reading/", {"reading": "hour"})["Location"].startswith("/accounts/login/")
    client.cookies["reading"] = "nonsense"
    assert 'data-by="product"' in shown(client)
