"""What a new desk begins with is made up once, and only where nothing of the outside is real."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local.servers import past
from local.servers.past import Past
from local.servers.processes import DeskError, Plan, make_plan


def plan_of(var: Path, **environment: str) -> Plan:
    outside = {"EXCHANGE_WS_URL": "", "MARKET_DATA_URL": "", "MARKETS": "", "DEBUG": "1"}
    return make_plan(var, {**os.environ, **outside, **environment})


@pytest.mark.parametrize(
    ("environment", "codes"),
    [
        ({}, ["DE"]),
        ({"MARKETS": "DE,FI"}, ["DE", "FI"]),
        ({"EXCHANGE_WS_URL": "wss://exchange", "MARKETS": "DE,FI"}, ["FI"]),
        ({"MARKET_DATA_URL": "https://provider"}, []),
    ],
)
def test_markets_that_are_real_have_no_made_up_past(
    tmp_path: Path, environment: dict[str, str], codes: list[str]
) -> None:
    assert plan_of(tmp_path, **environment).played_codes == codes


def test_without_debug_nothing_is_made_up(tmp_path: Path) -> None:
    made = Past(plan_of(tmp_path, DEBUG="0"))
    made.begin()
    assert made.arguments() == []
    assert not made.folder.exists()


def test_it_is_made_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "DAYS", 1)
    first = Past(plan_of(tmp_path))
    first.begin()
    assert first.arguments() == ["--past", str(first.folder)]
    assert {path.name for path in first.folder.iterdir()} == {"DE-trades.jsonl", "DE-prices.jsonl"}
    first.stored()
    assert {path.name for path in first.folder.iterdir()} == {"DE.stored"}
    again = Past(plan_of(tmp_path))
    again.begin()
    assert again.arguments() == []


def test_what_can_t_be_made_up_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "DAYS", "none")
    made = Past(plan_of(tmp_path))
    made.begin()
    with pytest.raises(DeskError, match="simulate_past DE failed"):
        made.arguments()
    made.end()
