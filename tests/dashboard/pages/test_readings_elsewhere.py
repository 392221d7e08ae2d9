"""The desk and opened rows in three readings, as the board: pages, files, and what they say of themselves."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.dashboard.boards import MORNING, SKETCH_DAY, store_price, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany

DESK = f"/desk/{SKETCH_DAY}/"
TRADES = (("12-13", "sell", "4", "30"), ("12:15-12:30", "buy", "4", "20"), ("12:30-13:00", "sell", "2", "28"))

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


# --- an opened row --------------------------------------------------------------------------------------------------
def panel(client: Client, label: str, by: str, show: str = "trades") -> str:
    address = f"/boards/trader_1/{SKETCH_DAY}/{label}/?by={by}&show={show}"
    answer = client.get(address, headers={"X-Part": "opened"})
    assert answer.status_code == 200
    return answer.content.decode()


def lines(text: str) -> list[str]:
    """The trades' table: the cells' texts, up to the trade's id."""
    rows = text.split('class="trades-part"')[1].split("<tbody>")[1].split("</tbody>", maxsplit=1)[0].split("<tr")[1:]
    return [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", one.split(">", 1)[1]).split("board-")[0]).strip() for one in rows
    ]


@pytest.fixture
def anna(client: Client) -> User:
    """An hour sold, one of its quarters bought back, and a half hour."""
    germany()
    user = a_trader()
    client.force_login(user)
    for number, (label, direction, mw, price) in enumerate(TRADES):
        store_trade(label, direction, mw, price, at=MORNING - timedelta(minutes=number))
    for label, value in (("12-13", "25"), ("12:15-12:30", "22")):
        store_price(label, value)
    return user


def test_an_opened_row_has_every_trade_that_touches_it_and_its_share(client: Client, anna: User) -> None:
    assert [line.split(" ", 1)[1] for line in lines(panel(client, "12-13", "hour"))] == [
        "sold all of 12–13 4.00 4.00 30.00 +5.00 +5.00",
        "bought all of 12:15–12:30 4.00 1.00 20.00 +5.00 —",
        "sold all of 12:30–13:00 2.00 1.00 28.00 +3.00 —",
    ]
    assert [line.split(" ", 1)[1] for line in lines(panel(client, "12:15-12:30", "quarter"))] == [
        "sold 1/4 of 12–13 4.00 1.00 30.00 +8.00 +8.00",
        "bought all of 12:15–12:30 4.00 1.00 20.00 +2.00 —",
    ]
    assert [line.split(" ", 1)[1] for line in lines(panel(client, "12-13", "product"))] == [
        "sold 4.00 4.00 30.00 +5.00 +5.00"
    ]


def test_an_opened_row_says_its_reading_and_keeps_it(client: Client, anna: User) -> None:
    text = panel(client, "12:15-12:30", "quarter")
    assert "<small>by quarter hour</small>" in text
    inside = re.findall(r'(?:href|data-source|data-close)="([^"]*)"', text)
    assert inside and all("by=quarter" in address for address in inside), inside
    page = shown(client, f"/boards/trader_1/{SKETCH_DAY}/12:15-12:30/?by=quarter")
    assert 'data-by="quarter"' in page and page.count('<tbody id="p-') == 96
    assert f'href="/boards/trader_1/{SKETCH_DAY}/12:15-12:30/?by=quarter"' in page, "the row's own link"


def test_a_label_that_is_no_row_of_the_reading_is_a_product(client: Client, anna: User) -> None:
    assert 'data-by="product"' in shown(client, f"/boards/trader_1/{SKETCH_DAY}/12-13/?by=quarter")
    client.post("/reading/", {"reading": "hour"})
    assert 'data-by="product"' in shown(client, f"/boards/trader_1/{SKETCH_DAY}/12-13/")
    assert client.get(f"/boards/trader_1/{SKETCH_DAY}/12-13/?by=minute").status_code == 400


def test_the_chart_s_averages_go_by_the_energy_in_the_row(client: Client, anna: User) -> None:
    address = f"/api/v1/trades/trader_1/{SKETCH_DAY}/12-13"
    data = client.get(f"{address}?by=hour").json()
    assert [data[name] for name in ("mw", "mwh")] == [["2", "4", "4"], ["1", "1", "4"]]
    assert client.get(address).json()["mwh"] == ["4"]
    assert client.get(f"{address}?by=minute").status_code == 400


def test_an_opened_row_s_file_has_the_products_and_the_shares(client: Client, anna: User) -> None:
    address = f"/boards/trader_1/{SKETCH_DAY}/12:15-12:30/trades.csv"
    answer = client.get(f"{address}?by=quarter")
    assert f'filename="trades_trader_1_{SKETCH_DAY}_12_15-12_30_by_quarter.csv"' in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))  # type: ignore[arg-type]
    told = ("reading", "row_period", "delivery_hour", "share", "quantity_mw", "energy_mwh")
    assert [[row[name] for name in told] for row in rows] == [
        ["quarter", "12:15-12:30", "12:00-13:00", "0.2500", "4", "1"],
        ["quarter", "12:15-12:30", "12:15-12:30", "1", "4", "1"],
    ]


# --- the history ----------------------------------------------------------------------------------------------------
HISTORY = f"/history/?from={SKETCH_DAY}&to={SKETCH_DAY}"


def test_the_history_has_the_board_s_readings(client: Client, anna: User) -> None:
    for by, result in (("product", "22"), ("hour", "28"), ("quarter", "10")):
        text = shown(client, f"{HISTORY}&by={by}")
        assert f'<option value="{by}" selected>' in text and f'data-by="{by}"' in text
        assert re.findall(r'data-total="performance_eur"[^>]* data-value="([^"]*)"', text) == [result]
        assert f"history.csv?trader=trader_1&amp;from={SKETCH_DAY}&amp;to={SKETCH_DAY}&amp;by={by}" in text
        assert f"to={SKETCH_DAY}&amp;by={by}" in text.split("ranges")[0] or f'name="by" value="{by}"' in text


def test_the_choice_holds_for_the_history_and_its_links(client: Client, anna: User) -> None:
    client.post("/reading/", {"reading": "hour", "next": HISTORY})
    text = shown(client, HISTORY)
    assert 'data-by="hour"' in text and "by=hour" in text.split("download", maxsplit=1)[0]
    assert 'name="by"' not in text, "a choice is remembered; no address needs it"
    assert client.get(f"{HISTORY}&by=minute").status_code == 400


def test_the_history_s_file_says_which_reading_it_is(client: Client, anna: User) -> None:
    answer = client.get(f"/history/history.csv?from={SKETCH_DAY}&to={SKETCH_DAY}&by=quarter")
    assert f"_{SKETCH_DAY}_{SKETCH_DAY}_by_quarter.csv" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))  # type: ignore[arg-type]
    assert {row["reading"] for row in rows} == {"quarter"}
    assert {row["trade_count"] for row in rows if row["row"] in {"day", "hour", "total"}} == {"3"}
