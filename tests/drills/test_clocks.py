"""Clocks that are moved under the running desk: prices, trades and boards go on, limits hold, and the alarm says whose.

The processes read a clock that the drill moves (tests/drills/moved_clock); PostgreSQL's functions for the time are
replaced by ones that it moves.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from django.db import connection
from django.test import Client

from local.simulators.exchange import ScriptedExchange
from local.simulators.provider import Limits
from local.simulators.provider import Market as SimulatedMarket
from market.models import ClockReport, DeskClock, Market
from prices.models import ReferencePrice
from tests.dashboard.people import PASSWORD, a_trader
from tests.drills.rig.results import Row
from tests.prices import desk
from tests.processes import ROOT, free_port, manage, running, wait_until
from tests.trades.frames import confirmation, germany
from trades.models import FeedGap, Trade

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.django_db(transaction=True)]

INTERVAL, GOES_ON_WITHIN, PATIENCE = 10, 15.0, 45.0
HOUR = 3600
PROCESSES = ("listener", "worker", "beat", "web")
EVERYTHING = (*PROCESSES, "PostgreSQL")
ALONE = [((name,), by) for name in EVERYTHING for by in (-HOUR, -300, 300, HOUR)]
SHORT = [(("beat",), -HOUR), (("worker", "web"), 300), (("PostgreSQL",), -300), (EVERYTHING, HOUR)]
LONG = [*ALONE, *((PROCESSES, by) for by in (-HOUR, 300)), *((EVERYTHING, by) for by in (-HOUR, -300, 300, HOUR))]


@pytest.fixture
def market(transactional_db: None) -> Market:
    """The only active market."""
    Market.objects.update(is_active=False)
    found = germany()
    Market.objects.filter(pk=found.pk).update(is_active=True)
    return found


class Clocks:
    """Everybody's clock, to be moved."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def environment(self, name: str) -> dict[str, str]:
        return {
            "DRILL_CLOCK": str(self._folder / f"{name}.clock"),
            "PYTHONPATH": f"{ROOT / 'tests' / 'drills' / 'moved_clock'}:{ROOT}",
        }

    def move(self, names: tuple[str, ...], seconds: float) -> None:
        for name in names:
            if name == "PostgreSQL":
                _execute("UPDATE moved.clock SET by = %s * interval '1 second'", seconds)
            else:
                whole = self._folder / f"{name}.new"
                whole.write_text(str(seconds))
                whole.replace(self._folder / f"{name}.clock")


