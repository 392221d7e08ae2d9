"""/alerts/ and its API: rules come, are snoozed and go; what fired is shown and acknowledged, by its user alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.audit.models import Entry
from accounts.tokens import create_token
from dashboard.alerts.models import Alert, AlertRule, AlertTarget
from market import clock
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def anna(client: Client) -> User:
    germany()
    user = a_trader()
    client.force_login(user)
    return user


def an_alert(user: User, **more: Any) -> Alert:
    now = clock.now()
    facts = {"market": "DE"}
    return Alert.objects.create(
        user=user, kind="price_late", subject="DE", facts=facts, level="alert", started_at=now, last_at=now, **more
    )


def test_a_rule_comes_is_snoozed_and_goes(anna: User, client: Client) -> None:
    words = {"kind": "open_mwh", "threshold": "2,5", "minutes": "15", "sound": "on", "market": "DE"}
    assert client.post("/alerts/", words).status_code == 302
    rule = AlertRule.objects.get()
    assert (str(rule.threshold), rule.minutes, rule.sound, rule.user) == ("2.5000", 15, True, anna)
    assert "<b>2.5</b>" in client.get("/alerts/").content.decode()
    client.post("/alerts/change/", {"snooze": rule.pk, "minutes": "60"})
    assert "silent until" in client.get("/alerts/").content.decode()
    an_alert(anna, rule=rule)
    client.post("/alerts/change/", {"delete": rule.pk})
    assert not AlertRule.objects.exists()
    assert Alert.objects.get().ended_at is not None
    assert Entry.objects.filter(action="rule_changed").count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "nothing"},
        {"threshold": "many"},
        {"threshold": "0"},
        {"minutes": "0"},
        {"minutes": "x"},
        {"market": "XX"},
        {"trader": "trader_2"},
        {"desk_wide": "on"},
    ],
)
def test_what_is_no_rule(anna: User, client: Client, wrong: dict[str, str]) -> None:
    words = {"kind": "open_mwh", "threshold": "1", "minutes": "15", **wrong}
    answer = client.post("/alerts/", words)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not AlertRule.objects.exists()


def test_heads_make_rules_for_the_whole_desk(client: Client) -> None:
    client.force_login(a_head())
    client.post("/alerts/", {"kind": "loss_limit", "threshold": "1000", "desk_wide": "on"})
    assert AlertRule.objects.get().desk_wide


def test_what_fired_is_on_the_line_until_it_is_seen(anna: User, client: Client) -> None:
    alert, _ = an_alert(anna), an_alert(anna, muted=True)
    line = client.get("/alerts/line/").content.decode()
    assert line.count("reference prices are late") == 1
    assert f'data-alert="{alert.pk}"' in line
    client.post("/alerts/change/", {"seen": alert.pk})
    assert "reference prices" not in client.get("/alerts/line/").content.decode()
    assert Entry.objects.filter(action="alert_seen").count() == 1


def test_programs_read_and_acknowledge(anna: User) -> None:
    alert = an_alert(anna)
    headers = {"Authorization": f"Bearer {create_token(user=anna, name='x', scope='write', now=clock.now())}"}
    api = Client(headers=headers)
    (found,) = api.get("/api/v1/alerts").json()["alerts"]
    assert (found["sentence"], found["acknowledged_at"]) == ("DE: reference prices are late.", None)
    assert api.post(f"/api/v1/alerts/{alert.pk}/seen").json()["acknowledged_at"]
    assert api.get("/api/v1/alerts?state=unseen").json()["alerts"] == []
    assert len(api.get("/api/v1/alerts?state=open").json()["alerts"]) == 1
    assert api.get("/api/v1/alerts?state=x").json()["field"] == "state"


def test_nobody_sees_or_acknowledges_anothers(anna: User, client: Client) -> None:
    alert = an_alert(a_trader("trader_2", "ben"))
    rule = AlertRule.objects.create(user=alert.user, kind="gap", created_at=clock.now())
    assert "DE: reference prices" not in client.get("/alerts/").content.decode()
    client.post("/alerts/change/", {"seen": alert.pk})
    client.post("/alerts/change/", {"delete": rule.pk})
    assert client.post(f"/api/v1/alerts/{alert.pk}/seen").status_code in {403, 404}
    alert.refresh_from_db()
    assert alert.seen_at is None
    assert AlertRule.objects.exists()


@pytest.mark.parametrize("url", ["http://example.com/", "https://127.0.0.1/", "https://nowhere.invalid/", "x"])
def test_where_no_webhook_goes(anna: User, client: Client, url: str) -> None:
    answer = client.post("/alerts/change/", {"url": url})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not AlertTarget.objects.exists()


def test_a_webhooks_secret_is_shown_once(anna: User, client: Client, settings: Any) -> None:
    settings.ALERT_PRIVATE_WEBHOOKS = True
    page = client.post("/alerts/change/", {"url": "http://127.0.0.1:9/hook"}).content.decode()
    secret = AlertTarget.objects.get().secret
    assert secret in page
    assert secret not in client.get("/alerts/").content.decode()
    client.post("/alerts/change/", {"url": ""})
    assert not AlertTarget.objects.exists()
