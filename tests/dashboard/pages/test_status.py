"""The status page: who sees it, what it says, the same as JSON; and what metrics say of the provider."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from dashboard.pages.status import RUNBOOKS
from market.locks import AdvisoryLock
from market.models import Market
from prices import request_ledger
from prices.models import ProviderRequest, ReferencePrice
from prices.observations import Outcome, Published
from tests.dashboard.people import a_head, a_superuser, a_trader
from tests.prices.conftest import key_of, published, reserved, store
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

ADDRESS = "/status/"


@pytest.fixture
def market(transactional_db: None) -> Market:
    Market.objects.exclude(code="DE").update(is_active=False)
    return germany()


@pytest.fixture
def head(client: Client, market: Market) -> User:
    user = a_head()
    client.force_login(user)
    return user


def as_json(client: Client, status: int = 200) -> dict[str, Any]:
    response = client.get(ADDRESS, {"format": "json"})
    assert response.status_code == status
    assert "no-store" in response["Cache-Control"]
    found: dict[str, Any] = response.json()
    return found


def test_without_a_login(client: Client, market: Market) -> None:
    response = client.get(ADDRESS)
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/status/")
    assert "Log in first" in as_json(client, 401)["error"]


def test_for_a_trader_it_does_not_exist(client: Client, market: Market) -> None:
    client.force_login(a_trader())
    assert client.get(ADDRESS).status_code == 404
    assert as_json(client, 404) == {"error": "There is nothing at this address."}


@pytest.mark.parametrize("who", [a_head, a_superuser])
def test_those_who_look_after_the_desk_see_it(client: Client, market: Market, who: Any) -> None:
    client.force_login(who())
    assert "How the feeds are doing" in client.get(ADDRESS).content.decode()


def test_staff_see_it_while_they_are_active(client: Client, market: Market) -> None:
    user = User.objects.create_user("staff", is_staff=True)
    client.force_login(user)
    assert client.get(ADDRESS).status_code == 200
    user.is_active = False
    user.save()
    assert client.get(ADDRESS).status_code == 302


def test_a_desk_that_has_just_begun(client: Client, head: User) -> None:
    page = client.get(ADDRESS).content.decode()
    assert "never connected yet" in page
    assert "no price yet" in page
    (market,) = as_json(client)["markets"]
    assert market["prices"]["state"] == "none"
    assert market["prices"]["last_hour"]["requests"] == 0
    assert market["prices"]["last_publication_at"] is None


def test_what_the_ledger_and_the_prices_say(client: Client, head: User, market: Market) -> None:
    store(market, 20, published("81.5", 10, 4))
    request_id = reserved(key_of(market, 21))
    request_ledger.finish(request_id=request_id, outcome=Outcome.FAILED, detail="no answer: refused")
    found = as_json(client)
    assert found["budget"]["minute"] == {"used": 2, "limit": 50}
    assert found["budget"]["paused_until"] is None
    (shown,) = found["markets"]
    prices = shown["prices"]
    assert prices["last_hour"]["outcomes"] | {"newer": 1, "failed": 1} == prices["last_hour"]["outcomes"]
    assert prices["last_hour"]["requests"] == 2
    assert 0 <= prices["last_hour"]["latency_seconds"]["p50"] < 5
    assert prices["last_hour"]["last_error"] == "no answer: refused"
    assert prices["last_publication_at"] == "2026-03-02T09:10:04Z"
    assert prices["chased_now"] is False
    page = client.get(ADDRESS).content.decode()
    for words in (
        "48 of 50",
        "2: 1 new price, 1 no answer",
        "2026-03-02 10:10:04 (09:10:04 UTC)",
        "no answer: refused",
    ):
        assert words in page


def test_a_chase_and_a_pause_show(client: Client, head: User, market: Market) -> None:
    request_ledger.finish(request_id=reserved(key_of(market, 21)), outcome=Outcome.REFUSED, detail="429", pause=300)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [AdvisoryLock.PRICE_CHASE, market.pk])
        try:
            found = as_json(client)
            page = client.get(ADDRESS).content.decode()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [AdvisoryLock.PRICE_CHASE, market.pk])
    assert found["markets"][0]["prices"]["chased_now"] is True
    assert found["budget"]["paused_until"] is not None
    assert "being chased now" in page
    assert "Paused by the provider until" in page
    assert as_json(client)["markets"][0]["prices"]["chased_now"] is False


def test_rows_older_than_an_hour_do_not_count(client: Client, head: User, market: Market) -> None:
    reserved(key_of(market, 21))
    ProviderRequest.objects.update(sent_at=timezone.now() - timedelta(hours=1, seconds=1))
    assert as_json(client)["markets"][0]["prices"]["last_hour"]["requests"] == 0


def test_metrics_tell_outcomes_latency_and_the_last_publication(client: Client, market: Market) -> None:
    stamped = timezone.now().replace(microsecond=0)
    store(market, 20, Published(published("1").value, stamped))
    text = client.get("/metrics").content.decode()
    assert 'desk_provider_requests_last_hour{market="DE",outcome="newer"} 1.0' in text
    assert 'desk_provider_latency_seconds{market="DE",quantile="0.95"}' in text
    (line,) = (li for li in text.splitlines() if li.startswith("desk_reference_price_published_timestamp_seconds{"))
    assert float(line.split()[-1]) == stamped.timestamp()
    assert 'desk_reference_price_arrival_delay_seconds{market="DE"}' in text


def test_each_thing_that_is_open_leads_to_what_to_do(client: Client, head: User, market: Market) -> None:
    page = client.get(ADDRESS).content.decode()
    assert '<a href="/status/runbooks/feed-down/">What to do</a>' in page
    runbook = client.get("/status/runbooks/feed-down/").content.decode()
    assert "<h2>" in runbook
    title = (settings.BASE_DIR / "docs/runbooks/feed-down.md").read_text().split("\n")[0].removeprefix("# ")
    assert title in unescape(runbook)


def test_every_link_of_every_runbook_answers(client: Client, head: User) -> None:
    """Those that lead to other documents (`../`) are no pages: their text stands alone."""
    followed = set()
    for file in sorted(RUNBOOKS.glob("*.md")):
        answer = client.get(f"/status/runbooks/{file.stem}/")
        html = answer.content.decode().partition('<div class="runbook">')[2].partition("</section>")[0]
        found = re.findall(r'href="([^"]*)"', html)
        assert len(found) == len(re.findall(r"\]\((?!\.\./)", file.read_text())), file.stem
        followed |= set(found)
    assert len(followed) > 15
    for address in followed:
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("name", ["nothing", "README.md", "..", "gap.md"])
def test_there_are_no_other_runbooks(client: Client, head: User, name: str) -> None:
    assert client.get(f"/status/runbooks/{name}/").status_code == 404


def test_the_views_of_the_desk_lead_to_the_status(client: Client, head: User) -> None:
    assert '<a href="/status/">Status</a>' in client.get("/desk/").content.decode()
    client.force_login(a_trader())
    assert "/status/" not in client.get("/history/").content.decode()


def test_a_product_that_the_provider_has_no_prices_of_is_named(client: Client, head: User, market: Market) -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    asked = {"market": market, "outcome": Outcome.UNDEFINED, "sent_at": timezone.now(), "finished_at": timezone.now()}
    for minutes in (15, 60):
        ProviderRequest.objects.create(delivery_start=now, delivery_end=now + timedelta(minutes=minutes), **asked)
    (one,) = as_json(client)["markets"]
    assert one["prices"]["unanswered_products"] == [15], "hours are no product of this kind"
    page = unescape(client.get(ADDRESS).content.decode())
    assert "Prices of quarter hours" in page and "the provider has none; asked four times an hour" in page
    ReferencePrice.objects.create(
        market=market,
        delivery_day=now.date(),
        delivery_hour="x",
        delivery_start=now,
        delivery_end=now + timedelta(minutes=15),
        value=Decimal(1),
        last_update=now,
        arrived_at=now,
    )
    assert as_json(client)["markets"][0]["prices"]["unanswered_products"] == []
    assert "Prices of quarter hours" not in client.get(ADDRESS).content.decode()
