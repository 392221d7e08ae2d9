"""The path of a period's price through the API: every accepted value with its publication and arrival times."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from market.models import Market, MarketRule
from tests.dashboard.people import a_head, a_trader
from tests.prices.conftest import published, store
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ADDRESS = "/api/v1/prices/DE/2026-03-02/12-13"


def answer(client: Client, address: str = ADDRESS, status: int = 200) -> dict[str, Any]:
    response = client.get(address)
    assert response.status_code == status
    assert "no-store" in response["Cache-Control"]
    found: dict[str, Any] = response.json()
    return found


@pytest.fixture
def market(db: None) -> Market:
    return germany()


def test_every_value_in_the_order_of_publication(client: Client, market: Market) -> None:
    client.force_login(a_trader())
    store(market, 12, published("81.5", 10, 4))
    store(market, 12, published("-3.25", 20, 11))
    store(market, 13, published("7", 20, 11))
    found = answer(client)
    path = found.pop("path")
    assert found == {
        "market": "DE",
        "delivery_day": "2026-03-02",
        "delivery_hour": "12-13",
        "delivery_start": "2026-03-02T11:00:00Z",
        "delivery_end": "2026-03-02T12:00:00Z",
        "unit": "EUR/MWh",
    }
    assert [(p["value"], p["published_at"]) for p in path] == [
        ("81.5", "2026-03-02T09:10:04Z"),
        ("-3.25", "2026-03-02T09:20:11Z"),
    ]
    assert all(set(p) == {"value", "published_at", "arrived_at"} for p in path)
    assert all(p["arrived_at"].endswith("Z") for p in path)


def test_a_days_unit_is_that_of_its_rule(client: Client, market: Market) -> None:
    MarketRule.objects.create(market=market, valid_from=date(2026, 3, 2), currency="GBP")
    client.force_login(a_head())
    assert answer(client)["unit"] == "GBP/MWh"
    assert answer(client, ADDRESS.replace("03-02", "03-01"))["unit"] == "EUR/MWh"


def test_a_period_without_prices_has_an_empty_path(client: Client, market: Market) -> None:
    client.force_login(a_head())
    assert answer(client)["path"] == []


def test_who_may_not(client: Client, market: Market) -> None:
    assert "Log in first" in answer(client, status=401)["error"]
    client.force_login(User.objects.create_user("nobody"))
    assert "does not belong to a trader" in answer(client, status=404)["error"]


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        ("/api/v1/prices/XX/2026-03-02/12-13", "XX"),
        ("/api/v1/prices/DE/2026-02-30/12-13", "2026-02-30"),
        ("/api/v1/prices/DE/2026-03-02/12-14x", "12-14x"),
    ],
)
def test_what_does_not_exist(client: Client, market: Market, address: str, wrong: str) -> None:
    client.force_login(a_trader())
    assert wrong in answer(client, address, 404)["error"]
