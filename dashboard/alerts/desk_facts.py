"""What the watch asks about feeds, gaps, frames, assumptions and trades since its last look. A few queries a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, F, Max

from dashboard.alerts.audience import Told
from dashboard.alerts.models import AlertWatch
from dashboard.alerts.rules import Finding, Kind
from dashboard.assumptions.models import Assumption
from dashboard.assumptions.queries import standings
from dashboard.assumptions.visibility import visible_of
from dashboard.figures.feed_status import FeedStates, load_feeds
from market.locks import AdvisoryLock
from market.models import Market
from trades.models import FeedGap, QuarantinedMessage, Trader

LIVE_WITHIN = timedelta(seconds=10)
"""From a frame's receipt to its storing: longer is a replay, or a frame that waited for PostgreSQL."""
_OVERLAP, _NEAR = timedelta(seconds=3), 2000
"""Trades commit in another order than they are numbered in: the last ones are looked at again."""

_BOARDS = """SELECT trader_id, market_id, delivery_day, bool_or(source NOT LIKE 'file-%%'
        AND source NOT LIKE 'quarantine-%%' AND stored_at - received_at < %(live)s AND NOT 'period_closed' = ANY(flags))
    FROM trades_trade WHERE id > %(near)s AND stored_at > %(since)s GROUP BY 1, 2, 3"""


_MOVE_ON = """INSERT INTO dashboard_alertwatch AS w (id, looked_at, trade, gap, frame)
    SELECT 1, %(now)s, (SELECT coalesce(max(id), 0) FROM trades_trade),
        (SELECT coalesce(max(id), 0) FROM trades_feedgap), (SELECT coalesce(max(id), 0) FROM trades_quarantinedmessage)
    {}
    ON CONFLICT (id) DO UPDATE SET (looked_at, trade, gap, frame) =
        (EXCLUDED.looked_at, EXCLUDED.trade, EXCLUDED.gap, EXCLUDED.frame)"""
# Nobody wants to be told of anything, most of the day: that takes one statement, and writes only what is another.
_UNLESS_WANTED = f"""WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(%(lock)s) AS mine),
    rules AS MATERIALIZED (SELECT EXISTS (SELECT FROM dashboard_alertrule AS r JOIN auth_user AS u ON u.id = r.user_id
        WHERE u.is_active AND (r.snoozed_until IS NULL OR r.snoozed_until <= %(now)s)) AS wanted),
    moved AS ({_MOVE_ON.format("FROM turn, rules WHERE mine AND NOT wanted")}
        WHERE w.looked_at < %(now)s - interval '5 seconds'
            OR (w.trade, w.gap, w.frame) <> (EXCLUDED.trade, EXCLUDED.gap, EXCLUDED.frame))
    SELECT mine AND wanted FROM turn, rules"""  # noqa: S608 - our own text


@dataclass(slots=True)
class DeskNews:
    """What is new since the last look. `quiet_…`: boards that only late, replayed or imported trades have changed;
    `live_names`: those that one which had just come has changed."""

    gaps: dict[int, tuple[int, datetime]] = field(default_factory=dict)
    frames: dict[int, int] = field(default_factory=dict)
    quiet_boards: list[tuple[int, int, date]] = field(default_factory=list)
    quiet_names: set[tuple[str, str, str]] = field(default_factory=set)
    live_names: set[tuple[str, str, str]] = field(default_factory=set)
    _feeds: dict[int, FeedStates] = field(default_factory=dict)
    _broken: list[tuple[Assumption, Finding]] | None = None
    _visible: dict[int, set[int]] = field(default_factory=dict)
    """Of those that broke, by user, which they may see."""

    def of(self, kind: Kind, markets: Sequence[Market], now: datetime) -> Iterator[tuple[int, Finding]]:
        """What a rule about a market as a whole finds, by the market's primary key."""
        for market in markets:
            about = {"market": market.code}
            if kind is Kind.GAP and market.pk in self.gaps:
                count, until = self.gaps[market.pk]
                yield market.pk, Finding(market.code, {**about, "until": f"{until:%H:%M:%S} UTC"}, more=count)
            elif kind is Kind.FRAMES_ASIDE and market.pk in self.frames:
                yield market.pk, Finding(market.code, about, more=self.frames[market.pk])
            elif kind in {Kind.FEED_LATE, Kind.PRICE_LATE} and self._is_late(kind, market, now):
                yield market.pk, Finding(market.code, about)

    def _is_late(self, kind: Kind, market: Market, now: datetime) -> bool:
        if market.pk not in self._feeds:
            self._feeds[market.pk] = load_feeds(market=market, now=now)
        feeds = self._feeds[market.pk]
        if kind is Kind.PRICE_LATE:
            return feeds.prices.state in {"late", "down"}
        return not feeds.exchange.connected and feeds.exchange.since is not None

    def broken(self, one: Told, markets: Sequence[Market], now: datetime) -> list[Finding]:
        """Open assumptions that broke, of the traders whom somebody is told of, and that they may see; one finding a
        period. Read once for all, and where there are any of others once for each who is told."""
        if self._broken is None:
            self._broken = list(_broken(now))
        of, on = {trader.pk for trader in one.traders}, {market.pk for market in markets}
        broken = [row for row in self._broken if row[0].trader_id in of and row[0].market_id in on]
        own = one.own.pk if one.own else None
        others = {about.pk for about, _ in broken if about.trader_id != own}
        if others and one.user.pk not in self._visible:
            self._visible[one.user.pk] = visible_of(one.user, {about.pk for about, _ in self._broken}, now)
        hidden = others - self._visible[one.user.pk] if others else set()
        return [found for about, found in broken if about.pk not in hidden]


