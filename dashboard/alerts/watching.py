"""The watch: every second one worker compares what is the case with everybody's rules, and writes down what is new.

How far it has looked is kept in the same transaction, so that whoever takes over after a kill misses nothing and tells
nothing twice. What was replayed, imported or arrived late changes figures, and alarms nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial

from django.db import connection, transaction

from dashboard.access.rights import SEE_STATUS, group_roles
from dashboard.alerts import board_facts
from dashboard.alerts.audience import Audience, Told
from dashboard.alerts.board_facts import BoardOf
from dashboard.alerts.desk_facts import DeskNews, is_wanted, pass_over_news, read_news
from dashboard.alerts.episodes import Cause, open_episodes, write
from dashboard.alerts.models import AlertRule, AlertWatch
from dashboard.alerts.rules import OF_BOARDS, BoardFacts, Condition, Finding, Kind, of_board
from market.locks import AdvisoryLock
from market.models import Market
from market.queries import active_markets
from market.totals import ZERO

_ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class _Look:
    """One look: what was read once for all rules."""

    now: datetime
    news: DeskNews
    markets: list[Market]
    boards: dict[BoardOf, BoardFacts] = field(default_factory=dict)


def watch(now: datetime) -> int:
    """One look; how many alerts are new. Nothing while another worker is at it."""
    if not is_wanted(now):
        return 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [AdvisoryLock.ALERT_WATCH])
            if not cursor.fetchone()[0]:
                return 0
        rules = _rules(now)
        if not rules:
            pass_over_news(now)
            return 0
        state = AlertWatch.objects.first() or AlertWatch(looked_at=now)
        new = _tell(rules, read_news(state, now), now)
        state.looked_at = now
        state.save()
    return new


def _tell(rules: list[AlertRule], news: DeskNews, now: datetime) -> int:
    """Write down what each rule finds; how many alerts are new. The queries don't grow with the rules."""
    look, audience = _Look(now, news, active_markets()), Audience(rules)
    told = [one for rule in rules for one in audience.of(rule)]
    look.boards = board_facts.read(_wanted(told, look), now, anew=set(news.quiet_boards))
    episodes, cause = open_episodes(rules), partial(_cause, news)
    return sum(
        write(one.rule, one.user, _found(one, look), now, episodes=episodes[one.rule.pk, one.user.pk], cause=cause)
        for one in told
    )


def _rules(now: datetime) -> list[AlertRule]:
    rules = AlertRule.objects.select_related("user", "trader", "market").filter(user__is_active=True)
    return [rule for rule in rules if rule.snoozed_until is None or rule.snoozed_until <= now]


def _wanted(told: Iterable[Told], look: _Look) -> set[BoardOf]:
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


def _found(one: Told, look: _Look) -> list[Finding]:
    """What the rule finds, with the market to be named where there are several."""
    findings = _findings(one, look)
    if len(look.markets) < 2:
        return findings
    return [replace(found, facts={**found.facts, "named_market": found.facts["market"]}) for found in findings]


def _findings(one: Told, look: _Look) -> list[Finding]:
    kind, markets = Kind(one.rule.kind), _markets(one.rule, look)
    if kind in OF_BOARDS:
        condition = Condition(kind, one.rule.threshold or ZERO, one.rule.minutes or 0)
        traders = {trader.pk for trader in one.traders}
        mine = [f for b, f in look.boards.items() if b.trader.pk in traders and b.market in markets]
        return [finding for board in mine for finding in of_board(condition, board, look.now)]
    if kind is Kind.ASSUMPTION_BROKE:
        return look.news.broken(one, markets, look.now)
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
