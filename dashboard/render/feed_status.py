"""The states of the feeds in words, and what a lost one means for the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language, gettext, ngettext

from dashboard.figures.feed_status import MOST_GAPS, FeedStates, Gap
from dashboard.render import formatting as fmt
from dashboard.render.jinja import render_part
from prices.feed import PriceFeedState, StandstillReason

FEED_STATES = "feed-states"

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A feed's state in words. `level`: ok, late or lost. `shows`: how the page shows the moment on its own clock."""

    name: str
    level: str
    words: str
    moment: datetime | None = None
    shows: str = "seconds"
    """ "seconds": the time of day; "age": what has passed since; "countdown": the time, and what is left until it."""

    since: datetime | None = None
    """From when on it has been like this, where the words don't say it."""

    @property
    def utc(self) -> str:
        return fmt.utc(self.moment) if self.moment else ""

    @property
    def since_utc(self) -> str:
        return fmt.utc(self.since) if self.since else ""

    @property
    def since_text(self) -> str:
        return f"{fmt.clock_seconds(self.since, _UTC)} UTC" if self.since else ""

    @property
    def text(self) -> str:
        """The moment as long as no script shows it: the feeds' states know no time zone."""
        return f"{fmt.clock_seconds(self.moment, _UTC)} UTC" if self.moment else ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as a `<time>` element: for programs, for a page without its script, and how the script shows it."""

    utc: str
    text: str
    shows: str
    """ "seconds": the time of day; "day": the date before it, unless it is today."""


@dataclass(frozen=True, slots=True)
class GapLine:
    """The feed's open gaps in words: how many, the newest, and how many earlier ones there are."""

    count: str
    start: Moment
    end: Moment
    earlier: str


@dataclass(frozen=True, slots=True)
class Staleness:
    """Which figures a lost feed leaves standing still ("trades", "prices"), as of when, and why; empty: none."""

    figures: str = ""
    as_of: datetime | None = None
    why: str = ""


def render_feed_states(feeds: FeedStates) -> str:
    """The feeds in words, and for the page's script what stands still because of them."""
    return _feed_states(feeds, get_language() or settings.LANGUAGE_CODE)


@lru_cache(maxsize=64)
def _feed_states(feeds: FeedStates, _language: str) -> str:
    """Remembered per language: a change of the figures takes the feeds over as they were."""
    stale = staleness(feeds)
    context = {
        "exchange": _exchange(feeds),
        "gaps": _gaps(feeds.gaps),
        "prices": _prices(feeds),
        "stale": stale,
        "as_of": fmt.utc(stale.as_of) if stale.as_of else "",
    }
    return render_part("feed_states", context)


def staleness(feeds: FeedStates) -> Staleness:
    """What lost feeds mean for the figures. A price that is only late is not lost."""
    trades, prices = not feeds.exchange.connected, feeds.prices.state == "down"
    if trades and prices:
        moments = [moment for moment in (feeds.exchange.since, feeds.prices.last_success_at) if moment]
        return Staleness("trades prices", min(moments, default=None), gettext("exchange and prices are not connected"))
    if trades:
        silent = feeds.exchange.silent
        why = gettext("the exchange does not answer") if silent else gettext("the exchange is not connected")
        return Staleness("trades", feeds.exchange.since, why)
    if prices:
        return Staleness("prices", feeds.prices.last_success_at, _why_no_prices()[feeds.prices.why])
    return Staleness()


def _exchange(feeds: FeedStates) -> FeedLine:
    state = feeds.exchange
    if state.silent:
        return FeedLine(gettext("Exchange"), "lost", gettext("no answer since"), state.since)
    if not state.connected:
        words = gettext("not connected since") if state.since else gettext("never connected yet")
        return FeedLine(gettext("Exchange"), "lost", words, state.since)
    words = gettext("last message") if state.last_frame_at else gettext("connected, nothing heard yet")
    return FeedLine(gettext("Exchange"), "ok", words, state.last_frame_at, "age", state.since)


def _gaps(gaps: Sequence[Gap]) -> GapLine | None:
    """The exchange pushes nothing twice: what came in a gap has to be compared with its file."""
    if not gaps:
        return None
    newest, many = gaps[0], "" if len(gaps) < MOST_GAPS else "+"
    count, earlier = f"{len(gaps)}{many}", f"{len(gaps) - 1}{many}"
    long = newest.ended_at - newest.started_at >= timedelta(days=1)
    return GapLine(
        count=ngettext("%(count)s gap", "%(count)s gaps", len(gaps)) % {"count": count},
        start=_moment(newest.started_at, "day"),
        end=_moment(newest.ended_at, "day" if long else "seconds"),
        earlier=gettext("and %(count)s earlier") % {"count": earlier} if len(gaps) > 1 else "",
    )


def _moment(moment: datetime, shows: str) -> Moment:
    clock = f"{fmt.clock_seconds(moment, _UTC)} UTC"
    text = f"{fmt.short_day(moment.astimezone(UTC).date())} {clock}" if shows == "day" else clock
    return Moment(fmt.utc(moment), text, shows)


def _prices(feeds: FeedStates) -> FeedLine:
    state = feeds.prices
    if state.state == "ok":
        due = state.next_publication_at
        words = gettext("next at") if due else gettext("up to date")
        return FeedLine(gettext("Prices"), "ok", words, due, "countdown", state.since)
    if state.answers_without_a_price:
        return FeedLine(gettext("Prices"), "late", gettext("answers, but has no price"))
    if state.state == "none":
        return FeedLine(gettext("Prices"), "late", gettext("no price yet"))
    level = "late" if state.state == "late" else "lost"
    words, followed_by_since = standstill_words(state)
    return FeedLine(gettext("Prices"), level, followed_by_since if state.since else words, state.since)


def standstill_words(state: PriceFeedState) -> tuple[str, str]:
    """Why prices stand still, in a word or two; the same followed by since when."""
    if state.why is StandstillReason.USED_UP:
        return gettext("requests used up, late"), gettext("requests used up, late since")
    if state.state == "late":
        return gettext("late"), gettext("late since")
    return {
        StandstillReason.UNUSABLE: (gettext("answers can't be used"), gettext("answers can't be used since")),
        StandstillReason.FUTURE: (gettext("times in the future"), gettext("times in the future since")),
        StandstillReason.REFUSED: (gettext("refuses requests"), gettext("refuses requests since")),
        StandstillReason.UNASKED: (gettext("not asked"), gettext("not asked since")),
    }.get(state.why, (gettext("no answer"), gettext("no answer since")))


def _why_no_prices() -> dict[StandstillReason, str]:
    silent = gettext("the price provider does not answer")
    return {
        StandstillReason.UNUSABLE: gettext("the price provider's answers can't be used"),
        StandstillReason.FUTURE: gettext("the price provider's times are in the future"),
        StandstillReason.REFUSED: gettext("the price provider refuses requests"),
        StandstillReason.UNASKED: gettext("nobody asks the price provider"),
        StandstillReason.SILENT: silent,
        StandstillReason.UNKNOWN: silent,
        StandstillReason.USED_UP: silent,
    }
