"""`check_positions`: its words and its exit codes."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from tests.trades.frames import confirmation, store
from trades.models import Position

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    store(confirmation(1))
    call_command("check_positions")
    assert capsys.readouterr().out == "Every position equals its trades.\n"


def test_a_difference_is_told_and_mended(capsys: pytest.CaptureFixture[str]) -> None:
    store(confirmation(1))
    Position.objects.update(energy=1)
    with pytest.raises(SystemExit) as ended:
        call_command("check_positions")
    assert ended.value.code == 1
    assert "1 instead of 12 MWh" in capsys.readouterr().out
    call_command("check_positions", "--rebuild")
    assert "1 positions mended" in capsys.readouterr().out
    call_command("check_positions")
