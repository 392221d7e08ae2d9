"""The whole desk on a drill's servers: web, workers, beats, listeners, a provider, and somebody who reads a board."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import connection

from local.simulators.provider import Limits
from local.simulators.provider import Market as SimulatedMarket
from tests.dashboard.people import a_trader
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.listeners import Listener
from tests.drills.rig.parts import Parts
from tests.drills.rig.proxy import proxy
from tests.drills.rig.readers import Balancer, Reader
from tests.prices.desk import provider_running
from tests.processes import wait_until
from tests.web.browsers import Browser, shown
from trades.models import Trade

DAY = date(2026, 11, 23)
INTERVAL = 10
_PRICES = "SELECT count(*) FROM prices_referencepricehistory"


@dataclass
class Whole:
    """What runs, and what is asked of it."""

    desk: Desk
    parts: Parts
    pair: list[Listener]
    reader: Reader
    limits: Limits
    names: Callable[[str], dict[str, str]]

    def restart(self, listener: Listener) -> None:
        """kill -9, and the next one with the same journal."""
        listener.kill()
        listener.start(**self.names("listener"))

    def prices(self) -> int:
        """How many are on record."""
        with using(self.desk.url), connection.cursor() as cursor:
            cursor.execute(_PRICES)
            return int(cursor.fetchone()[0])

    def settle(self, *, more_prices: int = 20) -> float:
        """All trades are stored, so many prices more are there, the open page is right: seconds until that."""
        self.desk.feed.wait()
        self.desk.wait_stored(self.desk.feed.ids())
        lag = self.reader.lag()
        before = self.prices()
        wait_until(lambda: self.prices() >= before + more_prices, "the next prices:\n", 4 * INTERVAL, self.said)
        with using(self.desk.url):
            stored = Trade.objects.filter(trader__trader_id=self.reader.trader).count()
        assert int(shown(self.reader.browser_now())) == self.reader.page == stored
        return lag

    def said(self) -> str:
        """What every process has said."""
        return self.parts.said() + "".join(listener.output() for listener in self.pair)

    def errors(self) -> list[str]:
        """What of it tells of an error."""
        lines = self.said().splitlines()
        errors = [line for line in lines if line.startswith("{") and json.loads(line)["level"] == "error"]
        return errors + [line for line in lines if "Traceback" in line]

    def verify(self) -> None:
        """Nothing lost or double, the tables right, the provider's limits held."""
        self.desk.verify()
        assert self.desk.row.lost == self.desk.row.doubled == 0
        assert self.limits.violations == 0


@contextmanager
def whole(
    desk: Desk, folder: Path, names: Callable[[str], dict[str, str]], *, of_each: int = 1, webs: int = 1
) -> Iterator[Whole]:
    """Processes with `names(kind)` in their environment, so many workers, beats and listeners; a page is open.

    Several web processes are behind a proxy.
    """
    simulated = SimulatedMarket(seed=11, interval=INTERVAL, delay_max=2)
    with using(desk.url):
        a_trader()
    with ExitStack() as stack:
        provider, limits = stack.enter_context(provider_running(simulated, Limits(400, 8000)))

        def environment(kind: str) -> dict[str, str]:
            return {
                "DATABASE_URL": desk.url,
                "REDIS_URL": desk.servers.own.redis_url,
                "MARKET_DATA_URL": provider,
                "MARKET_DATA_UPDATE_INTERVAL": str(INTERVAL),
                "MARKET_DATA_REQUESTS_PER_MINUTE": "400",
                "MARKET_DATA_REQUESTS_PER_HOUR": "8000",
                **names(kind),
            }

        parts = stack.enter_context(Parts(folder, environment))
        pair = [desk.listener(f"l{number}", **names("listener")) for number in range(of_each)]
        for number in range(of_each):
            parts.worker(f"worker-{number}")
            parts.beat(f"beat-{number}")
        addresses = [parts.web(f"web-{number}") for number in range(webs)]
        balancer = Balancer(addresses if webs == 1 else [stack.enter_context(proxy(folder, addresses))])
        reader = stack.enter_context(Reader(balancer, Browser(balancer.pick(), "anna"), DAY))
        wait_until(lambda: reader.answers, "the first page", details=parts.said)
        yield Whole(desk, parts, pair, reader, limits, names)
