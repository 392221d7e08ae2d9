"""The admin of prices: to look at, and quick with any number of rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.audit import read_only_admin
from accounts.audit.models import Action, Entry
from market.areas.adding import add_market
from market.models import Market
from prices.models import PriceCheck, ProviderRequest, ReferencePrice, ReferencePriceHistory
from tests.prices.conftest import DAY, key_of, published, store, used

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def admin(market: Market) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="long enough to be accepted"))
    return client


def test_prices_are_listed_with_a_link_to_their_path(admin: Client, market: Market) -> None:
    store(market, 12, published("9.8"))
    store(market, 12, published("-9.95", minute=10))
    store(market, 13, published("77"))
    listed = admin.get("/admin/prices/referenceprice/", {"market__id__exact": market.pk})
    text = listed.content.decode()
    assert "-9.95" in text
    assert "2 values" in text
    link = text.split('href="/admin/prices/referencepricehistory/?')[2].split('"')[0].replace("&amp;", "&")
    path = admin.get(f"/admin/prices/referencepricehistory/?{link}")
    assert path.status_code == 200
    assert [str(row.value.normalize()) for row in path.context["cl"].result_list] == ["-9.95", "9.8"]
    assert path.context["cl"].result_count == 2


def test_requests_are_listed_latest_first(admin: Client, market: Market) -> None:
    used(market, 1, ago=100)
    used(market, 1, ago=10, took=None)
    listed = admin.get("/admin/prices/providerrequest/")
    assert [row.outcome for row in listed.context["cl"].result_list] == ["pending", "unchanged"]
    assert "0.10 s" in listed.content.decode()
    assert "2026-03-02 12-13" in listed.content.decode()


def test_a_request_is_listed_by_its_markets_day(
    admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """The British day begins at 23:00 of the evening before, and markets' rules are read once a page."""
    britain = add_market("GB")
    for minute in range(20):
        start = datetime(2026, 11, 23, 23, tzinfo=UTC)
        ProviderRequest.objects.create(
            market=britain,
            delivery_start=start,
            delivery_end=start + timedelta(hours=1),
            sent_at=start - timedelta(minutes=minute + 1),
        )
    with django_assert_max_num_queries(12):
        listed = admin.get("/admin/prices/providerrequest/").content.decode()
    assert listed.count("2026-11-24 23-24") == 20
    assert "2026-11-23" in listed, "the day of asking"


def test_a_price_is_asked_for_again_by_a_form_and_it_is_audited(admin: Client, market: Market) -> None:
    store(market, 12, published("9.8"))
    assert "ask again</a>" in admin.get("/admin/prices/referenceprice/").content.decode()
    values = {"market": market.pk, "delivery_day": DAY, "delivery_hour": "12:00-13:00", "reason": "a trader doubts it"}
    answer = admin.post("/admin/prices/pricecheck/add/", values, follow=True)
    assert "as soon as the budget allows" in answer.content.decode()
    check = PriceCheck.objects.get()
    assert (check.delivery_hour, check.delivery_start, check.asked_by) == ("12-13", key_of(market, 12).start, "root")
    entry = Entry.objects.get(action=Action.ADMIN_CHANGED, subject__startswith="price check")
    assert entry.actor == "root"
    assert "2026-03-02 12-13" in entry.subject
    assert admin.get(f"/admin/prices/pricecheck/{check.pk}/delete/").status_code == 403


@pytest.mark.parametrize(
    ("day", "label", "says"),
    [
        ("2026-03-29", "02-03", "does not exist"),
        ("2026-03-02", "noon", "not a delivery hour"),
        ("2099-01-01", "", "yet"),
    ],
)
def test_what_can_not_be_asked_again_is_said(admin: Client, market: Market, day: str, label: str, says: str) -> None:
    values = {"market": market.pk, "delivery_day": day, "delivery_hour": label, "reason": "a trader doubts it"}
    answer = admin.post("/admin/prices/pricecheck/add/", values)
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert not PriceCheck.objects.exists()


@pytest.mark.parametrize("model", [ReferencePrice, ReferencePriceHistory, ProviderRequest])
def test_nothing_can_be_added_changed_or_deleted(
    admin: Client, market: Market, model: type[ReferencePrice | ReferencePriceHistory | ProviderRequest]
) -> None:
    store(market, 12, published("9.8"))
    before = model.objects.values().get()
    address = f"/admin/prices/{model._meta.model_name}"
    assert admin.get(f"{address}/{before['id']}/change/").status_code == 200
    assert admin.get(f"{address}/add/").status_code == 403
    assert admin.post(f"{address}/{before['id']}/delete/", {"post": "yes"}).status_code == 403
    assert admin.post(f"{address}/{before['id']}/change/", {"delivery_hour": "13-14"}).status_code == 403
    assert model.objects.values().get() == before


def test_a_table_that_is_large_is_estimated_and_a_filter_is_counted_up_to_a_cap(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(market, 30, ago=10)
    monkeypatch.setattr(read_only_admin, "COUNTED_ROWS", 7)

    def pages(**conditions: object) -> Paginator[ProviderRequest]:
        return read_only_admin.EstimatingPaginator(ProviderRequest.objects.filter(**conditions).order_by("-id"), 10)

    assert pages().count == 30
    assert pages(market=market).count == 7
    assert pages(market_id=0).count == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = 1234567 WHERE relname = 'prices_providerrequest'")
    assert pages().count == 1234567
    assert pages(market=market).count == 7


def test_lists_cost_the_same_however_many_rows(
    admin: Client, market: Market, django_assert_max_num_queries: object
) -> None:
    used(market, 150, ago=5000)
    for hour in range(24):
        store(market, hour, published("9.8"))
    key = key_of(market, 12)
    assert key.end - key.start == timedelta(hours=1)
    for model in ("referenceprice", "referencepricehistory", "providerrequest"):
        with django_assert_max_num_queries(9):  # type: ignore[operator]
            assert admin.get(f"/admin/prices/{model}/").status_code == 200
