"""What is open at the desk now, in plain words, each with the runbook that tells what to do. Pure.

Facts come from dashboard/pages/status.py; the sentences are for people who look after the desk, at night too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.translation import gettext, ngettext, pgettext

from dashboard.figures.feed_status import FeedStates
from market.clock_state import ClockState
from market.statements.standby import StandbyState, Trouble
from prices.feed import StandstillReason
from trades.feed.status import ListenerState

MANY_WAITING = 100
"""Frames that wait for PostgreSQL: a burst is stored within a second."""


class Level(StrEnum):
    """Whether somebody has to act now, or today."""

    ALARM = "alarm"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing that is open: in one sentence, and the page of docs/runbooks/ for it."""

    level: Level
    market: str
    sentence: str
    runbook: str

    @property
    def page(self) -> str:
        """Where the runbook is in the repository."""
        return f"docs/runbooks/{self.runbook}.md"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one market: `gaps` and `quarantine` are counts that wait for a person."""

    market: str
    feeds: FeedStates
    listeners: tuple[ListenerState, ...]
    gaps: int
    quarantine: dict[str, int]
    refused: bool
    refusing_rules: dict[str, int] = field(default_factory=dict)
    """Rules that have kept more than a handful of confirmations aside within minutes, and how many."""
    corrected_finals: int = 0
    """Final prices that were changed within a day."""


def incidents(facts: Facts) -> list[Incident]:
    """What is open in this market, alarms first."""
    open_now = [*_exchange(facts), *_rules(facts), *_listeners(facts), *_prices(facts), *_for_people(facts)]
    return sorted(open_now, key=lambda incident: incident.level != Level.ALARM)


def clock_incidents(state: ClockState) -> list[Incident]:
    """What is open of the desk's clocks, whatever the market."""
    open_now = []
    if state.stepped_by is not None:
        sentence = gettext("The desk's time was set %(seconds)s s %(way)s within the last hour, by all its clocks.")
        open_now.append(_of_clock(sentence, state.stepped_by))
    for moved in state.moved:
        sentence = gettext("The clock of %(whose)s is %(seconds)s s %(way)s: the desk does not follow it.")
        open_now.append(_of_clock(sentence, moved.ahead, whose=moved.whose))
    return open_now


def standby_incidents(state: StandbyState | None) -> list[Incident]:
    """What is open of the standby that long reads go to, where there is one."""
    if state is None or state.trouble is None:
        return []
    sentence = {
        Trouble.AWAY: gettext("The standby does not answer: the primary answers long reads."),
        Trouble.LATE: gettext("The standby is behind: the primary answers long reads until it has caught up."),
        Trouble.FOREIGN: gettext(
            "The server that DATABASE_REPLICA_URL names is no standby of this primary, which answers long reads itself."
        ),
        Trouble.FAILED: gettext("The standby was given up within the last minute: the primary answered instead."),
        Trouble.UNKNOWN: gettext(
            "Whether the standby can be read is not known: the primary does not say how far it is."
        ),
    }[state.trouble]
    return [Incident(Level.NOTICE, "", sentence, "standby-not-used")]


def _of_clock(sentence: str, seconds: float, **more: str) -> Incident:
    way = pgettext("clock", "ahead") if seconds > 0 else pgettext("clock", "behind")
    values = {"seconds": f"{abs(seconds):.0f}", "way": way, **more}
    return Incident(Level.ALARM, "", sentence % values, "clock-moved")


def _exchange(facts: Facts) -> Iterator[Incident]:
    if not facts.feeds.exchange.connected:
        sentence = gettext("No listener is connected to the exchange: what it pushes now is lost.")
        yield Incident(Level.ALARM, facts.market, sentence, "feed-down")
    elif len(facts.listeners) == 1:
        sentence = gettext("Only one listener is connected: if it stops, trades are lost.")
        yield Incident(Level.NOTICE, facts.market, sentence, "feed-down")


