"""How the desk's feeds are doing, for those who look after it: one page, and the same as JSON (`?format=json`).

Desk heads, operations, auditors and admins see it; for everybody else it does not exist. Times are UTC, lengths
seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.access.rights import may_see_status
from dashboard.figures.desk_status import DeskStatus, MarketStatus, load_status
from dashboard.pages.navigation import Here, links
from dashboard.pages.requests import refusal
from dashboard.render import formatting as fmt
from dashboard.render.feed_status import standstill_words
from dashboard.render.runbooks.markdown import html_of
from market import clock
from market.queries import clock_zone
from market.rules import BLOCK
from market.statements.standby import StandbyState
from prices.feed import PriceFeedState

OUTCOME_WORDS = {
    "newer": pgettext_lazy("requests", "new price"),
    "unchanged": pgettext_lazy("requests", "already known"),
    "undefined": pgettext_lazy("requests", "no price yet"),
    "refused": pgettext_lazy("requests", "refused (429)"),
    "bad_answer": pgettext_lazy("requests", "not usable"),
    "failed": pgettext_lazy("requests", "no answer"),
    "pending": pgettext_lazy("requests", "under way"),
}
QUARANTINE_WORDS = {
    "unusable": pgettext_lazy("frames", "unusable"),
    "conflict": pgettext_lazy("frames", "in conflict with a trade"),
}
FEED_WORDS = {
    "ok": gettext_lazy("up to date"),
    "none": gettext_lazy("no price yet"),
}


RUNBOOKS = settings.BASE_DIR / "docs" / "runbooks"


@require_safe
@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """GET /status/: 404 without the right to it; anonymous people are led to the login, programs get 401."""
    as_json = request.GET.get("format") == "json"
    if as_json and not request.user.is_authenticated:
        return JsonResponse(
            {"error": gettext("Log in first: this address answers only with a session's cookie or a token.")},
            status=401,
        )
    return _json(request) if as_json else _page(request)


@login_required
def _page(request: HttpRequest) -> HttpResponse:
    if not may_see_status(request.user):
        return refusal(request, gettext("There is nothing at this address."))
    shown = load_status(now=clock.now())
    context: dict[str, Any] = {
        "now": fmt.utc(shown.now)[:19].replace("T", " "),
        "markets": _tables(shown),
        "budget": _budget(shown),
        "standby": _standby(shown.standby),
        "incidents": shown.incidents,
        "nav": links(request.user, here=Here.STATUS),
    }
    return render(request, "dashboard/status.html", context)


@require_safe
@never_cache
@login_required
def runbook(request: HttpRequest, name: str) -> HttpResponse:
    """GET /status/runbooks/<name>/: what to do, as it is written in docs/runbooks/; 404 as for the status."""
    file = RUNBOOKS / f"{name}.md"
    if not may_see_status(request.user) or name not in _runbooks():
        return refusal(request, gettext("There is nothing at this address."))
    title, _, text = file.read_text(encoding="utf-8").removeprefix("# ").partition("\n")
    html = mark_safe(html_of(text, _runbook_address))  # noqa: S308 - it escapes every text of the file
    context = {"title": title, "html": html, "nav": links(request.user, here=Here.STATUS)}
    return render(request, "dashboard/runbook.html", context)


def _runbooks() -> set[str]:
    return {path.stem for path in RUNBOOKS.glob("*.md")}


def _runbook_address(target: str) -> str | None:
    """Where a runbook's link to another leads; the other documents are no pages."""
    name = target.removesuffix(".md")
    return reverse("runbook", args=[name]) if name in _runbooks() else None


def _json(request: HttpRequest) -> JsonResponse:
    if not may_see_status(request.user):
        return JsonResponse({"error": gettext("There is nothing at this address.")}, status=404)
    return JsonResponse(status_json(load_status(now=clock.now())))


