"""What programs read that only pages showed before: exact, in pages, with ETags; refusals with their field."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.tokens import create_token
from market import clock
from tests.dashboard.boards import SKETCH_DAY, store_price, store_sketch, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import NOW, germany
from trades.ledger.decisions import cancel_trade
from trades.models import FeedGap, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
DAY = SKETCH_DAY.isoformat()


@pytest.fixture
def head(client: Client) -> User:
    germany()
    user = a_head()
    client.force_login(user)
    return user


def ask(client: Client, address: str, status: int = 200, **query: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/{address}", query)
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_the_desk_is_the_sum_of_its_boards(client: Client, head: User) -> None:
    store_sketch()
    store_sketch(trader="trader_2")
    desk = ask(client, f"desk/{DAY}")
    board = ask(client, f"boards/trader_1/{DAY}")
    assert [one["trader_id"] for one in desk["traders"]] == ["trader_1", "trader_2"]
    assert {**desk["traders"][0], "as_of": ""} == {**board, "as_of": ""}
    assert Decimal(desk["total"]["performance_eur"]) == 2 * Decimal(board["total"]["performance_eur"])
    assert ask(client, f"desk/{DAY}", by="hour")["by"] == "hour"


def test_an_opened_row_comes_in_pages(client: Client, head: User) -> None:
    for number in range(5):
        store_trade("12-13", "sell", "0.3", f"{10 + number}.25")
    store_price("12-13", "9.8")
    cancel_trade(trade=Trade.objects.first() or Trade(), reason="never happened", user=head)
    seen, cursor = [], ""
    while True:
        page = ask(client, f"periods/trader_1/{DAY}/12-13", limit="2", cursor=cursor)
        seen += page["trades"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert len({trade["exchange_id"] for trade in seen}) == 5
    assert [trade["change"] for trade in seen].count("cancelled") == 1
    assert page["period"]["trade_count"] == 4
    assert page["path"][0]["value"] == "9.8"
    assert seen[0]["against_reference"] == str(Decimal(seen[0]["price"]) - Decimal("9.8"))


def test_history_adds_up(client: Client, head: User) -> None:
    store_sketch()
    found = ask(client, "history", **{"from": DAY, "to": DAY})
    assert (found["trader_id"], found["from"], len(found["days"])) == (None, DAY, 1)
    assert found["days"][0]["performance_eur"] == found["total"]["performance_eur"]
    assert found["traders"][0]["trader_id"] == "trader_1"
    assert ask(client, "history", trader="trader_1", days="7")["traders"] == []


def test_gaps_in_pages(client: Client, head: User) -> None:
    for hours in range(3):
        begin = NOW + timedelta(hours=hours)
        FeedGap.objects.create(market=germany(), started_at=begin, ended_at=begin + timedelta(seconds=5))
    FeedGap.objects.filter(started_at=NOW).update(closed_at=NOW, note="compared")
    first = ask(client, "gaps", limit="2")
    rest = ask(client, "gaps", limit="2", cursor=first["cursor"])
    assert [gap["closed_at"] is None for gap in first["gaps"] + rest["gaps"]] == [True, True, False]
    assert rest["cursor"] is None
    assert len(ask(client, "gaps", state="open", market="DE")["gaps"]) == 2


def test_the_status_is_the_pages(client: Client, head: User) -> None:
    assert ask(client, "status").keys() == client.get("/status/?format=json").json().keys()


@pytest.mark.parametrize(
    ("address", "query", "field"),
    [
        ("gaps", {"limit": "501"}, "limit"),
        ("gaps", {"limit": "x"}, "limit"),
        ("gaps", {"cursor": "x"}, "cursor"),
        ("gaps", {"state": "ajar"}, "state"),
        ("gaps", {"colour": "red"}, "colour"),
        ("history", {"from": "2026-11-23", "to": "2016-11-23"}, "from"),
        ("status", {"by": "hour"}, "by"),
        (f"desk/{DAY}", {"by": "week"}, None),
        (f"periods/trader_1/{DAY}/12-13", {"cursor": "7"}, "cursor"),
    ],
)
def test_what_is_refused(client: Client, head: User, address: str, query: dict[str, str], field: str | None) -> None:
    store_trade("12-13", "sell", "1", "1")
    answer = ask(client, address, 400, **query)
    assert answer["error"].endswith(".")
    assert answer.get("field") == field


def test_what_is_not_there(client: Client, head: User) -> None:
    for address in (
        "desk/2026-02-30",
        f"periods/nobody/{DAY}/12-13",
        f"periods/trader_1/{DAY}/25-26",
        "history?trader=x",
    ):
        assert ask(client, address, 404)["error"]
    assert Client().get("/api/v1/gaps").json()["error"].startswith("Log in first")


def test_nothing_new_is_304(client: Client, head: User) -> None:
    store_sketch()
    for address in (f"/api/v1/boards/trader_1/{DAY}", f"/api/v1/desk/{DAY}", "/api/v1/gaps", "/api/v1/openapi.json"):
        first = client.get(address)
        again = client.get(address, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b""), address
    tag = client.get(f"/api/v1/boards/trader_1/{DAY}")["ETag"]
    store_trade("12-13", "sell", "1", "1")
    assert client.get(f"/api/v1/boards/trader_1/{DAY}", headers={"If-None-Match": tag}).status_code == 200


def test_the_page_for_people_has_examples_that_run(client: Client) -> None:
    germany()
    user = a_trader()
    client.force_login(user)
    token = create_token(user=user, name="page", scope="write", now=clock.now())
    page = client.get("/api/").content.decode()
    commands = re.findall(r'<pre class="example"><code>(.*?)</code>', page, re.DOTALL)
    assert len(commands) >= 12
    for command in commands:
        words = shlex.split(command.replace("&quot;", '"').replace("&#x27;", "'").replace("$TOKEN", token))
        headers = dict(words[n + 1].split(": ", 1) for n, word in enumerate(words) if word == "-H")
        body = words[words.index("-d") + 1] if "-d" in words else None
        address = words[-1].removeprefix("http://testserver")
        bare = Client(headers={"Authorization": headers["Authorization"]})
        answer = bare.post(address, body, content_type="application/json") if body else bare.get(address)
        assert answer.status_code in {200, 400, 404, 409}, (command, answer.status_code)


def test_every_path_is_described_with_its_refusals(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        assert set(operations) <= {"get", "post"}, path
        for operation in operations.values():
            assert {"400", "401", "404", "429"} <= set(operation["responses"])
            assert operation.get("description"), path
