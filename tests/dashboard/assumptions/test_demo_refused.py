"""Where there must be no demo, there is none: anywhere but on a laptop, and beside what is real."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from dashboard.access.logins import ensure_demo_logins
from dashboard.assumptions.demo.days import make_demo
from prices.models import ReferencePrice
from tests.dashboard.assumptions.test_demo import NOW, fill, simulated
from tests.trades.frames import confirmation, germany, store
from trades.models import Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_only_a_laptop_has_a_demo() -> None:
    commands = ["create_demo_trades no-file", "create_demo_prices no-file", "create_demo_assumptions"]
    for command in map(str.split, [*commands, "create_demo --password p"]):
        with pytest.raises(CommandError, match="DEBUG"):
            call_command(*command, stdout=io.StringIO())


def test_what_is_made_up_is_never_put_beside_what_is_real(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = True
    ensure_demo_logins(password="a long enough password")
    store(confirmation("1"))
    with pytest.raises(CommandError, match="has real trades"):
        call_command("create_demo_trades", "no-file", stdout=io.StringIO())
    with time_machine.travel(NOW):
        fill(simulated(tmp_path))
    assert make_demo(market=germany(), now=NOW) == 0
    assert Trade.objects.count() == 1 and not ReferencePrice.objects.exists()