# --- as JSON ------------------------------------------------------------------------------------------------------
def status_json(desk: DeskStatus) -> dict[str, Any]:
    """The status as programs get it."""
    return {
        "as_of": fmt.utc(desk.now),
        "version": settings.VERSION,
        "incidents": [
            {"level": i.level, "market": i.market, "sentence": i.sentence, "runbook": i.runbook} for i in desk.incidents
        ],
        "budget": {
            "minute": {"used": desk.budget.minute_used, "limit": desk.budget.minute_limit},
            "hour": {"used": desk.budget.hour_used, "limit": desk.budget.hour_limit},
            "paused_until": _utc(desk.paused_until),
        },
        "standby": _standby_json(desk.standby),
        "markets": [_market_json(market) for market in desk.markets],
    }


def _standby_json(state: StandbyState | None) -> dict[str, Any] | None:
    """None where there is none; `trouble` says why it is not read, `behind_bytes` how much WAL it has to replay."""
    if state is None:
        return None
    why = {"trouble": state.trouble, "last_error": state.error}
    return {"used": state.trouble is None, **why, "behind_bytes": state.behind}


def _market_json(market: MarketStatus) -> dict[str, Any]:
    exchange, feed, hour, news = market.feeds.exchange, market.feeds.prices, market.last_hour, market.last_publication
    return {
        "market": market.market.code,
        "exchange": {
            "connected": exchange.connected,
            "since": _utc(exchange.since),
            "last_message_at": _utc(exchange.last_frame_at),
            "listeners": [
                {
                    "listener": listener.listener,
                    "journal_failed": listener.journal_failed,
                    "waiting": listener.waiting,
                    "overflows": listener.overflows,
                }
                for listener in market.listeners
            ],
            "open_gaps": market.open_gaps,
            "open_quarantine": market.quarantine,
        },
        "prices": {
            "state": feed.state,
            "last_success_at": _utc(feed.last_success_at),
            "next_publication_at": _utc(feed.next_publication_at),
            "last_publication_at": _utc(_moment(news.last_update)) if news else None,
            "last_publication_seen_at": _utc(_moment(news.seen_at)) if news else None,
            "chased_now": market.chased_now,
            "unanswered_products": list(market.feeds.unanswered_products),
            "last_hour": {
                "requests": hour.requests,
                "outcomes": hour.outcomes,
                "latency_seconds": {"p50": hour.latency_p50, "p95": hour.latency_p95, "most": hour.latency_most},
                "last_error": hour.last_error,
            },
        },
    }


def _utc(moment: datetime | None) -> str | None:
    return fmt.utc(moment) if moment else None


def _moment(posix: float) -> datetime:
    return datetime.fromtimestamp(posix, tz=UTC)


# --- as a page ----------------------------------------------------------------------------------------------------
def _budget(shown: DeskStatus) -> list[tuple[str, str]]:
    use = shown.budget
    lines = [
        (gettext("Left this minute"), _left(use.minute_used, use.minute_limit)),
        (gettext("Left this hour"), _left(use.hour_used, use.hour_limit)),
    ]
    return (
        [*lines, (gettext("Paused by the provider until"), _clock(shown.paused_until))] if shown.paused_until else lines
    )


def _standby(state: StandbyState | None) -> list[tuple[str, str]]:
    """Who answers long reads; nothing where there is no standby."""
    if state is None:
        return []
    answered = gettext("the standby") if state.trouble is None else gettext("the primary")
    lines = [(gettext("Long reads are answered by"), answered)]
    if state.behind is not None:
        lines.append(
            (gettext("Not replayed yet"), filesizeformat(state.behind) if state.behind else gettext("nothing"))
        )
    return [*lines, (gettext("Last error"), state.error)] if state.error else lines


def _left(used: int, limit: int) -> str:
    return gettext("%(left)s of %(limit)s") % {"left": fmt.count(max(0, limit - used)), "limit": fmt.count(limit)}


def _tables(desk: DeskStatus) -> list[dict[str, Any]]:
    """Each market's lines, with its own time of day beside UTC."""
    return [{"market": m.market, "lines": [*_exchange(m), *_prices(m, desk.now), *_last_hour(m)]} for m in desk.markets]


