"""The day as it was known: what real web processes pushed through faults is what a past moment shows afterwards.

A recorder in the web process notes each board that it renders for its pages. Afterwards random moments are asked for
again, and compared with the last board of before each, where that had all that was here by then: what had come and was
in no page yet is counted apart, by the records alone. `DRILL_MINUTES` is how long the long one takes (120).
"""

from __future__ import annotations

import json
import os
import random
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.models import User

from dashboard.figures.board import Board, load_board
from dashboard.figures.desk import load_desk
from dashboard.figures.past import Past, first_record
from dashboard.figures.readings import Reading
from dashboard.render.board_json import board_json
from dashboard.render.formatting import utc
from local.simulators.provider import Limits
from local.simulators.provider import Market as SimulatedMarket
from market.models import Market
from prices.models import ReferencePriceHistory
from tests.dashboard.past.digests import digest_of
from tests.dashboard.people import a_head, a_trader
from tests.drills.past.watching import Afternoon, Page, cookie_of
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.listeners import FAULTS, Listener
from tests.drills.rig.parts import Part, part_of
from tests.prices.desk import provider_running
from tests.processes import wait_until
from trades.ledger.decisions import cancel_trade
from trades.ledger.effective import effective_facts, position_differences
from trades.models import Trade, TradeChange, Trader

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(12_000)]

RECORDER = Path(__file__).parent / "recorder"
INTERVAL = 10
RATE = 3.0
"""Trades a second, or a little more."""
MANY = 10**6
BY_HTTP = 20
SMALL = pytest.param(8, 1.2, 150, id="small")
LONG = pytest.param(60 * float(os.environ.get("DRILL_MINUTES", "120")), 6.0, 10_000, id="long", marks=pytest.mark.long)


@dataclass(frozen=True, slots=True)
class Shown:
    """A board as a page got it: when reading began, whose, and what."""

    began: float
    key: tuple[int | None, str, str]
    board: dict[str, Any]


class Records:
    """What was here by a moment, by the records themselves: what a board must have to be compared."""

    def __init__(self, day: date, decided: list[float]) -> None:
        """`decided`: when each decision was committed, at the latest, in their order."""
        trades = Trade.objects.filter(delivery_day=day)
        self._trades = sorted(
            (received.timestamp(), trader) for received, trader in trades.values_list("received_at", "trader_id")
        )
        cancelled = TradeChange.objects.order_by("id").values_list("made_at", "trade__trader_id")
        self._cancelled = [(made.timestamp(), trader) for made, trader in cancelled]
        self._decided = list(zip((made for made, _ in self._cancelled), decided, strict=True))
        self._prices: dict[tuple[str, str], list[tuple[float, datetime]]] = {}
        paths = ReferencePriceHistory.objects.filter(delivery_day=day).order_by("arrived_at")
        for start, end, arrived, updated in paths.values_list(
            "delivery_start", "delivery_end", "arrived_at", "last_update"
        ):
            self._prices.setdefault((utc(start), utc(end)), []).append((arrived.timestamp(), updated))

    def are_all_in(self, shown: Shown, moment: float) -> bool:
        """Whether the board had all that was here by the moment."""
        if any(made <= moment and shown.began <= committed for made, committed in self._decided):
            return False  # a decision may leave the count as it was: it takes one away while another comes
        counts = [self._count(some, shown.key[0], moment) for some in (self._trades, self._cancelled)]
        if shown.board["total"]["trade_count"] != counts[0] - counts[1]:
            return False
        return all(self._newest(period, moment) == period["reference_updated_at"] for period in shown.board["periods"])

    @staticmethod
    def _count(some: list[tuple[float, int]], trader: int | None, moment: float) -> int:
        return sum(at <= moment and trader in {None, whose} for at, whose in some)

    def _newest(self, period: dict[str, Any], moment: float) -> str | None:
        path = self._prices.get((period["delivery_start"], period["delivery_end"]), [])
        known = [updated for arrived, updated in path if arrived <= moment]
        return utc(max(known)) if known else None


