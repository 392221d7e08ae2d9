"""A board ready for the wire: read, rendered once for all its open pages, compared by its version, told at its pace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.db import InterfaceError, OperationalError, connection, reset_queries
from django.utils.translation import override

from dashboard.access.preferences import note_look
from dashboard.alerts.queries import newest_alert
from dashboard.assumptions.queries import day_versions
from dashboard.figures.board import Board, load_after, load_board
from dashboard.figures.board_key import WHOLE_DESK, BoardKey
from dashboard.figures.desk import load_desk
from dashboard.figures.feed_status import FeedStates, load_feeds
from dashboard.figures.firmness.outlook import NO_OUTLOOK, Outlook, load_outlook
from dashboard.figures.markets import load_market_totals
from dashboard.figures.timeline import load_timeline
from dashboard.figures.versions import changes_of
from dashboard.live.listeners import Newest, Page, read_newest
from dashboard.render.addresses import board_address, named_market
from dashboard.render.board import page_version, render_parts
from dashboard.render.desk import render_desk
from market import clock
from market.models import Market
from market.queries import active_markets
from market.tables import unless_missing
from trades.models import Trader

SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.04, 0.1
"""Seconds between two updates of one board, on average: bursts are sent together, the first of them at once."""
SHARE = 4
"""In between an interval is so many times what an update takes: on a busy machine, or to many pages, they are fewer."""
AT_ONCE = 3
"""Updates that a board may be ahead of that: a question of one page must not make the next trade wait."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A board ready for the wire: what it was made from, and element id -> HTML."""

    board: Board
    feeds: FeedStates
    parts: dict[str, str]
    version: str
    address: str = ""
    """The board's own path."""
    outlook: Outlook = NO_OUTLOOK
    """What like cases say, taken over as the feeds' states are."""
    prices_moved: bool = False
    """Its prices may no longer be the newest."""

    @property
    def today(self) -> str:
        """The market's date now, so that a page that follows today notices midnight."""
        return self.board.market.day_of(clock.now()).isoformat()


def render(key: BoardKey, now: datetime, before: Rendered | None) -> Rendered:
    """Read and render one board. Raises django.db errors; runs in the hub's own thread.

    What a trade or a price doesn't change is taken over from `before`: the market, the trader, and the feeds' states,
    which the sweep keeps up to date; and the prices, unless they may have moved, too.
    """
    note_look(key.reading)
    if key.trader_pk is WHOLE_DESK:
        return _render_desk(key, now, before)
    if before is None:
        market, trader = Market.objects.get(pk=key.market_pk), Trader.objects.get(pk=key.trader_pk)
        feeds, outlook = load_feeds(market=market, now=now), load_outlook(market, now)
        address = board_address(trader.trader_id, key.day, named_market(market, active_markets()))
    else:
        market, trader, feeds, address = before.board.market, before.board.trader, before.feeds, before.address
        outlook = before.outlook.at(now)
    if before is not None:
        board = load_after(before.board, now=now, prices_moved=before.prices_moved)
    else:
        board = load_board(trader=trader, market=market, delivery_day=key.day, now=now, reading=key.reading)
    timeline = load_timeline(board)
    with override(key.language):
        parts = render_parts(board, feeds, address, timeline, outlook)
    return Rendered(board, feeds, parts, page_version(board, parts), address, outlook)


def _render_desk(key: BoardKey, now: datetime, before: Rendered | None) -> Rendered:
    market = before.board.market if before else Market.objects.get(pk=key.market_pk)
    feeds = before.feeds if before else load_feeds(market=market, now=now)
    outlook = before.outlook.at(now) if before else load_outlook(market, now)
    desk = load_desk(market=market, delivery_day=key.day, now=now, reading=key.reading)
    markets = active_markets()
    totals = load_market_totals(markets, key.day, key.reading) if len(markets) > 1 else []
    with override(key.language):
        parts = render_desk(desk, feeds, markets=totals, outlook=outlook)
    return Rendered(desk.whole, feeds, parts, page_version(desk.whole, parts), outlook=outlook)


