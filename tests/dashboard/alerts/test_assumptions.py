"""Alerts about assumptions: told to those alone who may see them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from dashboard.alerts.models import Alert, AlertRule
from dashboard.alerts.watching import watch
from dashboard.assumptions.models import AssumptionPolicy
from tests.dashboard.assumptions.written import MINUTE, NOW, publish, written
from tests.dashboard.people import a_head, a_trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def _told_of_a_broken_one(*users: User, blind: bool) -> set[str]:
    """Who is told that Anna's assumption broke, of these and her."""
    AssumptionPolicy.objects.update_or_create(defaults={"blind": blind})
    publish("50", NOW - 10 * MINUTE)
    written()
    author = User.objects.get(username="anna")
    for user in (author, *users):
        AlertRule.objects.create(user=user, kind="assumption_broke", created_at=NOW)
    watch(NOW)
    publish("40", NOW + 10 * MINUTE)
    watch(NOW + 11 * MINUTE)
    return {alert.user.username for alert in Alert.objects.select_related("user")}


def test_blind_nobody_is_told_of_another_s_open_one() -> None:
    assert _told_of_a_broken_one(a_head(), a_trader("trader_2", "ben"), blind=True) == {"anna"}


def test_blind_a_head_with_an_own_one_is_told() -> None:
    a_trader()
    head = a_head("ben")
    own = a_trader("trader_2", "carl").trader_login
    own.user = head
    own.save()
    publish("50", NOW - 20 * MINUTE)
    written(head, claim="within", threshold=500)
    assert _told_of_a_broken_one(head, blind=True) == {"anna", "ben"}


def test_heads_are_told_of_all_where_nothing_is_blind() -> None:
    assert _told_of_a_broken_one(a_head(), a_trader("trader_2", "ben"), blind=False) == {"anna", "head"}