def _execute(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.fixture
def clocks(market: Market, tmp_path: Path) -> object:
    """PostgreSQL's time is one that the drill moves, for every connection to this database from now on."""
    name = connection.settings_dict["NAME"]
    _execute(
        f"""CREATE SCHEMA moved;
            CREATE TABLE moved.clock AS SELECT interval '0' AS by;
            CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
                'SELECT pg_catalog.clock_timestamp() + by FROM moved.clock';
            CREATE FUNCTION moved.now() RETURNS timestamptz LANGUAGE sql AS
                'SELECT pg_catalog.now() + by FROM moved.clock';
            ALTER DATABASE "{name}" SET search_path = moved, pg_catalog, public"""
    )
    yield Clocks(tmp_path)
    _execute(f'ALTER DATABASE "{name}" RESET search_path; DROP SCHEMA moved CASCADE')
    DeskClock.objects.all().delete()
    ClockReport.objects.all().delete()


@dataclass
class Running:
    """The whole desk, and how a trader and an operator see it."""

    exchange: ScriptedExchange
    limits: Limits
    address: str
    cookies: dict[str, str]
    sent: int = 0

    def _get(self, path: str) -> requests.Response:
        return requests.get(self.address + path, cookies=self.cookies, timeout=10)

    def answers(self) -> bool:
        """Whether the web process does."""
        try:
            return self._get("/healthz").ok
        except requests.ConnectionError:
            return False

    def board(self) -> str:
        return self._get("/").text

    def clock_alarms(self) -> list[str]:
        incidents = self._get("/status/?format=json").json()["incidents"]
        return [i["sentence"] for i in incidents if i["runbook"] == "clock-moved"]

    def said(self) -> str:
        """The alarms in one text."""
        return "; ".join(self.clock_alarms())

    def push_trade(self) -> None:
        """One more trade; until it is stored."""
        self.sent += 1
        self.exchange.send(confirmation(self.sent, trader_id="trader_1"))
        wait_until(lambda: Trade.objects.count() == self.sent, f"trade {self.sent}", GOES_ON_WITHIN)


def newest_price() -> datetime:
    newest = ReferencePrice.objects.order_by("-last_update").values_list("last_update", flat=True).first()
    assert newest is not None
    return newest


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("moves", [SHORT, pytest.param(LONG, marks=pytest.mark.long)], ids=["some", "all"])
def test_the_desk_goes_on_whatever_clock_is_moved(
    market: Market,
    clocks: Clocks,
    exchange: ScriptedExchange,
    tmp_path: Path,
    row: Row,
    moves: list[tuple[tuple[str, ...], int]],
) -> None:
    row.done = f"{len(moves)} moves of clocks, by 5 min and an hour, back and forth"
    user = a_trader()
    user.is_superuser = user.is_staff = True
    user.save()
    simulated = SimulatedMarket(seed=8, interval=INTERVAL, delay_min=0.2, delay_max=2)
    with ExitStack() as stack:
        provider, limits = stack.enter_context(desk.provider_running(simulated, Limits(400, 8000)))
        logs = {name: tmp_path / f"{name}.log" for name in PROCESSES}
        address = _start(stack, clocks, logs, provider, exchange, tmp_path)
        running_desk = Running(exchange, limits, address, _cookies())
        wait_until(lambda: ReferencePrice.objects.count() > 20, "prices:\n", PATIENCE, logs["worker"].read_text)
        wait_until(running_desk.answers, "the web process:\n", PATIENCE, logs["web"].read_text)
        running_desk.push_trade()
        worst = 0.0
        for who, by in moves:
            clocks.move(who, by)
            worst = max(worst, _goes_on(running_desk, f"after {', '.join(who)} by {by}"))
            _says_so(running_desk, who, by)
            clocks.move(who, 0)
            wait_until(lambda: not running_desk.clock_alarms(), "the end of the alarm: ", PATIENCE, running_desk.said)
        row.note(worst=worst, of="s until the next price after a move")
        assert limits.violations == 0
        assert not FeedGap.objects.exists()
        assert "Traceback" not in "".join(log.read_text() for log in logs.values())


def _start(
    stack: ExitStack,
    clocks: Clocks,
    logs: dict[str, Path],
    provider: str,
    exchange: ScriptedExchange,
    folder: Path,
) -> str:
    """Every process of the desk, each with its own clock; the web process's address."""
    names = {"MARKET_DATA_URL": provider, "MARKET_DATA_UPDATE_INTERVAL": str(INTERVAL)}
    names |= {"MARKET_DATA_REQUESTS_PER_MINUTE": "400", "MARKET_DATA_REQUESTS_PER_HOUR": "8000"}
    names |= {"EXCHANGE_WS_URL": exchange.url, "TRADE_JOURNAL_DIR": str(folder / "journal"), "DEBUG": "1"}
    of = {name: names | clocks.environment(name) for name in PROCESSES}
    argv = manage("listen_trades")
    listener = stack.enter_context(running(*argv, log=logs["listener"], PROCESS_ROLE="listener", **of["listener"]))
    stack.enter_context(desk.worker(logs["worker"], **of["worker"]))
    stack.enter_context(desk.beat(logs["beat"], **of["beat"]))
    port = free_port()
    argv = (sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "reporting.asgi:application")
    stack.enter_context(running(*argv, log=logs["web"], PROCESS_ROLE="web", **of["web"]))
    listener.wait_for("exchange_connected")
    return f"http://127.0.0.1:{port}"


def _cookies() -> dict[str, str]:
    browser = Client()
    assert browser.login(username="anna", password=PASSWORD)
    return {name: morsel.value for name, morsel in browser.cookies.items()}


def _goes_on(running_desk: Running, when: str) -> float:
    """A trade and the next price come through, and the board says nothing of a lost feed; seconds until the price."""
    began, before = time.monotonic(), newest_price()
    running_desk.push_trade()
    wait_until(lambda: newest_price() > before, f"a new price {when}", GOES_ON_WITHIN + INTERVAL)
    took = time.monotonic() - began
    assert abs((datetime.now(UTC) - newest_price()).total_seconds()) < INTERVAL + GOES_ON_WITHIN
    wait_until(lambda: 'data-stale=""' in running_desk.board(), f"a board that is live {when}", GOES_ON_WITHIN)
    assert Trade.objects.order_by("-pk").values_list("received_at", flat=True)[0] <= datetime.now(UTC)
    return took


def _says_so(running_desk: Running, who: tuple[str, ...], by: int) -> None:
    """The status page names each clock that is moved."""
    for name in who:
        wait_until(
            lambda: any(f"The clock of {name}" in said for said in running_desk.clock_alarms()),  # noqa: B023
            f"the alarm for {name} by {by}: ",
            PATIENCE,
            running_desk.said,
        )
