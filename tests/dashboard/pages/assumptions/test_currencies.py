"""The money of assumptions: each currency for itself, over markets and over a market's own change of it."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from dashboard.figures.history import DayRange, of_one_currency
from market.areas.adding import add_market
from market.models import Market, MarketRule
from tests.dashboard.assumptions.written import DAY, GATE, MINUTE, NOW, publish, said, written
from tests.dashboard.people import a_trader
from tests.trades.frames import confirmation, germany, numbered
from trades.frames import FrameSource
from trades.ledger.store import store_frames

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

LATER = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def _assumed_and_bought(market: Market, *, final: str) -> None:
    """10 MW of an hour, bought at 50 EUR/MWh after an assumption at 50, and what became of the reference."""
    publish("50", NOW - 10 * MINUTE, market=market)
    written(market=market.code)
    bought = confirmation(
        f"{market.code}-1", quantity=10, price=50, execution_time=f"{NOW + 5 * MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    )
    store_frames(market=market, source=FrameSource(market.code, "listener"), frames=numbered(bought))
    publish(final, GATE + 130 * MINUTE, market=market)


def _page(client: Client, address: str, at: datetime = LATER) -> str:
    with time_machine.travel(at, tick=False):
        answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def _money(page: str) -> list[tuple[str, ...]]:
    """Of each section of money: its name, then linked, other and all trades."""
    sections = re.findall(r'<section class="part wide" id="(money[^"]*)">(.*?)</section>', page, re.DOTALL)
    fields = ("linked", "unlinked", "total")
    return [
        (name, *(re.findall(rf'data-field="{field}" data-value="([^"]*)"', text)[-1] for field in fields))
        for name, text in sections
    ]


def test_two_currencies_are_never_added(client: Client) -> None:
    client.force_login(a_trader())
    _assumed_and_bought(germany(), final="60")
    _assumed_and_bought(add_market("GB"), final="150")
    page = _page(client, "/assumptions/")
    assert [(name, *map(float, sums)) for name, *sums in _money(page)] == [
        ("money-EUR", 100, 0, 100),
        ("money-GBP", 1000, 0, 1000),
    ]
    assert "1100" not in page
    assert [name for name, *_ in _money(_page(client, "/assumptions/?market=GB"))] == ["money"]
    assert "150.00 <small>£/MWh</small>" in page, "a list of two currencies names each price's"
    for key in ("tag", "hour", "month"):
        assert f'id="money-GBP-{key}"' in page


def test_an_outcome_leads_to_those_of_its_currency(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(a_trader())
    _assumed_and_bought(germany(), final="60")
    _assumed_and_bought(add_market("GB"), final="150")
    links = re.findall(r'href="(\?outcome=right-acted[^"#]*)#judged"', _page(client, "/assumptions/"))
    shown = [_page(client, f"/assumptions/{html.unescape(link)}") for link in links]
    boards = [re.findall(r'<td><a href="/boards/trader_1/[^"]*market=(\w+)"', page) for page in shown]
    assert boards == [["DE"], ["GB"]]
    monkeypatch.setattr("dashboard.pages.assumptions.page.A_PAGE", 1)
    for label, minutes in (("13-14", 70), ("14-15", 130)):
        written(delivery_hours=[label])
        publish("50", NOW, label=label)
        publish("60", GATE + minutes * MINUTE, label=label)
    (older,) = re.findall(
        r'href="(\?cursor=[^"#]*)#judged"', _page(client, "/assumptions/?outcome=right-idle&currency=EUR")
    )
    assert "&amp;outcome=right-idle&amp;currency=EUR" in older, "older ones are of the same outcome"


def test_markets_of_one_currency_have_one_sum(client: Client) -> None:
    client.force_login(a_trader())
    _assumed_and_bought(germany(), final="60")
    _assumed_and_bought(add_market("FR"), final="55")
    assert [(name, *map(float, sums)) for name, *sums in _money(_page(client, "/assumptions/"))] == [
        ("money", 150, 0, 150)
    ]


def test_a_market_s_change_of_currency_parts_its_days(client: Client) -> None:
    user = a_trader()
    market = germany()
    _assumed_and_bought(market, final="60")
    MarketRule.objects.create(market=market, valid_from=date(2026, 11, 25), currency="GBP")
    for days in (0, 1, 2, 20, 40):
        with time_machine.travel(LATER + timedelta(days=days), tick=False):
            client.force_login(user)
        found = _money(_page(client, "/assumptions/", LATER + timedelta(days=days)))
        assert [(name, *map(float, sums)) for name, *sums in found] == ([("money", 100, 0, 100)] if days < 30 else [])


def test_a_range_falls_into_parts_of_one_currency() -> None:
    market = germany()
    MarketRule.objects.create(market=market, valid_from=date(2026, 11, 25), currency="GBP")
    MarketRule.objects.create(market=market, valid_from=date(2026, 11, 26), opening="16:00")
    MarketRule.objects.create(market=market, valid_from=date(2026, 11, 28), currency="EUR")
    market = Market.objects.get(pk=market.pk)
    assert of_one_currency(market, DayRange(DAY, date(2026, 11, 30))) == [
        ("EUR", DayRange(DAY, date(2026, 11, 24))),
        ("GBP", DayRange(date(2026, 11, 25), date(2026, 11, 27))),
        ("EUR", DayRange(date(2026, 11, 28), date(2026, 11, 30))),
    ]
    assert of_one_currency(market, DayRange(DAY, DAY)) == [("EUR", DayRange(DAY, DAY))]


def test_a_history_over_a_currency_and_back_is_refused(client: Client) -> None:
    market = germany()
    client.force_login(a_trader())
    MarketRule.objects.create(market=market, valid_from=date(2026, 11, 20), currency="GBP")
    MarketRule.objects.create(market=market, valid_from=date(2026, 11, 22), currency="EUR")
    with time_machine.travel(NOW, tick=False):
        answer = client.get("/history/?from=2026-11-19&to=2026-11-23")
    sentence = "The market trades in EUR up to 2026-11-19 and in GBP afterwards: ask for these days apart."
    assert sentence in answer.content.decode()


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"claim": "above"}, "“above” needs a threshold in %s/MWh."),
        ({"broken_at": "0"}, "What breaks it must be more than 0 %s/MWh."),
    ],
)
def test_what_is_refused_names_the_currency_of_the_market_s_day(
    client: Client, wanted: dict[str, str], sentence: str
) -> None:
    client.force_login(a_trader())
    MarketRule.objects.create(market=germany(), valid_from=date(2026, 11, 24), currency="PLN")
    add_market("GB")
    for market, day, currency in (
        ("DE", "2026-11-23", "EUR"),
        ("DE", "2026-11-24", "PLN"),
        ("GB", "2026-11-24", "GBP"),
    ):
        asked = said(market=market, delivery_day=day, **wanted)
        with time_machine.travel(NOW, tick=False):
            answer = client.post("/api/v1/assumptions", json.dumps(asked), content_type="application/json")
        assert (answer.status_code, answer.json()["error"]) == (400, sentence % currency)


def test_the_form_names_the_currency_of_its_day(client: Client) -> None:
    client.force_login(a_trader())
    MarketRule.objects.create(market=germany(), valid_from=date(2026, 11, 24), currency="GBP")
    for day, sign in (("2026-11-23", "€"), ("2026-11-24", "£")):
        with time_machine.travel(NOW, tick=False):
            answer = client.get(f"/assumptions/board/?trader=trader_1&market=DE&day={day}")
        assert f"<small>{sign}/MWh</small>" in answer.json()["form"]
