"""The scenario of a drill: an exchange, listeners, a database of its own; and what must be true after every drill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dj_database_url
from django.db import connections
from django.db.models import F, Max

from local.checks.testbed import ROOT
from local.simulators.exchange import ScriptedExchange
from tests.drills.rig.feed import Feed
from tests.drills.rig.listeners import PATIENCE, Listener
from tests.drills.rig.results import Row
from tests.drills.rig.servers import DrillServers
from tests.processes import wait_until
from trades.capture.journal import read_frames, segments
from trades.capture.markets import Markets
from trades.capture.replay import replay_directory
from trades.feed.status import ExchangeFeedState, feed_state
from trades.ledger.effective import position_differences
from trades.models import FeedGap, JournalProgress, Position, QuarantinedMessage, Trade
from trades.queries import frame_counts


class Desk:
    """What a drill works with. Reads in the drill go to the drill's own database."""

    def __init__(self, servers: DrillServers, folder: Path, row: Row) -> None:
        self.servers, self.row = servers, row
        self.postgres, self.redis = servers.own.postgres, servers.own.redis
        self._folder = folder
        self._listeners: list[Listener] = []
        self._stack = ExitStack()

    def __enter__(self) -> Desk:
        self.database = self.servers.create_database()
        self.url = self.servers.url(self.database)
        self._stack.callback(self.servers.drop_database, self.database)
        self._stack.callback(self._servers_run)
        self.exchange = self._stack.enter_context(ScriptedExchange())
        self.feed = Feed(self.exchange)
        self._stack.callback(self._end_listeners)
        return self

    def __exit__(self, *details: Any) -> None:
        self._stack.__exit__(*details)

    def _servers_run(self) -> None:
        for server in (self.postgres, self.redis):
            if server.process is None or server.process.poll() is not None:
                server.start()

    def _end_listeners(self) -> None:
        for listener in self._listeners:
            listener.end()

    def listener(
        self, name: str = "l1", url: str | None = None, *, connected: bool = True, code: Path = ROOT, **changes: str
    ) -> Listener:
        """A listener with its own disk, connected; `url` is its way to the exchange."""
        environment = {
            "DATABASE_URL": self.url,
            "REDIS_URL": self.servers.own.redis_url,
            "EXCHANGE_WS_URL": url or self.exchange.url,
        }
        listener = Listener(name, self._folder, environment)
        listener.code = code
        self._listeners.append(listener)
        listener.start(connected=connected, **changes)
        return listener

    # --- what is there -------------------------------------------------------------------------------------------
    def stored_ids(self) -> set[str]:
        with using(self.url):
            return set(Trade.objects.values_list("exchange_id", flat=True))

    def wait_stored(self, ids: set[str], seconds: float = PATIENCE) -> None:
        """Until all of these trades are in PostgreSQL."""
        with using(self.url):
            wait_until(
                lambda: ids <= set(Trade.objects.values_list("exchange_id", flat=True)),
                f"{len(ids)} trades\n",
                seconds,
                lambda: "\n".join(x.output()[-3000:] for x in self._listeners),
            )

    def wait_received(self, count: int, seconds: float = PATIENCE) -> None:
        """Until so many frames are counted."""
        with using(self.url):
            wait_until(lambda: self.counts()["received"] >= count, f"{count} frames", seconds)

    def counts(self) -> dict[str, int]:
        with using(self.url):
            return frame_counts(market_id=Markets()("DE").pk)

    def journalled(self) -> list[bytes]:
        """Every frame in every journal."""
        return [
            frame.frame
            for listener in self._listeners
            for path in segments(listener.journal)
            for frame in read_frames(path)
        ]

    def feed_state(self) -> ExchangeFeedState:
        """What boards say of the exchange now."""
        with using(self.url):
            return feed_state(market_id=Markets()("DE").pk, now=datetime.now(UTC))

    def gaps(self) -> list[tuple[datetime, datetime]]:
        with using(self.url):
            return list(FeedGap.objects.values_list("started_at", "ended_at"))

    def worst_seconds(self) -> float:
        """The longest time from a trade's arrival to its row."""
        with using(self.url):
            worst = Trade.objects.aggregate(worst=Max(F("stored_at") - F("received_at")))["worst"]
        return worst.total_seconds() if worst else 0.0

    # --- what must be true ---------------------------------------------------------------------------------------
    def verify(self, *, nothing_lost: bool = True) -> None:
        """All listeners end well; then the invariants. With `nothing_lost` all that was heard by any is stored."""
        self.feed.wait()
        for listener in self._listeners:
            if listener.running:
                assert listener.terminate() == 0, listener.output()
        with using(self.url):
            self._replay()
            self._check_tables()
            self._note_results()
            if nothing_lost:
                assert self.feed.ids(heard=True) <= self.stored_ids()
            self._check_gaps_cover_losses()
            tables, direct = facts(), JournalProgress.objects.filter(journal__startswith="direct-").exists()
        if not direct:
            self._check_replay_into_empty(tables)

    def _replay(self) -> int:
        return sum(replay_directory(directory=x.journal, market_of=Markets()).received for x in self._listeners)

    def _check_tables(self) -> None:
        ids = list(Trade.objects.values_list("exchange_id", flat=True))
        assert len(set(ids)) == len(ids)
        assert position_differences() == []
        counts = self.counts()
        assert (
            counts["received"] == counts["stored"] + counts["duplicates"] + counts["conflicts"] + counts["quarantined"]
        )
        assert counts["stored"] == len(ids)
        assert counts["conflicts"] + counts["quarantined"] == QuarantinedMessage.objects.count()
        journalled = self.journalled()
        direct = sum(p.received for p in JournalProgress.objects.filter(journal__startswith="direct-"))
        assert counts["received"] == len(journalled) + direct
        aside = {bytes(raw) for raw in QuarantinedMessage.objects.values_list("raw", flat=True)}
        assert [f for f in journalled if f not in aside and _id(f) not in set(ids)] == []
        assert self._replay() == 0

    def _note_results(self) -> None:
        stored = self.stored_ids()
        self.row.sent = len(self.feed.sent) or self.counts()["received"]
        self.row.stored = len(stored)
        self.row.lost = len(self.feed.ids() - stored)
        self.row.doubled = Trade.objects.count() - len(stored)
        self.row.note(worst=self.worst_seconds())

    def _check_gaps_cover_losses(self) -> None:
        stored, gaps = self.stored_ids(), self.gaps()
        lost = [s for s in self.feed.sent if s.exchange_id not in stored]
        uncovered = [s for s in lost if not any(start <= s.at <= end for start, end in gaps)]
        assert uncovered == [], f"lost without a gap: {uncovered[:5]} gaps: {gaps}"

    def _check_replay_into_empty(self, tables: Any) -> None:
        empty = self.servers.create_database()
        try:
            with using(self.servers.url(empty)):
                self._replay()
                assert facts() == tables
                assert self._replay() == 0
                assert facts() == tables
        finally:
            self.servers.drop_database(empty)


