"""The watch: every second one worker compares what is the case with everybody's rules, and writes down what is new.

How far it has looked is kept in the same transaction, so that whoever takes over after a kill misses nothing and tells
nothing twice. What was replayed, imported or arrived late changes figures, and alarms nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from django.contrib.auth.models import User
from django.db import connection, transaction

from dashboard.access.rights import SEE_STATUS, group_roles, may_see_all, own_trader
from dashboard.alerts import board_facts
from dashboard.alerts.board_facts import BoardOf
from dashboard.alerts.desk_facts import DeskNews, read_news
from dashboard.alerts.episodes import Cause, write
from dashboard.alerts.models import AlertRule, AlertWatch
from dashboard.alerts.rules import OF_BOARDS, BoardFacts, Condition, Finding, Kind, of_board
from market.locks import AdvisoryLock
from market.models import Market
from market.queries import active_markets
from market.totals import ZERO
from trades.models import Trader

_ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class _Look:
    """One look: what was read once for all rules."""

    now: datetime
    news: DeskNews
    markets: list[Market]
    boards: dict[BoardOf, BoardFacts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Told:
    """A rule and one who is told by it, about these traders."""

    rule: AlertRule
    user: User
    traders: tuple[Trader, ...]


def watch(now: datetime) -> int:
    """One look; how many alerts are new. Nothing while another worker is at it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [AdvisoryLock.ALERT_WATCH])
            if not cursor.fetchone()[0]:
                return 0
        state = AlertWatch.objects.first() or AlertWatch(looked_at=now)
        news = read_news(state, now)
        told = [one for rule in _rules(now) for one in _audience(rule)]
        new = _tell(told, news, now) if told else 0
        state.looked_at = now
        state.save()
    return new


def _tell(told: list[_Told], news: DeskNews, now: datetime) -> int:
    """Write down what each rule finds; how many alerts are new."""
    look = _Look(now, news, active_markets())
    look.boards = board_facts.read(_wanted(told, look), now, anew=set(news.quiet_boards))
    return sum(write(one.rule, one.user, _found(one, look), now, cause=partial(_cause, news)) for one in told)


def _rules(now: datetime) -> list[AlertRule]:
    rules = AlertRule.objects.select_related("user", "trader", "market").filter(user__is_active=True)
    return [rule for rule in rules if rule.snoozed_until is None or rule.snoozed_until <= now]


def _audience(rule: AlertRule) -> Iterable[_Told]:
    """Who is told, with the rights that they have now."""
    user = rule.user
    own, sees_all = own_trader(user), may_see_all(user)
    if rule.desk_wide and sees_all:
        logins = User.objects.filter(is_active=True, trader_login__isnull=False).exclude(pk=user.pk)
        for other in logins.select_related("trader_login__trader"):
            theirs = other.trader_login.trader
            if rule.trader in {None, theirs}:
                yield _Told(rule, other, (theirs,))
    if rule.trader is not None:
        may = sees_all or (own is not None and own.pk == rule.trader.pk)
        yield _Told(rule, user, (rule.trader,) if may else ())
    elif sees_all:
        yield _Told(rule, user, tuple(Trader.objects.filter(is_known=True)))
    else:
        yield _Told(rule, user, (own,) if own else ())


def _wanted(told: Iterable[_Told], look: _Look) -> set[BoardOf]:
    return {
        BoardOf(trader, market, day)
        for one in told
        if Kind(one.rule.kind) in OF_BOARDS
        for trader in one.traders
        for market in _markets(one.rule, look)
        for day in _days(market, look.now)
    }


def _days(market: Market, now: datetime) -> tuple[date, date]:
    today = market.day_of(now)
    return today, today + _ONE_DAY


def _markets(rule: AlertRule, look: _Look) -> list[Market]:
    return [market for market in look.markets if rule.market_id in {None, market.pk}]


def _found(one: _Told, look: _Look) -> list[Finding]:
    kind, markets = Kind(one.rule.kind), _markets(one.rule, look)
    if kind in OF_BOARDS:
        condition = Condition(kind, one.rule.threshold or ZERO, one.rule.minutes or 0)
        traders = {trader.pk for trader in one.traders}
        mine = [f for b, f in look.boards.items() if b.trader.pk in traders and b.market in markets]
        return [finding for board in mine for finding in of_board(condition, board, look.now)]
    if kind is Kind.ASSUMPTION_BROKE:
        return look.news.broken(one.traders, markets, look.now)
    if kind is Kind.FRAMES_ASIDE and not group_roles(one.user) & SEE_STATUS:
        return []
    if not one.traders and not group_roles(one.user):
        return []
    by_market: dict[int, list[Finding]] = defaultdict(list)
    for market_pk, finding in look.news.of(kind, markets, look.now):
        by_market[market_pk].append(finding)
    return [finding for market in markets for finding in by_market[market.pk]]


def _cause(news: DeskNews, kind: Kind, finding: Finding) -> Cause:
    """What has changed the board that it is about, since the last look; of other kinds nothing does."""
    board = (finding.facts.get("trader", ""), finding.facts.get("market", ""), finding.facts.get("day", ""))
    if kind not in OF_BOARDS:
        return Cause.OTHER
    if board in news.quiet_names:
        return Cause.QUIET
    return Cause.LIVE if board in news.live_names else Cause.OTHER
