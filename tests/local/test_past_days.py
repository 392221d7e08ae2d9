"""Days that have happened already: the frames and prices that a new desk begins with."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import ANY

from django.core.management import call_command

from local.simulators.areas import known_area
from local.simulators.provider import Market
from market.labels import parse_period
from market.periods import day_of, parse_day

NOW = datetime(2026, 11, 24, 7, 6, 20, tzinfo=UTC)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_past_days_are_what_the_simulators_would_have_sent(tmp_path: Path) -> None:
    """The exchange's frames in the order of time, and of the provider's publications what it would say of them."""
    area, now = known_area("GB"), NOW
    options = {"area": "GB", "into": tmp_path, "days": 2, "until": now, "blocks": 0.03, "quarter_hours": 0.4}
    call_command("simulate_past", **options, busy=0.2, stdout=io.StringIO())
    trades = [json.loads(line)["trade_confirmation"] for line in lines_of(tmp_path / "GB-trades.jsonl")]
    assert len({trade["id"] for trade in trades}) == len(trades) > 200
    assert [trade["execution_time"] for trade in trades] == sorted(trade["execution_time"] for trade in trades)
    lines = [json.loads(line) for line in lines_of(tmp_path / "GB-prices.jsonl")]
    of_period = {(line["delivery_day"], line["delivery_hour"]): line["points"] for line in lines}
    tradable = {key for key in of_period if key[0] <= day_of(now, area.calendar).isoformat()}
    assert {(trade["delivery_day"], trade["delivery_hour"]) for trade in trades} & tradable
    market = Market(area=area)
    for (day, label), points in of_period.items():
        period = parse_period(parse_day(day), label, area.calendar).period
        assert [updated for _, updated, _ in points] == sorted({updated for _, updated, _ in points})
        assert all(moment(updated) < moment(arrived) <= now for _, updated, arrived in points)
        value, updated, arrived = points[-1]
        assert market.price(period, moment(arrived)) == (Decimal(value), ANY), label
        if period.start < now - timedelta(minutes=1):
            assert moment(updated) >= period.start - area.gate_closure, "the last one is final"
