"""Assumptions while prices arrive: 10,000 races (the smaller run is in tests/dashboard/assumptions/test_races.py)."""

from __future__ import annotations

import pytest

from tests.dashboard.assumptions.test_races import run

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.django_db(transaction=True)]


@pytest.mark.long
@pytest.mark.parametrize("round_", range(10))
def test_ten_thousand_races(monkeypatch: pytest.MonkeyPatch, round_: int) -> None:
    """1,000 assumptions of four authors a round, with prices as fast as they can be stored."""
    run(1000, monkeypatch)
