"""Logins by command, and what each may see."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.management import CommandError, call_command

from dashboard.access.logins import create_trader_login
from dashboard.access.rights import board_trader, home_trader, may_see_all, visible_traders
from trades.ledger.traders import ensure_trader
from trades.models import Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def create(trader_id: str = "trader_1", username: str = "anna", password: str = "a long password") -> None:
    call_command("create_trader", trader_id, "--username", username, "--password", password)


def test_a_trader_sees_the_own_boards_and_no_others() -> None:
    create()
    ensure_trader(trader_id="trader_2")
    anna = User.objects.get(username="anna")
    assert anna.check_password("a long password")
    assert [t.trader_id for t in visible_traders(anna)] == ["trader_1"]
    assert board_trader(anna, "trader_1") == home_trader(anna)
    assert board_trader(anna, "trader_2") is None
    assert board_trader(anna, "nobody") is None


@pytest.mark.parametrize("kind", ["superuser", "desk head"])
def test_heads_and_superusers_see_all(kind: str) -> None:
    for trader_id in ("b", "a"):
        ensure_trader(trader_id=trader_id)
    Trader.objects.create(trader_id="0", is_bot=True)
    user = User.objects.create_user("boss", is_superuser=kind == "superuser")
    if kind == "desk head":
        user.groups.add(Group.objects.get_or_create(name="desk head")[0])
    assert may_see_all(user)
    assert [t.trader_id for t in visible_traders(user)] == ["0", "a", "b"]
    assert home_trader(user) == Trader.objects.get(trader_id="a")
    assert board_trader(user, "nobody") is None


def test_others_see_nothing() -> None:
    ensure_trader(trader_id="trader_1")
    gone = create_trader_login(trader_id="trader_1", username="gone", password="a long password")
    gone.is_active = False
    for user in (AnonymousUser(), User.objects.create_user("nobody"), gone):
        assert visible_traders(user) == []
        assert board_trader(user, "trader_1") is None
        assert home_trader(user) is None


def test_an_unknown_trader_that_gets_a_login_is_known_from_then_on() -> None:
    Trader.objects.create(trader_id="trader_1", is_known=False)
    create()
    assert Trader.objects.get().is_known


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"trader_id": ""}, "trader id has 0 characters"),
        ({"trader_id": "a\nb"}, "control characters"),
        ({"username": "a b"}, "can't be a username"),
        ({"password": ""}, "password is empty"),
        ({"password": "elevenchars"}, "at least 12 characters"),
        ({"password": "startfinding"}, "too common"),
        ({"password": "4938271605938"}, "entirely numeric"),
    ],
)
def test_wrong_input_is_one_sentence_and_creates_nothing(arguments: dict[str, str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        create(**arguments)
    assert not User.objects.exists()
    assert not Trader.objects.exists()


def test_a_username_is_taken_once() -> None:
    create()
    with pytest.raises(CommandError, match="exists already"):
        create(trader_id="trader_2")
    assert not Trader.objects.filter(trader_id="trader_2").exists()


def test_without_a_terminal_the_password_must_be_given() -> None:
    with pytest.raises(CommandError, match="--password"):
        call_command("create_trader", "trader_1", "--username", "anna")


def test_demo_logins_only_with_debug_on(settings: object) -> None:
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("create_demo_logins", "--password", "x")
    settings.DEBUG = True  # type: ignore[attr-defined]
    for _ in range(2):
        call_command("create_demo_logins", "--password", "demo")
    assert User.objects.count() == 7
    assert may_see_all(User.objects.get(username="head"))
    assert User.objects.get(username="admin").is_superuser
