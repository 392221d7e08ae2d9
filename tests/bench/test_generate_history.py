"""Made-up history is exact like a real one, and never gets beside a real one."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from prices.models import ReferencePrice, ReferencePriceHistory
from tests.trades.frames import confirmation, store
from trades.ledger.effective import position_differences
from trades.ledger.position_history import slot_differences
from trades.models import Position, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def generate(**options: object) -> None:
    wanted = {"into": connection.settings_dict["NAME"], "days": 2, "until": "2026-10-25", "trades_a_day": 500}
    call_command("generate_history", **{**wanted, "traders": 3, **options})


def test_positions_and_courses_are_exact_on_a_clock_change_too(capsys: pytest.CaptureFixture[str]) -> None:
    generate()
    assert Trade.objects.count() == 1000
    assert Trade.objects.filter(delivery_hour="02-03B").exists()
    assert position_differences() == []
    assert slot_differences() == []
    assert ReferencePrice.objects.count() == 24 + 25
    assert ReferencePriceHistory.objects.count() == 49 * 7
    assert "2 days of 500 trades are there." in capsys.readouterr().out


def test_begun_again_it_adds_what_is_missing() -> None:
    generate(days=1)
    generate()
    assert Trade.objects.count() == 1000
    assert sum(Position.objects.values_list("trade_count", flat=True)) == 1000


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"into": "another"}, "not on that"),
        ({"days": 0}, "above 0"),
        ({"until": "2026-13-01"}, "2026-13-01"),
        ({"market": "XX"}, "XX"),
    ],
)
def test_wrong_input_is_one_sentence_and_nothing_is_made(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        generate(**options)
    assert not Trade.objects.exists()


def test_a_database_with_real_trades_is_refused() -> None:
    store(confirmation(1))
    with pytest.raises(CommandError, match="real trades"):
        generate()
    assert Trade.objects.count() == 1