def _exchange(market: MarketStatus) -> list[tuple[str, str]]:
    exchange, zone = market.feeds.exchange, clock_zone(market.market)
    words = gettext("no answer since") if exchange.silent else gettext("not connected since")
    connected = gettext("connected since") if exchange.connected else words
    since = f"{connected} {_clock(exchange.since, zone)}" if exchange.since else gettext("never connected yet")
    listeners = ", ".join(f"{listener.listener} ({_waiting(listener.waiting)})" for listener in market.listeners)
    aside = ", ".join(f"{count} {QUARANTINE_WORDS[kind]}" for kind, count in market.quarantine.items() if count)
    return [
        (gettext("Exchange"), since),
        (gettext("Last message"), _clock(exchange.last_frame_at, zone)),
        (gettext("Listeners"), listeners or gettext("none connected")),
        (gettext("Open gaps"), fmt.count(market.open_gaps) if market.open_gaps else gettext("none")),
        (gettext("Frames kept aside"), aside or gettext("none")),
    ]


def _waiting(count: int) -> str:
    if not count:
        return gettext("nothing waits")
    return ngettext("%(count)s frame waits", "%(count)s frames wait", count) % {"count": count}


def _prices(market: MarketStatus, now: datetime) -> list[tuple[str, str]]:
    feed, news, zone = market.feeds.prices, market.last_publication, clock_zone(market.market)
    due = feed.next_publication_at
    chased = f", {gettext('being chased now')}" if market.chased_now else ""
    lines = [
        (gettext("Prices"), f"{_feed_words(feed)}{chased}"),
        (gettext("Last usable answer"), _clock(feed.last_success_at, zone)),
        (gettext("Next publication"), _due(due, now, zone) if due else fmt.UNDEFINED),
    ]
    if news:
        late = fmt.seconds(news.seen_at - news.last_update, 1)
        seen = {"time": _clock(_moment(news.last_update), zone), "seconds": late}
        lines.append((gettext("Last publication"), gettext("%(time)s, here %(seconds)s s later") % seen))
    without = gettext("the provider has none; asked four times an hour")
    names = {
        15: gettext("Prices of quarter hours"),
        30: gettext("Prices of half hours"),
        BLOCK: gettext("Prices of blocks"),
    }
    return [*lines, *((names[minutes], without) for minutes in market.feeds.unanswered_products if minutes in names)]


def _due(due: datetime, now: datetime, zone: ZoneInfo) -> str:
    if due > now:
        return _clock(due, zone)
    since = {"time": _clock(due, zone), "seconds": int((now - due) / timedelta(seconds=1))}
    return gettext("due since %(time)s (%(seconds)s s)") % since


def _last_hour(market: MarketStatus) -> list[tuple[str, str]]:
    hour = market.last_hour
    outcomes = ", ".join(f"{count} {OUTCOME_WORDS[name]}" for name, count in hour.outcomes.items() if count)
    requests = f"{hour.requests}: {outcomes}" if outcomes else pgettext("requests", "none")
    lines = [(gettext("Requests in the last hour"), requests)]
    if hour.latency_p50 is not None and hour.latency_p95 is not None and hour.latency_most is not None:
        p50, p95, most = (fmt.seconds(took, 2) for took in (hour.latency_p50, hour.latency_p95, hour.latency_most))
        took = gettext("median %(p50)s s, p95 %(p95)s s, longest %(most)s s") % {"p50": p50, "p95": p95, "most": most}
        lines.append((gettext("Answers took"), took))
    return [*lines, (gettext("Last error"), hour.last_error)] if hour.last_error else lines


def _clock(moment: datetime | None, zone: ZoneInfo | None = None) -> str:
    """UTC; with a zone that zone's day and time, and the time in UTC beside it."""
    if moment is None:
        return fmt.UNDEFINED
    utc = moment.astimezone(UTC)
    if zone is None:
        return f"{utc:%Y-%m-%d %H:%M:%S}"
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S} ({utc:%H:%M:%S} UTC)"


def _feed_words(feed: PriceFeedState) -> str:
    """How the price feed is doing; a provider that answers is not said to be silent."""
    if feed.answers_without_a_price:
        return gettext("answers, but has no price")
    return standstill_words(feed)[0] if feed.state in {"down", "late"} else str(FEED_WORDS[feed.state])
