"""How the desk's feeds are doing, for those who look after it: one page, and the same as JSON (`?format=json`).

Desk heads, operations, auditors and admins see it; for everybody else it does not exist. Times are UTC, lengths
seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard import formatting as fmt
from dashboard.access import may_see_status
from dashboard.feeds import FeedStates, load_feeds
from dashboard.pages import refusal
from market.models import Market
from market.queries import active_markets
from prices import queries as prices

OUTCOME_WORDS = {
    "newer": "new price",
    "unchanged": "already known",
    "undefined": "no price yet",
    "refused": "refused (429)",
    "bad_answer": "not usable",
    "failed": "no answer",
    "pending": "under way",
}


@dataclass(frozen=True, slots=True)
class MarketStatus:
    """One market's feeds: `last_publication` as the provider stamped it and when it was here first."""

    market: Market
    feeds: FeedStates
    last_publication: prices.Publication | None
    last_hour: prices.LastHour
    chased_now: bool


@dataclass(frozen=True, slots=True)
class DeskStatus:
    """All markets, and the budget that they share, at `now` (UTC)."""

    now: datetime
    markets: tuple[MarketStatus, ...]
    budget: prices.BudgetUse
    paused_until: datetime | None


def load_status(*, now: datetime) -> DeskStatus:
    """The desk as it stands in the database: some ten bounded queries a market."""
    markets = active_markets()
    chased = prices.chased_now(market_ids=[market.pk for market in markets])
    return DeskStatus(
        now=now,
        markets=tuple(_market_status(market, now, market.pk in chased) for market in markets),
        budget=prices.budget_use(now=now),
        paused_until=prices.paused_until(now=now),
    )


def _market_status(market: Market, now: datetime, chased: bool) -> MarketStatus:
    return MarketStatus(
        market=market,
        feeds=load_feeds(market=market, now=now),
        last_publication=prices.last_publication(market_id=market.pk),
        last_hour=prices.last_hour(market_id=market.pk, now=now),
        chased_now=chased,
    )


@require_safe
@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """GET /status/: 404 without the right to it; anonymous people are led to the login, programs get 401."""
    as_json = request.GET.get("format") == "json"
    if as_json and not request.user.is_authenticated:
        return JsonResponse({"error": "Log in first: this address answers only with a session's cookie."}, status=401)
    return _json(request) if as_json else _page(request)


@login_required
def _page(request: HttpRequest) -> HttpResponse:
    if not may_see_status(request.user):
        return refusal(request, "There is nothing at this address.")
    shown = load_status(now=timezone.now())
    context = {"now": fmt.utc(shown.now)[:19].replace("T", " "), "markets": _tables(shown), "budget": _budget(shown)}
    return render(request, "dashboard/status.html", context)


def _json(request: HttpRequest) -> JsonResponse:
    if not may_see_status(request.user):
        return JsonResponse({"error": "There is nothing at this address."}, status=404)
    return JsonResponse(status_json(load_status(now=timezone.now())))


# --- as JSON ------------------------------------------------------------------------------------------------------
def status_json(of: DeskStatus) -> dict[str, Any]:
    """The status as programs get it."""
    return {
        "as_of": fmt.utc(of.now),
        "version": settings.VERSION,
        "budget": {
            "minute": {"used": of.budget.minute_used, "limit": of.budget.minute_limit},
            "hour": {"used": of.budget.hour_used, "limit": of.budget.hour_limit},
            "paused_until": _utc(of.paused_until),
        },
        "markets": [_market_json(market) for market in of.markets],
    }


def _market_json(of: MarketStatus) -> dict[str, Any]:
    exchange, feed, hour, news = of.feeds.exchange, of.feeds.prices, of.last_hour, of.last_publication
    return {
        "market": of.market.code,
        "exchange": {
            "connected": exchange.connected,
            "since": _utc(exchange.since),
            "last_message_at": _utc(exchange.last_frame_at),
        },
        "prices": {
            "state": feed.state,
            "last_success_at": _utc(feed.last_success_at),
            "next_publication_at": _utc(feed.next_publication_at),
            "last_publication_at": _utc(_moment(news.last_update)) if news else None,
            "last_publication_seen_at": _utc(_moment(news.seen_at)) if news else None,
            "chased_now": of.chased_now,
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
def _budget(of: DeskStatus) -> list[tuple[str, str]]:
    use = of.budget
    lines = [
        ("Left this minute", f"{max(0, use.minute_limit - use.minute_used)} of {use.minute_limit}"),
        ("Left this hour", f"{max(0, use.hour_limit - use.hour_used)} of {use.hour_limit}"),
    ]
    return [*lines, ("Paused by the provider until", _clock(of.paused_until))] if of.paused_until else lines


def _tables(of: DeskStatus) -> list[dict[str, Any]]:
    return [{"market": m.market, "lines": [*_exchange(m), *_prices(m, of.now), *_last_hour(m)]} for m in of.markets]


def _exchange(of: MarketStatus) -> list[tuple[str, str]]:
    exchange = of.feeds.exchange
    connected = "connected since" if exchange.connected else "not connected since"
    return [
        ("Exchange", f"{connected} {_clock(exchange.since)}" if exchange.since else "never connected yet"),
        ("Last message", _clock(exchange.last_frame_at)),
    ]


def _prices(of: MarketStatus, now: datetime) -> list[tuple[str, str]]:
    feed, news = of.feeds.prices, of.last_publication
    states = {"ok": "up to date", "late": "late", "down": "no answer", "none": "no price yet"}
    due = feed.next_publication_at
    lines = [
        ("Prices", states[feed.state] + (", being chased now" if of.chased_now else "")),
        ("Last usable answer", _clock(feed.last_success_at)),
        ("Next publication", _due(due, now) if due else fmt.UNDEFINED),
    ]
    if news:
        seen = f"{_clock(_moment(news.last_update))}, here {news.seen_at - news.last_update:.1f} s later"
        lines.append(("Last publication", seen))
    return lines


def _due(due: datetime, now: datetime) -> str:
    return _clock(due) if due > now else f"due since {_clock(due)} ({int((now - due) / timedelta(seconds=1))} s)"


def _last_hour(of: MarketStatus) -> list[tuple[str, str]]:
    hour = of.last_hour
    outcomes = ", ".join(f"{count} {OUTCOME_WORDS[name]}" for name, count in hour.outcomes.items() if count)
    lines = [("Requests in the last hour", f"{hour.requests}: {outcomes}" if outcomes else "none")]
    if hour.latency_p50 is not None and hour.latency_p95 is not None and hour.latency_most is not None:
        took = f"median {hour.latency_p50:.2f} s, p95 {hour.latency_p95:.2f} s, longest {hour.latency_most:.2f} s"
        lines.append(("Answers took", took))
    return [*lines, ("Last error", hour.last_error)] if hour.last_error else lines


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else fmt.UNDEFINED
