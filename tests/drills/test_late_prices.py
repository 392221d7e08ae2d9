"""Prices that are chased for a long time, beside a listener: no board may say that the exchange is not connected."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.test import Client

from local.simulators.exchange import ScriptedExchange
from local.simulators.provider import Limits
from local.simulators.provider import Market as SimulatedMarket
from market.models import Market
from prices.models import ReferencePrice
from tests.dashboard.people import PASSWORD, a_trader
from tests.drills.rig.results import Row
from tests.prices import desk
from tests.processes import manage, running, wait_until
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.django_db(transaction=True)]

_LOST = re.compile(r'data-stale="([^"]*)"')


@pytest.fixture
def market(transactional_db: None) -> Market:
    """The only active market."""
    Market.objects.update(is_active=False)
    found = germany()
    Market.objects.filter(pk=found.pk).update(is_active=True)
    return found


@pytest.mark.timeout(500)
@pytest.mark.parametrize(
    ("publications", "interval", "late"),
    [(1, 24, 11.0), pytest.param(5, 60, 20.0, marks=pytest.mark.long)],
    ids=["one publication", "five publications"],
)
def test_no_board_says_not_connected_while_prices_are_late(
    market: Market, exchange: ScriptedExchange, tmp_path: Path, row: Row, publications: int, interval: int, late: float
) -> None:
    row.done = f"listener, worker and beat, provider {late:g} s late, {publications} times"
    a_trader()
    browser = Client()
    assert browser.login(username="anna", password=PASSWORD)
    with ExitStack() as stack:
        simulated = SimulatedMarket(seed=8, interval=interval, delay_min=late, delay_max=late)
        address, limits = stack.enter_context(desk.provider_running(simulated, Limits(2000, 100_000)))
        names = {"MARKET_DATA_URL": address, "MARKET_DATA_UPDATE_INTERVAL": str(interval)}
        names |= {"MARKET_DATA_REQUESTS_PER_MINUTE": "2000", "MARKET_DATA_REQUESTS_PER_HOUR": "100000"}
        names |= {"EXCHANGE_WS_URL": exchange.url, "TRADE_JOURNAL_DIR": str(tmp_path / "journal")}
        log, heard = tmp_path / "desk.log", tmp_path / "listener.log"
        listener = stack.enter_context(running(*manage("listen_trades"), log=heard, PROCESS_ROLE="listener", **names))
        stack.enter_context(desk.worker(log, **names))
        stack.enter_context(desk.beat(log, **names))
        listener.wait_for("exchange_connected")
        wait_until(lambda: not _stale(browser), "a board that is live:\n", 20, listener.output)
        wait_until(lambda: ReferencePrice.objects.count() > 20, "prices:\n", 40, log.read_text)
        looks, lost = _look(browser, publications, patience=2 * interval + late)
        row.note(worst=lost, of=f"requests of {looks} looks saw a lost exchange")
        assert looks > 10 * publications
        assert lost == 0, f"{lost} of {looks} looks at the board said that the exchange is not connected"
        assert limits.violations == 0
        assert "Traceback" not in log.read_text() + listener.output()


def _look(browser: Client, publications: int, patience: float) -> tuple[int, int]:
    """Looks at the board until so many more publications have been waited for; how many, and how many saw it lost."""
    looks = lost = seen = 0
    while seen < publications:
        newest, began, before = _newest(), time.monotonic(), looks
        while _newest() == newest:
            assert time.monotonic() - began < patience, "no publication arrived"
            looks += 1
            lost += "trades" in _stale(browser)
            time.sleep(0.1)
        seen += looks > before + 10  # one that arrives as the looking begins is not one that was waited for
    return looks, lost


def _newest() -> object:
    return ReferencePrice.objects.order_by("-last_update").values_list("last_update", flat=True).first()


def _stale(browser: Client) -> str:
    """Which figures the board says stand still: "trades" without an exchange."""
    found = _LOST.search(browser.get("/").content.decode())
    assert found, "the board does not tell the feeds' states"
    return found[1]