def harms(desk: Desk, web: Part, worker: Part, listener: Listener) -> Iterator[str]:
    """One thing after the other is cut or killed, and comes back at once or a moment later; for ever."""
    while True:
        desk.exchange.drop()
        yield "cut"
        listener.kill()
        listener.start(connected=False)
        yield "listener"
        web.end()
        web.start()
        yield "web"
        worker.end()
        worker.start()
        yield "worker"
        desk.redis.kill()
        time.sleep(0.2)
        desk.redis.start()
        yield "Redis"
        desk.postgres.kill()
        time.sleep(0.2)
        desk.postgres.start()
        yield "PostgreSQL"


@pytest.mark.parametrize(("seconds", "pause", "moments"), [SMALL, LONG])
def test_what_was_pushed_is_shown_again(
    desk: Desk, dice: random.Random, tmp_path: Path, seconds: float, pause: float, moments: int
) -> None:
    with ExitStack() as stack:
        record, day = tmp_path / "boards.jsonl", _day(desk)
        simulated = SimulatedMarket(interval=INTERVAL, delay_max=2)
        address, _ = stack.enter_context(provider_running(simulated, Limits(MANY, MANY)))
        provider = {
            "MARKET_DATA_URL": address,
            "MARKET_DATA_UPDATE_INTERVAL": str(INTERVAL),
            "MARKET_DATA_REQUESTS_PER_MINUTE": "3000",
            "MARKET_DATA_REQUESTS_PER_HOUR": "100000",
        }
        recording = {"PYTHONPATH": f"{RECORDER}:{FAULTS}", "DRILL_BOARDS": str(record)}
        web = part_of(desk, tmp_path / "web.log", "web", **recording)
        worker, beat = (part_of(desk, tmp_path / f"{kind}.log", kind, **provider) for kind in ("worker", "beat"))
        for process in (web, worker, beat):
            stack.callback(process.end)
            process.start()
        listener = desk.listener()
        with using(desk.url):
            users = [a_trader("trader_1", "anna"), a_trader("trader_2", "ben"), a_head()]
            cookies = [cookie_of(user) for user in users]
        pages = [Page(web, path, cookie) for path, cookie in _pages(day, cookies)]
        wait_until(lambda: all(page.told for page in pages), "every page to be told")
        decided: list[float] = []
        afternoon = Afternoon(desk.exchange, day, str(dice.random()), RATE)
        done = _harm(
            harms(desk, web, worker, listener), (seconds, pause), lambda: decided.extend(_cancel(desk, users[2], dice))
        )
        afternoon.end()
        wait_until(lambda: _is_settled(desk, record, afternoon.sent), "the last trade on the desk's page", 60)
        desk.row.done = f"{afternoon.sent} trades, {done} times something was killed or cut"
        web.wait_ready()
        with using(desk.url):
            _compare(desk, record, Records(day, decided), dice, moments, (web, cookies[2]))
        for page in pages:
            page.end()


def _day(desk: Desk) -> date:
    """The delivery day that can be traded for two hours at least."""
    with using(desk.url):
        return Market.objects.get(code="DE").day_of(datetime.now(UTC) + timedelta(hours=2))


def _pages(day: date, cookies: list[str]) -> Iterator[tuple[str, str]]:
    for reading in Reading:
        yield f"/ws/boards/trader_1/{day}/?by={reading}", cookies[0]
    yield f"/ws/boards/trader_2/{day}/?by=product", cookies[1]
    yield f"/ws/desk/{day}/?by=product", cookies[2]


def _harm(harm: Iterator[str], times: tuple[float, float], decide: Callable[[], None]) -> int:
    """For so long, with so many seconds each time to come back in; how often."""
    (seconds, pause), number = times, 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(pause)
        next(harm)
        number += 1
        if number % 4 == 0:
            decide()
    return number


def _cancel(desk: Desk, user: User, dice: random.Random) -> list[float]:
    """Somebody cancels a trade, if there is one; when that was committed."""
    with using(desk.url):
        trades = [trade for trade in Trade.objects.order_by("-id")[:20] if effective_facts(trade_pk=trade.pk)]
        if trades:
            cancel_trade(trade=dice.choice(trades), reason="by the exchange", user=user)
            return [time.time()]
    return []


