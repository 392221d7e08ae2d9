"""The stand-ins: repeatable, worth watching, and true to the wire that DOMAIN.md describes."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
import websockets

from local.checks import testbed
from local.management.commands.simulate_exchange import send_trades
from local.simulators.areas import known_area
from local.simulators.exchange import ScriptedExchange, serve
from local.simulators.prices import reference
from local.simulators.provider import Faults, Limits, Market, SimulatedProvider
from local.simulators.scripted_provider import ScriptedProvider
from local.simulators.trades import Desk, Habits
from market.labels import label_of, parse_period
from market.periods import day_periods, parse_day, tradable_periods
from market.rules import product_of

BERLIN = ZoneInfo("Europe/Berlin")
MORNING = datetime(2026, 11, 24, 7, 3, 20, tzinfo=UTC)
DAY = date(2026, 11, 24)


def trades_of(frames: list[Any]) -> list[dict[str, Any]]:
    return [next(iter(json.loads(frame, parse_float=Decimal).values())) for frame in frames]


def made(count: int, seed: int = 1, prefix: str = "t-", now: datetime = MORNING, **habits: Any) -> list[Any]:
    desk = Desk(Habits(seed=seed, **habits), prefix)
    return [frame for _ in range(count) for frame in desk.frames(now)]


# --- the exchange -------------------------------------------------------------------------------------------------
def test_a_seed_repeats_everything_and_another_one_nothing() -> None:
    assert made(200) == made(200)
    assert made(200) != made(200, seed=2)
    without_ids = [[{**t, "id": ""} for t in trades_of(made(50, prefix=prefix))] for prefix in ("a-", "b-")]
    assert without_ids[0] == without_ids[1]


def test_every_frame_is_a_valid_confirmation() -> None:
    tradable = set(tradable_periods(MORNING, BERLIN, timedelta(minutes=5)))
    tradable |= set(tradable_periods(MORNING, BERLIN, timedelta(minutes=5), 15))
    tradable |= set(tradable_periods(MORNING, BERLIN, timedelta(minutes=5), 30))
    trades = trades_of(made(1000, envelope="both", quarter_hours=0.2))
    assert len({t["id"] for t in trades}) == 1000
    for t in trades:
        assert set(t) == {
            *("id", "price", "quantity", "direction", "delivery_day", "delivery_hour", "trader_id", "execution_time")
        }
        assert t["direction"] in {"buy", "sell"}
        assert t["quantity"] > 0
        assert -4 <= Decimal(t["price"]).as_tuple().exponent <= 0  # type: ignore[operator]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", t["execution_time"])
        assert parse_period(parse_day(t["delivery_day"]), t["delivery_hour"], BERLIN).period in tradable


def test_several_traders_and_a_bot_trade_both_ways_on_both_sides_of_the_market() -> None:
    trades = trades_of(made(2000))
    traders = Counter(t["trader_id"] for t in trades)
    assert set(traders) == {"trader_1", "trader_2", "trader_3", "trader_4", "trader_5", "bot_1"}
    assert traders.most_common(1)[0][0] == "bot_1"
    sells = sum(t["direction"] == "sell" for t in trades)
    assert 1000 < sells < 1900
    above = sum(t["price"] > market_price(t) for t in trades)
    assert 500 < above < 1500
    assert {t["delivery_day"] for t in trades} == {"2026-11-24", "2026-11-25"}
    assert any(t["price"] < 0 for t in trades)


def market_price(trade: dict[str, Any]) -> Decimal:
    period = parse_period(parse_day(trade["delivery_day"]), trade["delivery_hour"], BERLIN).period
    return reference(1, period, MORNING, BERLIN)


def test_faults_come_as_often_as_told() -> None:
    frames = made(400, duplicates=1, conflicts=1, garbage=1)
    assert len(frames) == 1600
    assert frames[0] == frames[1]
    first, other = trades_of([frames[0], frames[2]])
    assert first["id"] == other["id"]
    assert first["price"] != other["price"]
    assert any(isinstance(frame, bytes) for frame in frames)
    assert {t["trader_id"] for t in trades_of(made(20, unknown_traders=1))} == {"trader_99"}


def test_trades_go_on_across_midnight_and_clock_changes() -> None:
    for now in ("2026-10-24T23:59:59+00:00", "2026-10-25T00:30:00+00:00", "2027-03-27T22:56:00+00:00"):
        assert made(200, now=datetime.fromisoformat(now), quarter_hours=0.3)


async def test_every_connection_gets_the_same_trades_and_nothing_is_replayed() -> None:
    desk = Desk(Habits(), "t-")
    async with serve() as exchange:
        send_trades(exchange, desk, 3)
        url = f"ws://127.0.0.1:{exchange.port}"
        async with websockets.connect(url) as one, websockets.connect(url) as two:
            async with asyncio.timeout(10):
                while len(exchange.connected) < 2:
                    await (await two.ping())
            send_trades(exchange, desk, 20)
            got = [[await asyncio.wait_for(c.recv(), 10) for _ in range(20)] for c in (one, two)]
    assert got[0] == got[1]
    assert [t["id"] for t in trades_of(got[0])] == [f"t-{n:07d}" for n in range(4, 24)]


async def test_a_scripted_exchange_sends_drops_and_comes_back(exchange: ScriptedExchange) -> None:
    async with websockets.connect(exchange.url) as connection:
        exchange.wait_for_connections(1)
        assert exchange.send("text", b"\xff") == 1
        assert await connection.recv() == "text"
        assert await connection.recv() == b"\xff"
        exchange.drop()
        exchange.wait_for_connections(0)
        with pytest.raises(websockets.ConnectionClosed):
            await connection.recv()
    url = exchange.url
    exchange.stop()
    with pytest.raises(OSError):
        await websockets.connect(url)
    exchange.start()
    async with websockets.connect(url):
        exchange.wait_for_connections(1)
    assert [e.kind for e in exchange.log[:4]] == ["connected", "sent", "sent", "disconnected"]


# --- the provider -------------------------------------------------------------------------------------------------
def simulated(limits: Limits | None = None, **faults: Any) -> SimulatedProvider:
    return SimulatedProvider(Market(), limits or Limits(10_000, 10_000), Faults(**faults))


def ask(provider: SimulatedProvider, label: str, day: str = "2026-11-24", now: datetime = MORNING) -> tuple[int, Any]:
    answer = provider.answer(f"/reference-price?delivery_day={day}&delivery_hour={label}", now, 0)
    return answer.status, json.loads(answer.body, parse_float=Decimal)


def test_an_answer_is_as_the_wire_has_it() -> None:
    status, body = ask(simulated(), "12-13")
    assert status == 200
    assert list(body) == ["delivery_day", "delivery_hour", "value", "unit", "last_update"]
    assert (body["delivery_day"], body["delivery_hour"], body["unit"]) == ("2026-11-24", "12-13", "euro")
    assert Decimal(body["value"]).as_tuple().exponent == -2
    assert "2026-11-24T07:00:00Z" <= body["last_update"] <= "2026-11-24T07:00:30Z"


def test_noon_is_negative_and_the_evening_dear_whatever_the_seed() -> None:
    for seed in range(20):
        for back in range(0, 12 * 60, 10):
            prices = {
                label_of(p, BERLIN): reference(seed, p, MORNING - timedelta(minutes=back), BERLIN)
                for p in day_periods(DAY, BERLIN)
            }
            assert all(prices[label] < 0 for label in ("12-13", "13-14", "14-15"))
            assert all(prices[label] > 60 for label in ("08-09", "18-19", "19-20"))


def test_prices_walk_from_slot_to_slot_and_a_restart_changes_nothing() -> None:
    period = day_periods(DAY, BERLIN)[17]
    moments = [MORNING + timedelta(minutes=10 * n) for n in range(20)]
    values = [Market().price(period, moment) for moment in moments]
    assert values == [Market().price(period, moment) for moment in moments]
    known = [value[0] for value in values if value]
    assert len(set(known)) > 15
    assert max(abs(a - b) for a, b in pairwise(known)) < 6


@pytest.mark.parametrize("independent", [False, True])
def test_publications_are_late_within_bounds_and_together_unless_told_otherwise(independent: bool) -> None:
    market = Market(delay_min=3, delay_max=20, independent=independent)
    delays = set()
    for n in range(200):
        slot = market.slot_of(MORNING) + timedelta(minutes=10 * n)
        out = [market.published_at(slot, period) for period in day_periods(DAY, BERLIN)]
        late = {(moment - slot).total_seconds() for moment in out if moment}
        assert all(3 <= seconds <= 20 for seconds in late)
        assert (len(late) > 1) == independent
        delays |= late
    assert max(delays) - min(delays) > 15


def test_before_its_publication_the_price_before_is_told() -> None:
    market, period = Market(delay_min=10, delay_max=20), day_periods(DAY, BERLIN)[17]
    slot = market.slot_of(MORNING)
    out = market.published_at(slot, period)
    assert out
    before, after = market.price(period, out - timedelta(milliseconds=1)), market.price(period, out)
    assert before and after
    assert before[1] < slot <= after[1] == out


def test_the_publication_that_covers_the_gate_closure_is_the_last_one() -> None:
    market, period = Market(), day_periods(DAY, BERLIN)[9]
    gate = period.start - timedelta(minutes=5)
    before = market.price(period, gate)
    last = market.price(period, period.start + timedelta(seconds=30))
    assert before and last
    assert before[1] < gate <= last[1] < period.start + timedelta(seconds=30)
    assert last == market.price(period, period.start + timedelta(days=40))
    assert last[0] == reference(market.seed, period, gate, BERLIN), "what is traded until then counts, and no more"
    assert market.price(period, period.start + timedelta(days=40), back=1) == before


def test_tomorrow_has_no_price_before_three_o_clock() -> None:
    afternoon = datetime(2026, 11, 24, 15, 1, tzinfo=BERLIN)
    assert ask(simulated(), "12-13", "2026-11-25", afternoon - timedelta(minutes=2))[0] == 404
    assert ask(simulated(), "12-13", "2026-11-25", afternoon)[0] == 200
    assert ask(simulated(), "12-13", "2026-11-26", afternoon)[0] == 404
    assert ask(simulated(), "12-13", "2026-11-01", afternoon)[0] == 200


@pytest.mark.parametrize(
    ("day", "label", "status"),
    [
        ("2026-11-24", "12", 400),
        ("2026-11-24", "", 400),
        ("tomorrow", "12-13", 400),
        ("2026-02-30", "12-13", 400),
        ("2026-11-24", "12-15", 200),
        ("2026-11-24", "15-12", 404),
        ("2026-10-25", "02-03A", 200),
        ("2026-10-25", "02-03B", 200),
        ("2026-03-29", "02-03", 404),
        ("2026-11-24", "12:15-12:30", 200),
    ],
)
def test_labels(day: str, label: str, status: int) -> None:
    assert ask(simulated(), label, day)[0] == status


def test_limits_slide_and_violations_are_counted() -> None:
    limits = Limits(50, 120)
    assert [limits.ask(second / 10) for second in range(50)] == [0] * 50
    assert limits.ask(30) == 30
    assert limits.ask(59.9) == 1
    assert limits.violations == 2
    assert limits.busiest_minute == 52
    assert limits.ask(60.05) == 0
    assert [limits.ask(200 + n) for n in range(49)] == [0] * 49
    assert [limits.ask(400 + n) for n in range(20)] == [0] * 20
    assert limits.ask(500) == 3100
    assert (limits.requests, limits.violations, limits.busiest_hour) == (123, 3, 123)


def test_a_broken_limit_is_429_with_a_time_to_come_back() -> None:
    provider = simulated(Limits(2, 1000))
    target = "/reference-price?delivery_day=2026-11-24&delivery_hour=12-13"
    assert [provider.answer(target, MORNING, n).status for n in range(3)] == [200, 200, 429]
    assert provider.answer(target, MORNING, 10).headers["Retry-After"] == "50"
    stats = json.loads(provider.answer("/stats", MORNING, 11).body)
    assert (stats["requests"], stats["violations"]) == (4, 2)
    assert all(p["slot"] <= p["published_at"] for p in stats["publications"])


@pytest.mark.parametrize("fault", ["error_rate", "garbage_rate", "stale_rate", "wrong_hour_rate"])
def test_a_fault_that_always_comes(fault: str) -> None:
    answer = simulated(None, **{fault: 1}).answer(
        "/reference-price?delivery_day=2026-11-24&delivery_hour=12-13", MORNING, 0
    )
    good = simulated().answer("/reference-price?delivery_day=2026-11-24&delivery_hour=12-13", MORNING, 0)
    assert (answer.status, answer.body) != (good.status, good.body)
    assert (answer.status >= 500) == (fault == "error_rate")


def test_a_publication_that_never_comes_leaves_the_price_before() -> None:
    period = day_periods(DAY, BERLIN)[17]
    assert Market(never_rate=1).price(period, MORNING) is None
    sometimes = [Market(never_rate=0.5).price(period, MORNING + timedelta(minutes=10 * n)) for n in range(20)]
    assert len({price[1] for price in sometimes if price}) < 18


def test_a_scripted_provider_answers_fails_and_keeps_a_log(provider: ScriptedProvider) -> None:
    provider.set("2023-02-06", "12-13", "9.8", last_update="2023-02-06T09:15:45Z")
    asked = {"delivery_day": "2023-02-06", "delivery_hour": "12-13"}
    url = f"{provider.url}/reference-price"
    assert requests.get(url, params=asked, timeout=5).json() == {
        **asked,
        "value": 9.8,
        "unit": "euro",
        "last_update": "2023-02-06T09:15:45Z",
    }
    assert requests.get(url, params={**asked, "delivery_hour": "13-14"}, timeout=5).status_code == 404
    provider.fail(429, Retry_After="7")
    failed = requests.get(url, params=asked, timeout=5)
    assert (failed.status_code, failed.headers["Retry-After"]) == (429, "7")
    provider.heal()
    provider.delay = 2
    with pytest.raises(requests.Timeout):
        requests.get(url, params=asked, timeout=0.2)
    assert provider.counts == {("2023-02-06", "12-13"): 3, ("2023-02-06", "13-14"): 1}


# --- the commands -------------------------------------------------------------------------------------------------
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*arguments: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "manage.py", *arguments]
    root: Path = testbed.ROOT
    return subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("name", "said"), [("simulate_exchange", "ws://"), ("simulate_market_data", "http://")])
def test_a_simulator_serves_ends_cleanly_and_says_when_its_port_is_taken(name: str, said: str) -> None:
    port = str(free_port())
    first = command(name, "--port", port)
    try:
        assert first.stdout
        assert f"{said}127.0.0.1:{port}" in first.stdout.readline()
        second = command(name, "--port", port)
        _out, errors = second.communicate(timeout=30)
        assert second.returncode == 1
        assert "the port is taken" in errors
        assert len(errors.strip().splitlines()) == 1
        began = time.monotonic()
        first.send_signal(signal.SIGTERM)
        _out, errors = first.communicate(timeout=10)
        assert (first.returncode, errors) == (0, "")
        assert time.monotonic() - began < 5
    finally:
        first.kill()
        first.wait()


async def test_the_exchange_command_pushes_bursts_and_heartbeats() -> None:
    port = free_port()
    options = ["--rate", "0", "--burst-every", "0.2", "--burst-size", "9", "--heartbeats", "0.3", "--port", str(port)]
    process = command("simulate_exchange", *options)
    try:
        assert process.stdout
        process.stdout.readline()
        async with asyncio.timeout(20), websockets.connect(f"ws://127.0.0.1:{port}") as connection:
            frames = [json.loads(await connection.recv()) for _ in range(30)]
        assert any("heartbeat" in frame for frame in frames)
        times = Counter(f["trade_confirmation"]["execution_time"] for f in frames if "trade_confirmation" in f)
        assert times.most_common(1)[0][1] == 9
    finally:
        process.kill()
        process.communicate()


# --- areas ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", ["DE", "FI", "GB", "IE", "RS", "BG"])
def test_an_area_trades_its_own_products_of_its_own_days(code: str) -> None:
    """Every trade is one that the area's calendar has, of an open period, and the provider knows its label."""
    area = known_area(code)
    desk = Desk(Habits(area=area, quarter_hours=0.4, blocks=0.1), "t-")
    provider = SimulatedProvider(Market(area=area, delay_max=0), Limits(10**6, 10**6), Faults())
    lengths = set()
    for number in range(300):
        now = MORNING + timedelta(minutes=7 * number)
        trade = desk.trade(now)
        period = parse_period(parse_day(trade.delivery_day), trade.delivery_hour, area.calendar).period
        lengths.add(product_of(period))
        assert period.start - area.gate_closure > now and area.is_open(period, now)
        asked = f"/reference-price?delivery_day={trade.delivery_day}&delivery_hour={trade.delivery_hour}"
        answer = provider.answer(asked, now, float(number))
        assert answer.status in {200, 404}
        if answer.status == 200:
            assert json.loads(answer.body)["unit"] == area.unit
    assert lengths <= set(area.products) and len(lengths) >= min(2, len([m for m in area.products if m]))


def test_an_area_that_nobody_knows() -> None:
    with pytest.raises(ArgumentTypeError, match="nothing is known of “XX”"):
        known_area("XX")
