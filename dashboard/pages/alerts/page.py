"""/alerts/: what fired, the user's rules, where webhooks go; and the line that other pages show."""

from __future__ import annotations

import secrets
from datetime import timedelta
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.access.rights import is_wall_screen, may_see_all, visible_traders
from dashboard.alerts.models import Alert, AlertRule, AlertTarget
from dashboard.alerts.sentences import sentence
from dashboard.alerts.signals import announce
from dashboard.alerts.wishes import RuleError, acknowledge, add_rule, delete_rule, set_target, whole
from dashboard.pages.alerts.form import choices, rule_parts, words_of
from dashboard.pages.navigation import Here, links
from dashboard.pages.requests import refusal
from dashboard.pages.second_factor import signed_in_user
from dashboard.render import formatting as fmt
from market import clock
from market.models import Market
from market.queries import active_markets, clock_zone
from market.tables import unless_missing

SHOWN, A_WEEK = 200, timedelta(days=7)
SNOOZES = ((15, "15 min"), (60, "1 h"), (240, "4 h"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """GET shows alerts and rules; POST adds a rule: 400 with a sentence for one that can't be."""
    user = signed_in_user(request)
    if is_wall_screen(user):
        return refusal(request, gettext("There is nothing at this address."))
    if request.method == "POST":
        try:
            add_rule(user=user, words=words_of(request.POST), now=clock.now())
        except RuleError as error:
            return _show(request, status=400, error=str(error), wrong=error.field, asked=request.POST)
        return redirect("alerts")
    return _show(request)


def _show(request: HttpRequest, *, status: int = 200, asked: QueryDict | None = None, **more: Any) -> HttpResponse:
    user = signed_in_user(request)
    since, markets = clock.now() - A_WEEK, active_markets()
    fired = Alert.objects.filter(user=user, muted=False, last_at__gte=since)[:SHOWN]
    rules = AlertRule.objects.filter(user=user).select_related("trader", "market")
    zone, newest_first = _zone(markets), attrgetter("started_at")
    context = {
        "alerts": [
            _shown(alert, zone)
            for alert in sorted(unless_missing(lambda: list(fired), list[Alert]()), key=newest_first, reverse=True)
        ],
        "rules": [_rule(rule, markets, zone) for rule in unless_missing(lambda: list(rules), list[AlertRule]())],
        "groups": choices(user, asked, markets),
        "asked": asked or {},
        "zone": zone.key,
        "target": unless_missing(AlertTarget.objects.filter(user=user).first, None),
        "may_be_wide": may_see_all(user),
        "traders": visible_traders(user),
        "markets": markets,
        "snoozes": SNOOZES,
        "has_mail": bool(settings.EMAIL_HOST and user.email),
        "nav": links(user, here=Here.ALERTS),
        **more,
    }
    return render(request, "dashboard/alerts/page.html", context, status=status)


def _zone(markets: list[Market]) -> ZoneInfo:
    """What the users' clocks say, where all markets' say the same."""
    zones = {clock_zone(market) for market in markets}
    return zones.pop() if len(zones) == 1 else ZoneInfo("UTC")


def _shown(alert: Alert, zone: ZoneInfo) -> dict[str, Any]:
    local = alert.started_at.astimezone(zone)
    return {
        "pk": alert.pk,
        "level": alert.level,
        "sentence": sentence(alert.kind, alert.level, alert.facts),
        "count": alert.count,
        "started": fmt.utc(alert.started_at),
        "day": f"{local:%Y-%m-%d}",
        "time": f"{local:%H:%M:%S}",
        "is_over": alert.ended_at is not None,
        "is_seen": alert.seen_at is not None,
        "sound": alert.rule is not None and alert.rule.sound,
        "browser": alert.rule is not None and alert.rule.browser,
    }


def _rule(rule: AlertRule, markets: list[Market], zone: ZoneInfo) -> dict[str, Any]:
    until = rule.snoozed_until
    snoozed = f"{until.astimezone(zone):%H:%M}" if until is not None and until > clock.now() else ""
    return {"rule": rule, "parts": rule_parts(rule, markets), "snoozed": snoozed}


@require_POST
@login_required
def change(request: HttpRequest) -> HttpResponse:
    """One of: seen=<alert>, delete=<rule>, snooze=<rule> with minutes, url=<webhook>."""
    user, now, post = signed_in_user(request), clock.now(), request.POST
    if (number := whole(post.get("seen", ""))) is not None:
        acknowledge(user=user, pk=number, now=now)
        announce(user.pk)
    elif (number := whole(post.get("delete", ""))) is not None:
        delete_rule(user=user, pk=number, now=now)
    elif (number := whole(post.get("snooze", ""))) is not None:
        minutes = min(whole(post.get("minutes", "")) or 0, 24 * 60)
        AlertRule.objects.filter(user=user, pk=number).update(snoozed_until=now + timedelta(minutes=minutes))
    elif "url" in post:
        return _webhook(request, post["url"].strip())
    return redirect("alerts")


def _webhook(request: HttpRequest, url: str) -> HttpResponse:
    """A new address has a new secret, shown this once."""
    secret = secrets.token_urlsafe(32)
    try:
        set_target(user=signed_in_user(request), url=url, secret=secret, private=settings.ALERT_PRIVATE_WEBHOOKS)
    except RuleError as error:
        return _show(request, status=400, error=str(error), wrong=error.field, url=url)
    return _show(request, secret=secret) if url else redirect("alerts")


@require_safe
@never_cache
@login_required
def line(request: HttpRequest) -> HttpResponse:
    """GET /alerts/line/: what has not been seen yet, as a part of any page; empty when there is nothing."""
    fired = Alert.objects.filter(user=signed_in_user(request), muted=False, seen_at=None).select_related("rule")[:5]
    unseen, zone = unless_missing(lambda: list(fired), list[Alert]()), _zone(active_markets())
    return render(request, "dashboard/alerts/line.html", {"alerts": [_shown(alert, zone) for alert in unseen]})