def _is_settled(desk: Desk, record: Path, sent: int) -> bool:
    """Whether all that a journal has is stored, and on the desk's page: trades that wait were known before, too."""
    if len(desk.journalled()) > desk.counts()["received"]:
        return False
    with using(desk.url):
        stored, cancelled = Trade.objects.count(), TradeChange.objects.count()
    newest = [shown for shown in _boards(record) if shown.key[0] is None][-1:]
    return bool(newest) and newest[0].board["total"]["trade_count"] == stored - cancelled and 0 < stored <= sent


def _boards(record: Path) -> list[Shown]:
    """What was noted; of a killed process the last line may be torn."""
    found = []
    for line in record.read_text().splitlines():
        try:
            began, trader, day, reading, board = json.loads(line)
        except ValueError:
            continue
        found.append(Shown(began, (trader, day, reading), board))
    return sorted(found, key=lambda shown: shown.began)


def _compare(
    desk: Desk, record: Path, records: Records, dice: random.Random, moments: int, web: tuple[Part, str]
) -> None:
    assert position_differences() == []
    by_key: dict[tuple[int | None, str, str], list[Shown]] = {}
    for shown in _boards(record):
        by_key.setdefault(shown.key, []).append(shown)
    assert len(by_key) == 5
    different, compared, in_flight = [], 0, 0
    begun = first_record(Market.objects.get(code="DE"))
    assert begun is not None
    first = max(begun.timestamp(), *(of[0].began for of in by_key.values()))
    last = max(of[-1].began for of in by_key.values())
    for number in range(moments):
        moment, key = dice.uniform(first, last), dice.choice(list(by_key))
        shown = by_key[key][bisect_right(by_key[key], moment, key=lambda one: one.began) - 1]
        if not records.are_all_in(shown, moment):
            in_flight += 1
            continue
        compared += 1
        past = Past(datetime.fromtimestamp(moment, UTC))
        again = [board_json(_at(key, past))]
        if number < BY_HTTP and key[0] is not None:
            again.append(_asked(*web, key, past))
        different += [
            (past.moment, shown.began, key, _differences(shown.board, board))
            for board in again
            if digest_of(board) != digest_of(shown.board)
        ]
    boards = {digest_of(shown.board) for of in by_key.values() for shown in of}
    told = f"{compared} moments compared, {in_flight} while something was on its way, {len(boards)} different boards"
    print(f"{desk.row.done}: {told}, {len(different)} shown differently")
    desk.row.done += f"; {told}"
    assert different == [], different[:3]
    assert compared > moments / 10
    assert len(boards) > 5


def _at(key: tuple[int | None, str, str], past: Past) -> Board:
    day, reading = date.fromisoformat(key[1]), Reading(key[2])
    market, now = Market.objects.get(code="DE"), datetime.now(UTC)
    if key[0] is None:
        return load_desk(market=market, delivery_day=day, now=now, reading=reading, past=past).whole
    trader = Trader.objects.get(pk=key[0])
    return load_board(trader=trader, market=market, delivery_day=day, now=now, reading=reading, past=past)


def _differences(shown: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """What of two boards differs, for whoever has to find out why."""
    totals = [{"delivery_hour": "total", **board["total"]} for board in (shown, again)]
    pairs = [tuple(totals), *zip_longest(shown["periods"], again["periods"], fillvalue={})]
    found = [(one, other, name) for one, other in pairs for name in one if one[name] != other.get(name)]
    return [
        f"{one['delivery_hour']} {name}: {one[name]} pushed, {other.get(name)} again"
        for one, other, name in found
        if name not in {"state", "gate_closures"}
    ]


def _asked(web: Part, cookie: str, key: tuple[int | None, str, str], past: Past) -> Any:
    """What the API says of it."""
    trader_id = Trader.objects.get(pk=key[0]).trader_id
    moment = past.moment.isoformat().replace("+00:00", "Z")
    address = f"{web.address}/api/v1/boards/{trader_id}/{key[1]}?by={key[2]}&as_of={moment}"
    with urlopen(Request(address, headers={"Cookie": cookie}), timeout=10) as answer:
        return json.load(answer)
