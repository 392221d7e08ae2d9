"""Pages and API of a past moment: what they are asked with, what they show, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from tests.dashboard.boards import SKETCH_DAY, store_price
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import confirmation, germany
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NOW = datetime(2023, 2, 6, 10, 0, tzinfo=UTC)
BOARD, API = f"/boards/trader_1/{SKETCH_DAY}/", f"/api/v1/boards/trader_1/{SKETCH_DAY}"
CHART = f"/api/v1/trades/trader_1/{SKETCH_DAY}/12-13"
PAGES = (BOARD, f"/desk/{SKETCH_DAY}/", f"{BOARD}12-13/", API, CHART, "/", "/desk/", f"{BOARD}board.csv")
UNUSABLE = {
    "2023-02-06T10:00:01Z": "still to come",
    "2023-02-06T08:59:59Z": "before the market",
    "0001-01-01T00:00:00%2B14:00": "no moment that exists",
    "2023-02-30T09:30:00Z": "no moment that exists",
    "2023-02-06T09:30:00": "time zone",
    "yesterday": "must be a moment",
    "": "must be a moment",
    "2023-02-06T09:30:00Z%00": "must be a moment",
}


def minute(minutes: int) -> datetime:
    return NOW - timedelta(minutes=60 - minutes)


def asked(address: str, moment: str, **more: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in {"as_of": moment, **more}.items())
    return f"{address}?{query}"


@pytest.fixture
def head(client: Client) -> Iterator[Client]:
    """Two trades and two prices: at the minutes 10 and 30, and 20 and 40; the second was executed at minute 5."""
    a_trader()
    for number, (minutes, mw, executed) in enumerate(((10, 10.0, 10), (30, 4.0, 5)), start=1):
        facts = {"delivery_day": SKETCH_DAY.isoformat(), "direction": "sell", "quantity": mw, "price": 20}
        frame = confirmation(number, **facts, execution_time=minute(executed).isoformat())
        received = JournalFrame(number, minute(minutes), frame)
        store_frames(market=germany(), source=FrameSource("past", "listener-1"), frames=[received])
    store_price("12-13", "18", at=minute(20))
    store_price("12-13", "25", at=minute(40))
    client.force_login(a_head())
    with time_machine.travel(NOW, tick=False):
        yield client


def hour(client: Client, moment: datetime, **more: str) -> dict[str, object]:
    answer = client.get(asked(API, f"{moment:%Y-%m-%dT%H:%M:%SZ}", **more)).json()
    return next(one for one in answer["periods"] if one["delivery_hour"] == "12-13")


def test_the_api_says_what_was_known(head: Client) -> None:
    told = [hour(head, minute(minutes)) for minutes in (10, 20, 30, 40)]
    assert [one["sold_mwh"] for one in told] == ["10", "10", "14", "14"]
    assert [one["reference_price"] for one in told] == [None, "18", "18", "25"]
    assert [one["performance_eur"] for one in told] == [None, "20", "28", "-70"]
    assert hour(head, minute(10), basis="happened")["sold_mwh"] == "14"


def test_an_answers_as_of_is_the_asked_moment(head: Client) -> None:
    for text in (
        "2023-02-06T09:30:00Z",
        "2023-02-06T10:30:00%2B01:00",
        "2023-02-06T10:30:00 01:00",
        "2023-02-06T09:30Z",
    ):
        answer = head.get(asked(API, text)).json()
        assert (answer["as_of"], answer["basis"]) == ("2023-02-06T09:30:00Z", "known")
    assert head.get(asked(API, "2023-02-06T09:30:00.000001Z")).json()["as_of"] == "2023-02-06T09:30:00.000001Z"
    assert "basis" not in head.get(API).json()


@pytest.mark.parametrize("address", PAGES)
def test_a_moment_that_cannot_be_used_is_refused_in_one_sentence(head: Client, address: str) -> None:
    for moment, why in UNUSABLE.items():
        answer = head.get(asked(address, moment))
        assert answer.status_code == 400, (moment, answer.status_code)
        text = answer.json()["error"] if address.startswith("/api") else answer.content.decode()
        assert why in text, (moment, text)


def test_a_basis_that_nobody_knows_is_refused(head: Client) -> None:
    assert head.get(asked(BOARD, "2023-02-06T09:30:00Z", basis="guessed")).status_code == 400


def test_the_first_moment_that_is_told_can_be_asked_for(client: Client) -> None:
    first = datetime(2023, 2, 6, 9, 0, 0, 278515, tzinfo=UTC)
    frames = [JournalFrame(1, first, confirmation(1))]
    store_frames(market=germany(), source=FrameSource("first", "l"), frames=frames)
    client.force_login(a_head())
    refused = client.get(asked(API, "2023-02-06T08:00:00Z"))
    told = refused.json()["error"].rpartition(" ")[2].rstrip(".")
    assert (refused.status_code, told) == (400, "2023-02-06T09:00:01Z")
    assert client.get(asked(API, told)).status_code == 200


def test_before_any_record_there_is_no_past(client: Client) -> None:
    germany()
    a_trader()
    client.force_login(a_head())
    answer = client.get(asked(API, "2023-02-06T09:30:00Z"))
    assert (answer.status_code, "Nothing is recorded" in answer.json()["error"]) == (400, True)


def test_a_past_board_stands_still_and_steps_to_its_marks(head: Client) -> None:
    html = head.get(asked(BOARD, "2023-02-06T09:25:00Z")).content.decode()
    assert "data-past" in html
    assert "js/live.js" not in html and "js/assumptions.js" not in html and "data-assumptions" not in html
    marks = dict(re.findall(r'href="([^"]*)" data-mark="(\w+)"', html))
    assert {name: address for address, name in marks.items()} == {
        "before": f"{BOARD}?as_of=2023-02-06T09:20:00Z",
        "after": f"{BOARD}?as_of=2023-02-06T09:30:00Z",
    }
    assert f'href="{BOARD}?as_of=2023-02-06T09:25:00Z&amp;basis=happened">as it was' in html
    assert f'{BOARD}12-13/?as_of=2023-02-06T09:25:00Z"' in html, "rows lead to the same moment"
    assert 'data-now="2023-02-06T09:25:00Z"' in html


def test_an_opened_row_shows_the_trades_and_prices_of_then(head: Client) -> None:
    html = head.get(asked(f"{BOARD}12-13/", "2023-02-06T09:25:00Z", show="trades")).content.decode()
    assert len(re.findall(r'<td data-side="sell">', html)) == 1
    assert "data-assume>" not in html
    assert f'href="{BOARD}?as_of=2023-02-06T09:10:00Z" title' in html, "the board when the trade came"
    assert f'href="{BOARD}12-13/?show=trades&amp;as_of=2023-02-06T09:20:00Z" data-mark="before"' in html
    chart = head.get(asked(CHART, "2023-02-06T09:25:00Z")).json()
    assert (chart["mw"], [value for _, value in chart["path"]]) == (["10"], ["18"])
    assert chart["now"] == minute(25).timestamp() * 1000
    path = head.get(asked(f"/api/v1/prices/DE/{SKETCH_DAY}/12-13", "2023-02-06T09:25:00Z")).json()["path"]
    assert [point["value"] for point in path] == ["18"]


def test_the_desk_of_a_past_moment(head: Client) -> None:
    html = head.get(asked(f"/desk/{SKETCH_DAY}/", "2023-02-06T09:25:00Z")).content.decode()
    assert 'data-field="net_mwh" data-value="-10"' in html
    assert f"{BOARD}12-13/?as_of=2023-02-06T09:25:00Z" in html


def test_files_of_a_past_moment_hold_what_was_known_and_say_when(head: Client) -> None:
    page = head.get(asked(BOARD, "2023-02-06T09:25:00Z")).content.decode()
    address = re.findall(r'href="([^"]*board\.csv[^"]*)"', page)[0].replace("&amp;", "&")
    answer = head.get(address)
    assert "as_known_at_2023-02-06_092500Z" in answer["Content-Disposition"]
    assert "as_of=2023-02-06T09" in address.replace("%3A", ":")


def test_the_page_of_now_leads_back(head: Client) -> None:
    html = head.get(BOARD).content.decode()
    assert f'class="to-past" href="{BOARD}?as_of=2023-02-06T10:00:00Z"' in html
    assert "data-past" not in html


def test_rights_are_those_of_today(client: Client, head: Client) -> None:
    a_trader("trader_2", "ben")
    client.logout()
    client.login(username="ben", password="a long enough password")
    assert client.get(asked(BOARD, "2023-02-06T09:25:00Z")).status_code == 404
    assert client.get(asked(API, "2023-02-06T09:25:00Z")).status_code == 404
    assert client.get(asked(f"/desk/{SKETCH_DAY}/", "2023-02-06T09:25:00Z")).status_code == 404
