"""The desk against itself on its page and for programs: sums that agree, corrections, and who may see it."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.access.rights import Role
from dashboard.figures.itself.day import load_against
from dashboard.figures.itself.matching import sum_of
from market import clock
from tests.dashboard.boards import MORNING, SKETCH_DAY, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany
from trades.ledger.decisions import cancel_trade
from trades.models import Trade, TradeChange
from trades.queries import trades_of_day

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
DAY = SKETCH_DAY.isoformat()
PAGE, JSON = f"/desk/against-itself/{DAY}/", f"/api/v1/desk/{DAY}/against-itself"


@pytest.fixture
def head(client: Client) -> User:
    germany()
    user = a_head()
    client.force_login(user)
    return user


def store_day() -> None:
    """One cost, one gain, an own round trip, a pair alike, and a trade that meets nobody."""
    for label, direction, mw, price, trader, after in (
        ("12-13", "sell", "10", "30", "trader_1", 0),
        ("12-13", "buy", "4", "32.5", "trader_2", 60),
        ("12-13", "buy", "2", "29", "trader_1", 90),
        ("12:15-12:30", "buy", "8", "20", "trader_1", 120),
        ("12:15-12:30", "sell", "8", "20", "<b>bot</b>", 120.5),
        ("13-14", "sell", "1", "20", "trader_2", 0),
    ):
        at = MORNING + timedelta(seconds=after)
        store_trade(label, direction, mw, price, trader=trader, at=at)


def ask(client: Client, address: str = JSON, status: int = 200, **query: str) -> dict[str, Any]:
    answer = client.get(address, query)
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(html.unescape(plain).split())


def test_programs_read_every_pair_and_the_sums_agree(client: Client, head: User) -> None:
    store_day()
    found = ask(client)
    assert found["total"] == {
        "pair_count": 2,
        "energy_mwh": "6",
        "result": "-10",
        "result_per_mwh": found["total"]["result_per_mwh"],
    }
    assert [(one["delivery_hour"], one["result"]) for one in found["periods"]] == [
        ("12-13", "-10"),
        ("12:15-12:30", "0"),
    ]
    assert sum(Decimal(pair["result"]) for pair in found["matches"]) == Decimal(found["total"]["result"])
    (own,) = found["round_trips"]
    assert (own["sold"]["trader_id"], own["bought"]["trader_id"], own["result"]) == ("trader_1", "trader_1", "2")
    (same,) = found["alike"]
    assert (same["apart_ms"], same["sold"]["trader_id"], same["energy_mwh"]) == (500, "<b>bot</b>", "2")
    assert ask(client, hour="12-13")["trade_count"] == 3
    assert found["trade_count"] == 6


def test_the_page_says_what_programs_read(client: Client, head: User) -> None:
    store_day()
    shown = text_of(client, PAGE)
    assert "−10.00 €" in shown
    assert "2 pairs the dearest first" in shown
    assert "<b>bot</b>" in shown, "names are data"
    assert "0.500 s" in shown
    assert "The whole day" in text_of(client, f"{PAGE}?hour=12-13")
    assert PAGE in client.get(f"/desk/{DAY}/").content.decode()


def test_corrections_and_cancellations_rebuild_it(client: Client, head: User) -> None:
    store_day()
    first, late = Trade.objects.filter(delivery_hour="12-13").order_by("id")[:2]
    facts = {name: getattr(late, name) for name in ("delivery_day", "delivery_hour", "delivery_start", "delivery_end")}
    TradeChange.objects.create(
        trade=late,
        kind=TradeChange.Kind.CORRECTED,
        reason="mistyped",
        made_by=head,
        trader=late.trader,
        direction="buy",
        price=Decimal(25),
        quantity=Decimal(3),
        **facts,
    )
    assert ask(client)["total"]["result"] == "15"
    cancel_trade(trade=first, reason="never happened", user=head)
    assert ask(client)["total"]["result"] == "0"


def test_a_day_without_any_says_so(client: Client, head: User) -> None:
    shown = text_of(client, PAGE)
    assert "Nobody met another of the desk." in shown
    assert "No such pair." in shown
    assert ask(client)["total"]["result_per_mwh"] is None


def test_what_no_address_has_is_refused_in_a_sentence(client: Client, head: User) -> None:
    assert "is not a delivery hour" in text_of(client, f"{PAGE}?hour=noon", 404)
    assert text_of(client, "/desk/against-itself/yesterday/", 404)
    assert text_of(client, f"{PAGE}?market=XX", 404)
    assert ask(client, status=400, by="hour")["field"] == "by"
    assert client.get(f"/desk/against-itself/?day={DAY}").headers["Location"] == PAGE
    assert client.get("/desk/against-itself/").status_code == 200


def test_only_heads_and_compliance_see_it(client: Client) -> None:
    germany()
    wall = User.objects.create_user("wall")
    wall.groups.add(Group.objects.get_or_create(name=Role.WALL_SCREEN.value)[0])
    for user in (a_trader(), wall):
        client.force_login(user)
        assert client.get(PAGE).status_code == client.get(JSON).status_code == 404
    assert PAGE not in client.get(f"/desk/{DAY}/").content.decode()


def test_a_day_is_read_with_one_query(head: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    store_day()
    market = germany()
    with django_assert_num_queries(1):
        found = load_against(market=market, day=SKETCH_DAY, now=clock.now())
    assert sum_of(found.matches).count == 2
    assert len(trades_of_day(market_id=market.pk, day=SKETCH_DAY + timedelta(days=1))) == 0


def test_a_past_moment_has_what_was_known_then(client: Client, head: User) -> None:
    store_day()
    today = ask(client)
    cancelled = Trade.objects.get(price="32.5")
    cancel_trade(trade=cancelled, reason="by the exchange", user=head)
    decided = TradeChange.objects.get().made_at
    before, after = ({"as_of": at.isoformat()} for at in (decided - timedelta(microseconds=1), clock.now()))
    assert ask(client, **before) | {"as_of": ""} == today | {"as_of": ""}
    assert ask(client, **after) | {"as_of": ""} == ask(client) | {"as_of": ""} != today | {"as_of": ""}
    assert ask(client, **before, basis="happened")["total"] == ask(client)["total"], "all that is decided by today"
    page = client.get(PAGE, before).content.decode()
    assert "As known at" in page and f'href="{PAGE}"' in page
    assert re.search(r'rel="prev"', page) and "?as_of=" in page
    assert "against-itself" in client.get(f"/desk/{DAY}/", before).content.decode()
    for wrong in ("2199-01-01T00:00:00Z", "yesterday", "2020-01-01T00:00:00"):
        assert client.get(PAGE, {"as_of": wrong}).status_code == 400
