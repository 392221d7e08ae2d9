"""/alerts/: what fired, the user's rules, where webhooks go; and the line that other pages show."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.access.rights import is_wall_screen, may_see_all, visible_traders
from dashboard.alerts.models import Alert, AlertRule, AlertTarget
from dashboard.alerts.rules import NEEDS_MINUTES, NEEDS_THRESHOLD, Kind
from dashboard.alerts.sentences import sentence
from dashboard.alerts.signals import announce
from dashboard.alerts.wishes import RuleError, acknowledge, add_rule, delete_rule, set_target, whole
from dashboard.pages.navigation import Here, links
from dashboard.pages.requests import refusal
from dashboard.pages.second_factor import signed_in_user
from dashboard.render import formatting as fmt
from market import clock
from market.queries import active_markets
from market.tables import unless_missing

SHOWN, A_WEEK = 200, timedelta(days=7)
SNOOZES = (15, 60, 240)
NAMES = {
    Kind.OPEN_MWH: pgettext_lazy("rule", "open MWh shortly before a gate closes"),
    Kind.RESULT_BELOW: pgettext_lazy("rule", "result of a day below"),
    Kind.RESULT_SWING: pgettext_lazy("rule", "result of a day swings by"),
    Kind.LOSS_LIMIT: pgettext_lazy("rule", "soft limit of losses, a warning at 80 %"),
    Kind.FEED_LATE: pgettext_lazy("rule", "no connection to the exchange"),
    Kind.PRICE_LATE: pgettext_lazy("rule", "reference prices late"),
    Kind.ASSUMPTION_BROKE: pgettext_lazy("rule", "an assumption broke"),
    Kind.GAP: pgettext_lazy("rule", "a gap of the feed opened"),
    Kind.FRAMES_ASIDE: pgettext_lazy("rule", "frames kept aside"),
}


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
            add_rule(user=user, words=request.POST.dict(), now=clock.now())
        except RuleError as error:
            return _show(request, status=400, error=str(error), asked=request.POST)
        return redirect("alerts")
    return _show(request)


def _show(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    user = signed_in_user(request)
    since = clock.now() - A_WEEK
    fired = Alert.objects.filter(user=user, muted=False, last_at__gte=since)[:SHOWN]
    rules = AlertRule.objects.filter(user=user).select_related("trader", "market")
    context = {
        "alerts": [_shown(alert) for alert in unless_missing(lambda: list(fired), list[Alert]())],
        "rules": [_rule(rule) for rule in unless_missing(lambda: list(rules), list[AlertRule]())],
        "kinds": [(k.value, NAMES[k], k in NEEDS_THRESHOLD, k in NEEDS_MINUTES) for k in Kind],
        "target": unless_missing(AlertTarget.objects.filter(user=user).first, None),
        "may_be_wide": may_see_all(user),
        "traders": visible_traders(user),
        "markets": active_markets(),
        "snoozes": SNOOZES,
        "has_mail": bool(settings.EMAIL_HOST and user.email),
        "nav": links(user, here=Here.ALERTS),
        **more,
    }
    return render(request, "dashboard/alerts.html", context, status=status)


def _shown(alert: Alert) -> dict[str, Any]:
    return {
        "pk": alert.pk,
        "level": alert.level,
        "sentence": sentence(alert.kind, alert.level, alert.facts),
        "count": alert.count,
        "started": fmt.utc(alert.started_at),
        "time": f"{alert.started_at:%Y-%m-%d %H:%M:%S}",
        "is_over": alert.ended_at is not None,
        "is_seen": alert.seen_at is not None,
    }


def _rule(rule: AlertRule) -> dict[str, Any]:
    figure = f"{fmt.plain(rule.threshold)}" if rule.threshold is not None else ""
    until = rule.snoozed_until
    snoozed = until if until is not None and until > clock.now() else None
    return {"rule": rule, "name": NAMES[Kind(rule.kind)], "figure": figure, "snoozed": snoozed}


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
        return _show(request, status=400, error=str(error), url=url)
    return _show(request, secret=secret) if url else redirect("alerts")


@require_safe
@never_cache
@login_required
def line(request: HttpRequest) -> HttpResponse:
    """GET /alerts/line/: what has not been seen yet, as a part of any page; empty when there is nothing."""
    fired = Alert.objects.filter(user=signed_in_user(request), muted=False, seen_at=None).select_related("rule")[:5]
    unseen = unless_missing(lambda: list(fired), list[Alert]())
    context = {
        "alerts": [_shown(alert) for alert in unseen],
        "newest": unseen[0].pk if unseen else 0,
        "sound": any(alert.rule is not None and alert.rule.sound for alert in unseen),
        "browser": any(alert.rule is not None and alert.rule.browser for alert in unseen),
    }
    return render(request, "dashboard/alerts_line.html", context)