def _broken(now: datetime) -> Iterator[tuple[Assumption, Finding]]:
    for standing in standings(Assumption.objects.filter(periods__gate_closes_at__gt=now).distinct()):
        about = standing.assumption
        for period in standing.periods:
            if period.is_broken and period.record is None:
                facts = {
                    "trader": about.trader.trader_id,
                    "market": about.market.code,
                    "number": str(about.pk),
                    "period": period.row.delivery_hour,
                    "day": about.delivery_day.isoformat(),
                }
                yield about, Finding(f"assumption {about.pk} {period.row.delivery_hour}", facts)


def read_news(state: AlertWatch, now: datetime) -> DeskNews:
    """What happened since the last look; moves the state on. Of a first look nothing is news."""
    is_first = state.pk is None or state._state.adding
    news = DeskNews()
    gaps = FeedGap.objects.filter(pk__gt=state.gap).order_by().values("market_id")
    for row in gaps.annotate(count=Count("pk"), until=Max("ended_at"), newest=Max("pk")):
        news.gaps[row["market_id"]] = (row["count"], row["until"])
        state.gap = max(state.gap, row["newest"])
    frames = QuarantinedMessage.objects.filter(pk__gt=state.frame)
    live = frames.filter(received_at__gt=F("stored_at") - LIVE_WITHIN).exclude(source__startswith="file-")
    news.frames = dict(live.order_by().values_list("market_id").annotate(count=Count("pk")))
    state.frame = frames.aggregate(newest=Max("pk"))["newest"] or state.frame
    _read_trades(state, news)
    return DeskNews() if is_first else news


def pass_over_news(now: datetime) -> None:
    """Move the state on, where nobody wants to be told. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVE_ON.format(""), {"now": now})


def is_wanted(now: datetime) -> bool:
    """Whether anybody wants to be told, and no other worker is at it; where nobody does, the state is moved on."""
    with connection.cursor() as cursor:
        cursor.execute(_UNLESS_WANTED, {"now": now, "lock": AdvisoryLock.ALERT_WATCH})
        return bool(cursor.fetchone()[0])


def _read_trades(state: AlertWatch, news: DeskNews) -> None:
    asked: dict[str, Any] = {"live": LIVE_WITHIN, "near": state.trade - _NEAR, "since": state.looked_at - _OVERLAP}
    with connection.cursor() as cursor:
        cursor.execute(_BOARDS, asked)
        traded = {(trader, market, day): live for trader, market, day, live in cursor.fetchall()}
        cursor.execute("SELECT coalesce(max(id), 0) FROM trades_trade")
        state.trade = int(cursor.fetchone()[0])
    if not traded:
        return
    news.quiet_boards = [board for board, live in traded.items() if not live]
    traders = dict(Trader.objects.filter(pk__in={t for t, _, _ in traded}).values_list("pk", "trader_id"))
    markets = dict(Market.objects.filter(pk__in={m for _, m, _ in traded}).values_list("pk", "code"))
    for (trader, market, day), live in traded.items():
        names = news.live_names if live else news.quiet_names
        names.add((traders[trader], markets[market], day.isoformat()))
