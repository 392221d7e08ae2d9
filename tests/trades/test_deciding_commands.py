"""`cancel_trade` and `correct_trade` do what the admin's buttons do, or nothing, and say so."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command

from accounts.audit.models import Entry
from market.models import Market
from tests.trades.frames import confirmation, germany, store
from trades.ledger.effective import position_differences
from trades.management.deciding import COMMAND_LINE
from trades.models import Position, TradeChange

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def two_trades() -> None:
    store(confirmation("X1"), confirmation("X2"))


def counted() -> list[tuple[str, str, str, int, Decimal, Decimal]]:
    rows = Position.objects.filter(trade_count__gt=0).order_by("delivery_start", "trader_id", "direction")
    return [
        (p.trader.trader_id, p.direction, p.delivery_hour, p.trade_count, p.energy, p.turnover)
        for p in rows.select_related("trader")
    ]


def test_a_cancelled_trade_counts_no_longer(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("cancel_trade", "X1", "--reason", "broken deal")
    assert capsys.readouterr().out == "Trade X1 is cancelled.\n"
    assert counted() == [("trader_1", "buy", "12-13", 1, Decimal(12), Decimal(246))]
    change = TradeChange.objects.get()
    assert (change.trade.exchange_id, change.kind, change.reason) == ("X1", "cancelled", "broken deal")
    assert Entry.objects.filter(subject="trade X1", actor=COMMAND_LINE).count() == 1
    assert position_differences() == []


def test_whoever_is_not_named_is_a_login_that_nobody_can_use() -> None:
    call_command("cancel_trade", "X1", "--reason", "one")
    call_command("cancel_trade", "X2", "--reason", "two")
    user = User.objects.get(username=COMMAND_LINE)
    assert not user.is_active
    assert not user.has_usable_password()
    assert set(TradeChange.objects.values_list("made_by", flat=True)) == {user.pk}


def test_only_what_is_said_is_corrected(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("correct_trade", "X1", "--reason", "a slip", "--price", "-3.5", "--delivery-hour", "14-15")
    assert capsys.readouterr().out == "Trade X1 is corrected: buy 12 MW at -3.5, 2026-11-23 14-15, trader_1.\n"
    call_command("correct_trade", "X1", "--reason", "and whose", "--trader-id", "trader_9", "--direction", "sell")
    call_command("correct_trade", "X1", "--reason", "and how much", "--quantity", "100")
    call_command("correct_trade", "X1", "--reason", "no, that was right", "--quantity", "12.0")
    assert counted() == [
        ("trader_1", "buy", "12-13", 1, Decimal(12), Decimal(246)),
        ("trader_9", "sell", "14-15", 1, Decimal(12), Decimal(-42)),
    ]
    assert position_differences() == []


def test_who_decides_may_be_named() -> None:
    user = User.objects.create_user("ops")
    user.user_permissions.add(Permission.objects.get(codename="judge_trade"))
    call_command("cancel_trade", "X1", "--reason", "told by phone", "--by", "ops")
    assert TradeChange.objects.get().made_by == user


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cancel_trade", "X9", "--reason", "x"], "no trade of DE has the id “X9”"),
        (["cancel_trade", "X1", "--reason", " "], "say why: the reason is empty"),
        (["cancel_trade", "X1", "--reason", "x", "--by", "nobody"], "nobody who can log in is called “nobody”"),
        (["cancel_trade", "X1", "--reason", "x", "--by", "guest"], "“guest” has no right to cancel and correct trades"),
        (["cancel_trade", "X1", "--reason", "x", "--market", "XX"], "no active market is called “XX”"),
        (["correct_trade", "X1", "--reason", "x"], "say what to correct"),
        (["correct_trade", "X1", "--reason", "x", "--price", "20.5"], "nothing would change"),
        (["correct_trade", "X1", "--reason", "x", "--price", "1_0"], "“1_0” is not a number like 20.5"),
        (["correct_trade", "X1", "--reason", "x", "--quantity", "-1"], "quantity"),
        (["correct_trade", "X1", "--reason", "x", "--delivery-hour", "25-26"], "25-26"),
        (["correct_trade", "X1", "--reason", "x", "--delivery-hour", "14"], "“14” may begin or end the period"),
    ],
)
def test_what_can_not_be_done_is_said_and_nothing_is(arguments: list[str], sentence: str) -> None:
    User.objects.create_user("guest")
    before = counted()
    with pytest.raises(CommandError, match=sentence):
        call_command(*arguments)
    assert counted() == before
    assert not TradeChange.objects.exists()
    assert not User.objects.filter(username=COMMAND_LINE).exists()


def test_a_market_that_rests_has_trades_too() -> None:
    Market.objects.update(is_active=False)
    call_command("cancel_trade", "X1", "--reason", "x", "--market", "DE")
    assert TradeChange.objects.get().trade.exchange_id == "X1"


def test_nobody_decides_in_anothers_name() -> None:
    User.objects.create_user(COMMAND_LINE)
    with pytest.raises(CommandError, match="is somebody's login here"):
        call_command("cancel_trade", "X1", "--reason", "x")


def test_an_hour_that_exists_twice_has_to_be_told_apart() -> None:
    with pytest.raises(CommandError, match="“02-03” exists twice on that day: 02-03A is the first"):
        call_command("correct_trade", "X1", "--reason", "x", "--delivery-day", "2026-10-25", "--delivery-hour", "02-03")
    call_command("correct_trade", "X1", "--reason", "x", "--delivery-day", "2026-10-25", "--delivery-hour", "02-03B")
    assert [row[2] for row in counted()] == ["02-03B", "12-13"]


def test_of_several_markets_one_is_named() -> None:
    germany()
    Market.objects.create(code="AT", name="Austria")
    with pytest.raises(CommandError, match="name one of the active markets: AT, DE"):
        call_command("cancel_trade", "X1", "--reason", "x")
    call_command("cancel_trade", "X1", "--reason", "x", "--market", "DE")
    assert TradeChange.objects.get().trade.exchange_id == "X1"
