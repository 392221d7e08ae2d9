"""The desk in three readings, as the board: its page, its files, and what they say of themselves."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.dashboard.boards import SKETCH_DAY, store_price, store_trade
from tests.dashboard.people import a_head
from tests.trades.frames import germany

DESK = f"/desk/{SKETCH_DAY}/"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]


@pytest.fixture
def head(client: Client) -> User:
    """One trader sells an hour, another buys one of its quarters back."""
    germany()
    user = a_head()
    client.force_login(user)
    store_trade("12-13", "sell", "4", "30", trader="trader_1")
    store_trade("12:15-12:30", "buy", "4", "20", trader="trader_2")
    for label, value in (("12-13", "25"), ("12:00-12:15", "26"), ("12:15-12:30", "22")):
        store_price(label, value)
    return user


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def row(page: str, label: str) -> dict[str, list[str]]:
    """The exact values of a row, trader by trader and the desk's last."""
    found = next(part for part in page.split("<tbody") if f'data-delivery-hour="{label}"' in part)
    names = ("performance_eur", "net_mwh")
    return {name: re.findall(rf'data-field="{name}"[^>]* data-value="([^"]*)"', found) for name in names}


def test_the_desk_has_the_board_s_readings(client: Client, head: User) -> None:
    product, hour, quarter = (shown(client, f"{DESK}?by={by}") for by in ("product", "hour", "quarter"))
    assert [page.count('<tbody id="p-') for page in (product, hour, quarter)] == [25, 24, 96]
    assert row(product, "12-13") == {"performance_eur": ["20", "", "20"], "net_mwh": ["-4", "-4"]}
    assert row(hour, "12-13") == {"performance_eur": ["20", "5", "25"], "net_mwh": ["-4", "1", "-3"]}
    assert row(quarter, "12:15-12:30") == {"performance_eur": ["8", "2", "10"], "net_mwh": ["-1", "1", "0"]}
    for page, by in ((product, "product"), (hour, "hour"), (quarter, "quarter")):
        assert f'data-by="{by}"' in page
        assert f'<option value="{by}" selected>' in page
        assert f"desk.csv?by={by}" in page
        (socket,) = re.findall(r'data-socket="([^"]*)"', page)
        assert (f"by={by}" in socket) == (by != "product")
        totals = re.findall(r'data-total="(?:sold_mwh|bought_mwh|net_mwh|trade_count)" data-value="([^"]*)"', page)
        assert totals == ["4", "1", "-3", "2"], "each trade once"


def test_the_choice_holds_for_the_desk_and_leads_to_the_same_row(client: Client, head: User) -> None:
    client.post("/reading/", {"reading": "hour", "next": DESK})
    assert f"/boards/trader_2/{SKETCH_DAY}/12-13/?by=hour" in shown(client, DESK)


def test_the_desk_s_file_says_which_reading_it_is(client: Client, head: User) -> None:
    answer = client.get(f"{DESK}desk.csv?by=quarter")
    assert answer["Content-Disposition"] == f'attachment; filename="desk_DE_{SKETCH_DAY}_by_quarter.csv"'
    _, *rows = b"".join(answer).decode().splitlines()  # type: ignore[arg-type]
    assert len(rows) == 4 + 1 + 1 + 1 + 4 + 1
    assert all(",quarter," in one for one in rows)
    assert client.get(f"{DESK}desk.csv?by=minute").status_code == 400
