"""Frames kept aside by a rule that has changed are judged again, in order, each once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from tests.trades.frames import NOW, confirmation, store
from trades.ledger import confirmations
from trades.ledger.effective import position_differences
from trades.ledger.judging_again import judge_again
from trades.models import QuarantinedMessage, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def yesterdays_rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A rule that refuses every price of 66: frames kept aside under it are good under today's."""
    real = confirmations.number_problem

    def refuse(value: Any) -> str:
        return "is refused" if value == 66 else real(value)

    with monkeypatch.context() as patch:
        patch.setattr(confirmations, "number_problem", refuse)
        store(*[confirmation(i, price=66) for i in (3, 1, 2)])
        store(b'{"trade_confirmation": {"id": "x"}}', journal="other")
    yield


@pytest.mark.usefixtures("yesterdays_rules")
def test_each_is_judged_once_in_the_order_of_arrival() -> None:
    assert judge_again(reason="bad_price", now=NOW, dry_run=True).booked == 3
    assert Trade.objects.count() == 0
    result = judge_again(reason="bad_price", now=NOW)
    assert (result.frames, result.booked) == (3, 3)
    assert list(Trade.objects.order_by("id").values_list("exchange_id", flat=True)) == ["3", "1", "2"]
    assert judge_again(reason="bad_price", now=NOW).frames == 0
    assert position_differences() == []
    assert QuarantinedMessage.objects.get(status="open").reason == "missing_price"


@pytest.mark.usefixtures("yesterdays_rules")
def test_what_is_stored_already_is_noted_and_what_differs_stays() -> None:
    store(confirmation(1, price=66), confirmation(2, price=7), journal="later")
    result = judge_again(reason="bad_price", now=NOW)
    assert (result.booked, result.known, result.conflicts) == (1, 1, 1)
    assert QuarantinedMessage.objects.get(status="open", reason="bad_price").exchange_id == "2"


@pytest.mark.usefixtures("yesterdays_rules")
def test_what_is_still_unusable_stays_with_an_example() -> None:
    result = judge_again(reason="missing_price", now=NOW)
    assert (result.frames, result.unusable) == (1, 1)
    assert "price is missing" in str(result)


@pytest.mark.usefixtures("yesterdays_rules")
def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("retry_quarantine", "--reason", "bad_price", "--dry-run")
    assert "3 booked" in (said := capsys.readouterr().out)
    assert "nothing was changed" in said
    call_command("retry_quarantine", "--reason", "bad_price", "--since", "2026-11-23 09:00:01Z")
    assert "0 frames judged again" in capsys.readouterr().out
    call_command("retry_quarantine", "--reason", "bad_price", "--market", "DE")
    assert "3 frames judged again: 3 booked" in capsys.readouterr().out
    for arguments, sentence in (
        (("--reason", "bad_price"), "frames wait for: missing_price"),
        (("--reason", "missing_price", "--since", "today"), "is not a time"),
        (("--reason", "missing_price", "--market", "XX"), "XX"),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command("retry_quarantine", *arguments)


@pytest.mark.usefixtures("yesterdays_rules")
@pytest.mark.parametrize(("superuser", "booked"), [(True, 3), (False, 0)])
def test_the_admins_action_judges_all_of_the_reason(client: Client, superuser: bool, booked: int) -> None:
    user = User.objects.create_user("someone", password="x", is_staff=True, is_superuser=superuser)
    client.force_login(user)
    one = QuarantinedMessage.objects.filter(reason="bad_price").first()
    assert one is not None
    form = {"action": "judge_all_of_this_reason_again", "_selected_action": [one.pk]}
    client.post("/admin/trades/quarantinedmessage/", form)
    assert Trade.objects.count() == booked