def _rules(facts: Facts) -> Iterator[Incident]:
    for rule, count in facts.refusing_rules.items():
        sentence = gettext(
            "%(count)s confirmations of the last ten minutes were kept aside by the rule %(rule)s: their trades are "
            "missing here."
        )
        yield Incident(Level.ALARM, facts.market, sentence % {"count": count, "rule": rule}, "quarantine-growing")


def _listeners(facts: Facts) -> Iterator[Incident]:
    for listener in facts.listeners:
        name = {"listener": listener.listener, "count": listener.waiting}
        if listener.journal_failed:
            sentence = gettext("The journal's disk of %(listener)s fails: trades are stored, without a second copy.")
            yield Incident(Level.ALARM, facts.market, sentence % name, "disk-full")
        if listener.waiting >= MANY_WAITING:
            sentence = gettext("%(count)s frames of %(listener)s wait for PostgreSQL.")
            yield Incident(Level.ALARM, facts.market, sentence % name, "database-down")
        if listener.overflows:
            sentence = gettext("The memory of %(listener)s was full: compare with the exchange's file.")
            yield Incident(Level.ALARM, facts.market, sentence % name, "gap")


def _prices(facts: Facts) -> Iterator[Incident]:
    state = facts.feeds.prices.state
    if facts.refused:
        sentence = gettext("The provider refuses requests (429) for a while.")
        yield Incident(Level.ALARM, facts.market, sentence, "prices-late")
    if state == "down":
        yield Incident(Level.ALARM, facts.market, _why_no_prices(facts.feeds.prices.why), "prices-late")
    elif facts.feeds.prices.answers_without_a_price:
        sentence = gettext("The price provider answers, and has no price for any open period.")
        yield Incident(Level.NOTICE, facts.market, sentence, "prices-late")
    elif state == "late":
        yield Incident(Level.NOTICE, facts.market, gettext("The publication of prices is late."), "prices-late")


def _why_no_prices(why: StandstillReason) -> str:
    return {
        StandstillReason.UNUSABLE: gettext("The price provider's answers can't be used."),
        StandstillReason.FUTURE: gettext("The price provider's times are in the future: its clock or ours is wrong."),
        StandstillReason.REFUSED: gettext("The price provider refuses requests."),
        StandstillReason.UNASKED: gettext("Nobody asks the price provider: worker, beat or Redis is away."),
    }.get(why, gettext("The price provider does not answer."))


def _for_people(facts: Facts) -> Iterator[Incident]:
    if facts.corrected_finals:
        sentence = ngettext(
            "%(count)s final price was corrected within a day: the results of its period have changed.",
            "%(count)s final prices were corrected within a day: the results of their periods have changed.",
            facts.corrected_finals,
        )
        yield Incident(Level.NOTICE, facts.market, sentence % {"count": facts.corrected_finals}, "the-number-is-wrong")
    if facts.gaps:
        sentence = ngettext(
            "%(count)s gap of the exchange feed has to be compared with the exchange's file.",
            "%(count)s gaps of the exchange feed have to be compared with the exchange's file.",
            facts.gaps,
        )
        yield Incident(Level.NOTICE, facts.market, sentence % {"count": facts.gaps}, "gap")
    for kind, runbook in (("conflict", "conflict"), ("unusable", "quarantine-growing")):
        count = facts.quarantine.get(kind, 0)
        if count:
            sentence = {
                "conflict": ngettext(
                    "%(count)s conflict with a stored trade waits for a decision.",
                    "%(count)s conflicts with stored trades wait for a decision.",
                    count,
                ),
                "unusable": ngettext(
                    "%(count)s frame that could not be used waits for a decision.",
                    "%(count)s frames that could not be used wait for a decision.",
                    count,
                ),
            }[kind]
            yield Incident(Level.NOTICE, facts.market, sentence % {"count": count}, runbook)
