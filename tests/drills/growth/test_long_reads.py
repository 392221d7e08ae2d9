"""Pages, files and the API read from a standby while trades come, and it is paused, killed and brought back."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from requests import Response

from reporting.http.standby import ANSWERED_BY
from tests.dashboard.people import a_head, a_trader
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.parts import Parts
from tests.drills.rig.standby import HotStandby
from tests.drills.rig.whole import DAY
from tests.processes import wait_until
from tests.web.browsers import Browser
from trades.models import Trade

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]

EXPORT = f"/history/history.csv?from={DAY}&to={DAY}&trader=trader_1"
READS = (f"/boards/trader_1/{DAY}/board.csv", f"/history/?from={DAY}&to={DAY}", "/history/earnings/", EXPORT)
READS += ("/api/v1/gaps", "/api/v1/alerts", "/api/v1/assumptions", f"/api/v1/history?from={DAY}&to={DAY}")
PAST = (f"/boards/trader_1/{DAY}/?as_of={{}}", f"/desk/{DAY}/?as_of={{}}", f"/api/v1/boards/trader_1/{DAY}?as_of={{}}")
PAST += (f"/api/v1/desk/{DAY}?as_of={{}}", "/?as_of={}")


@dataclass
class Asker:
    """Asks for long reads, and holds each against what the primary had stored before it asked."""

    desk: Desk
    browser: Browser
    answers: list[tuple[str, int, str]] = field(default_factory=list)
    rests: int = 0
    """How often the process is to have said that it leaves the standby alone."""

    def get(self, address: str) -> Response:
        answer = self.browser.session.get(self.browser.address + address, timeout=20)
        self.answers.append((address, answer.status_code, answer.headers.get(ANSWERED_BY, "primary")))
        return answer

    def count(self) -> tuple[int, str]:
        """Trades of trader_1 that are stored, and the moment after they were counted."""
        with using(self.desk.url):
            return Trade.objects.filter(trader__trader_id="trader_1").count(), _moment()

    def ask(self) -> None:
        """The API as of the present moment, and a file: both have all that was stored."""
        stored, moment = self.count()
        board = self.get(f"/api/v1/boards/trader_1/{DAY}?as_of={moment}").json()
        assert board["as_of"] == moment
        assert board["total"]["trade_count"] >= stored
        stored, _ = self.count()
        rows = list(csv.DictReader(self.get(EXPORT).text.splitlines()))
        assert int(next(row for row in rows if row["row"] == "total")["trade_count"]) >= stored

    @property
    def from_standby(self) -> int:
        return sum(by == "standby" for _, _, by in self.answers)


def _moment() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _is_used(asker: Asker) -> bool:
    before = asker.from_standby
    asker.ask()
    return asker.from_standby == before + 2


@pytest.fixture
def asker(desk: Desk, follower: HotStandby, tmp_path: Path) -> Iterator[Asker]:
    """Somebody who may see everything, at a web process that has a standby; a hundred trades are stored."""
    with using(desk.url):
        a_trader()
        a_head()
    names = {"DATABASE_URL": desk.url, "REDIS_URL": desk.servers.own.redis_url}
    names |= {"DATABASE_REPLICA_URL": follower.url(desk.database), "API_REQUESTS_PER_MINUTE": "10000"}
    desk.listener()
    with Parts(tmp_path, lambda _kind: names) as parts:
        made = Asker(desk, Browser(parts.web(), "head"))
        desk.feed.push(100, rate=100)
        desk.feed.wait()
        desk.wait_stored(desk.feed.ids())
        yield made
        said = parts.said()
    assert "Traceback" not in said
    assert {status for _, status, _ in made.answers} == {200}
    assert said.count("standby_not_used") == made.rests
    desk.verify()
    assert desk.row.lost == 0


def test_each_long_read_is_the_standbys(desk: Desk, asker: Asker) -> None:
    """None of them writes: the standby would refuse, and the primary answer."""
    desk.row.done = "every long read, and boards as of now while trades come, from a standby"
    for address in (*READS, *(address.format(_moment()) for address in PAST)):
        asker.get(address)
    desk.feed.push(100, rate=50)
    for _ in range(10):
        asker.ask()
    assert {by for _, _, by in asker.answers} == {"standby"}, asker.answers


@pytest.mark.long
def test_whatever_becomes_of_the_standby(desk: Desk, asker: Asker, follower: HotStandby) -> None:
    desk.row.done = "long reads while trades come: the standby paused, killed and back"
    desk.feed.push(1500, rate=50)
    for _ in range(40):
        asker.ask()
    shared = asker.from_standby
    with follower.paused():
        for _ in range(10):
            asker.ask()
    assert asker.from_standby == shared
    wait_until(lambda: _is_used(asker), "the standby to be asked again")
    follower.server.kill()
    asker.ask()
    asker.ask()
    follower.server.start()
    wait_until(lambda: _is_used(asker), "the standby to be asked again")
    asker.rests = 2
    desk.row.note(worst=len(asker.answers) - asker.from_standby, of=f"requests of {len(asker.answers)} by the primary")