@dataclass(slots=True)
class Watched:
    """A board that somebody looks at."""

    pages: set[Page] = field(default_factory=set)
    rendered: Rendered | None = None
    dirty: bool = False
    dirty_since: float = 0.0
    """When it was first heard that it moved, since it was last read (monotonic seconds)."""
    anew: bool = False
    """Everything is to be read again, not only the figures."""
    prices_too: bool = False
    """More than positions may have moved."""
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    telling: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while pages are told something: one news after the other."""
    assumptions: list[int] = field(default_factory=lambda: [0, 0])
    """How many there are of the day's, as last counted, and how often they were heard to be others since."""
    told_at: float = float("-inf")
    """When its pages were last told anything (monotonic seconds)."""
    next_at: float = 0.0
    """When the next update would be due if they came evenly (monotonic seconds)."""

    def known(self) -> Rendered | None:
        """What may be taken over when it is rendered again."""
        return None if self.anew or self.rendered is None else replace(self.rendered, prices_moved=self.prices_too)

    def pause(self, began: float, ended: float) -> float:
        """Count an update that took from `began` to `ended` (monotonic); returns the seconds to wait after it."""
        interval = min(max(SHORTEST_INTERVAL, SHARE * (ended - began)), LONGEST_INTERVAL)
        self.next_at = max(self.next_at, began) + interval
        return max(0.0, self.next_at - ended - (AT_ONCE - 1) * interval)


def is_at_least(version: str, other: str) -> bool:
    """Whether figures of `version` have everything that `other` has: both numbers only ever grow."""
    ours, wanted = ([int(number) for number in text.split(".")] for text in (version, other))
    return all(a >= b for a, b in zip(ours, wanted, strict=True))


@dataclass(frozen=True, slots=True)
class Look:
    """What the hub's sweep compares with: the newest versions of open boards, and of what else pages hear."""

    versions: dict[BoardKey, str]
    """As figures.versions.board_version counts them."""
    assumptions: dict[tuple[int, date], int]
    """(market primary key, day) -> how many changes its assumptions have had."""
    feeds: dict[int, FeedStates]
    """The feeds' states by market."""
    newest_alert: int | None = None
    newest_assumed: Newest | None = None


def look(keys: set[BoardKey], *, alerts: bool, assumed: bool) -> Look:
    """Read all of it, in a fixed number of small queries, by the desk's time."""
    clock.desk.follow(every=1.0)
    return Look(
        versions=read_versions(keys),
        assumptions=read_assumptions(keys),
        feeds=read_feeds(keys),
        newest_alert=newest_alert() if alerts else None,
        newest_assumed=read_newest() if assumed else None,
    )


def read_versions(keys: set[BoardKey]) -> dict[BoardKey, str]:
    """The data version of each board, as figures.versions.board_version counts it. One query."""
    changes = changes_of({(k.trader_pk, k.market_pk, k.day) for k in keys})
    return {k: "{}.{}".format(*changes[k.trader_pk, k.market_pk, k.day]) for k in keys}


def read_feeds(keys: set[BoardKey]) -> dict[int, FeedStates]:
    """The feeds' states per market."""
    now = clock.now()
    markets = Market.objects.filter(pk__in={k.market_pk for k in keys})
    return {market.pk: load_feeds(market=market, now=now) for market in markets}


def read_assumptions(keys: set[BoardKey]) -> dict[tuple[int, date], int]:
    """How many changes the days' assumptions have had; none where an update has not brought the tables yet."""
    return unless_missing(lambda: day_versions(keys={(k.market_pk, k.day) for k in keys}), {})


def with_connection(work: Callable[[], Any]) -> Any:
    """On the connection that the hub's thread keeps: taking one from the pool for each board costs as much as reading.

    One that has died since it was last used, by a restart of PostgreSQL, say, is replaced at once.
    """
    try:
        return work()
    except (OperationalError, InterfaceError):
        connection.close()
        return work()
    finally:
        reset_queries()  # with DEBUG on, Django remembers statements until a request ends; here none does