def facts() -> tuple[Any, ...]:
    """What the tables say, without when and by whom."""
    trades = Trade.objects.order_by("exchange_id").values_list(
        "exchange_id", "trader__trader_id", "direction", "price", "quantity", "delivery_start", "delivery_end"
    )
    positions = Position.objects.order_by("trader__trader_id", "delivery_start", "delivery_end", "direction")
    sums = positions.values_list(
        "trader__trader_id", "delivery_start", "direction", "trade_count", "energy", "turnover"
    )
    aside = sorted((bytes(raw), reason) for raw, reason in QuarantinedMessage.objects.values_list("raw", "reason"))
    return list(trades), list(sums), aside, frame_counts(market_id=Markets()("DE").pk)


def _id(frame: bytes) -> str | None:
    try:
        return str(json.loads(frame)["trade_confirmation"]["id"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


@contextmanager
def using(url: str) -> Iterator[None]:
    """Django's database of this thread is the one at `url` for the length of a `with` block."""
    before = connections["default"]
    name = url.rpartition("/")[2]
    if before.settings_dict["NAME"] == name:
        yield
        return
    settings = {**before.settings_dict, **dj_database_url.parse(url), "OPTIONS": {"connect_timeout": 5}}
    connections["default"] = type(before)(settings, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = before
