"""A rule as somebody wants it, from a form's words: checked, or one sentence and the field why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from accounts.audit.log import record
from accounts.audit.models import Action
from dashboard.access.rights import SEE_STATUS, board_trader, group_roles, may_see_all
from dashboard.alerts.models import Alert, AlertRule, AlertTarget
from dashboard.alerts.rules import NEEDS_MINUTES, NEEDS_THRESHOLD, POSITIVE, Kind
from dashboard.alerts.webhooks import RefusedAddressError, checked, public_address
from market.models import Market
from trades.models import Trader

MOST_RULES, LONGEST_SNOOZE = 50, 24 * 60
_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,4})?", re.ASCII)
FLAGS = ("desk_wide", "sound", "browser", "mail", "webhook")


class RuleError(ValueError):
    """What can't be a rule; the message is one sentence for people in their language."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


@transaction.atomic
def add_rule(*, user: User, words: Mapping[str, str], now: datetime) -> AlertRule:
    """A new rule of the user. Raises RuleError."""
    if words.get("kind") not in tuple(Kind):
        raise RuleError(gettext("There is no such kind of rule."), "kind")
    if AlertRule.objects.filter(user=user).count() >= MOST_RULES:
        raise RuleError(gettext("You have 50 rules: delete one first."), "kind")
    kind = Kind(words["kind"])
    if not may_have(user, kind):
        raise RuleError(gettext("Frames kept aside are told to those who look after the desk."), "kind")
    flags = {name: bool(words.get(name)) for name in FLAGS}
    if flags["desk_wide"] and not may_see_all(user):
        raise RuleError(gettext("Rules for the whole desk are the heads'."), "desk_wide")
    rule = AlertRule.objects.create(
        user=user,
        kind=kind.value,
        threshold=_threshold(kind, words),
        minutes=_minutes(kind, words),
        trader=_trader(user, words.get("trader", "")),
        market=_market(words.get("market", "")),
        created_at=now,
        **flags,
    )
    record(action=Action.RULE_CHANGED, subject=f"rule {rule}", details={"added": True, **_facts(rule)})
    return rule


def may_have(user: User, kind: Kind) -> bool:
    """Whether a rule of this kind would ever tell the user anything."""
    return kind is not Kind.FRAMES_ASIDE or bool(group_roles(user) & SEE_STATUS)


def _facts(rule: AlertRule) -> dict[str, object]:
    return {"threshold": rule.threshold, "minutes": rule.minutes, "desk_wide": rule.desk_wide}


def _threshold(kind: Kind, words: Mapping[str, str]) -> Decimal | None:
    if kind not in NEEDS_THRESHOLD:
        return None
    text = words.get("threshold", "").strip().replace(",", ".", 1).replace("\u2212", "-")
    if not _NUMBER.fullmatch(text):
        raise RuleError(gettext("The figure must be a number with at most four decimals."), "threshold")
    number = Decimal(text)
    if kind in POSITIVE and number <= 0:
        raise RuleError(gettext("The figure must be more than 0."), "threshold")
    return number


def _minutes(kind: Kind, words: Mapping[str, str]) -> int | None:
    if kind not in NEEDS_MINUTES:
        return None
    minutes = whole(words.get("minutes", ""))
    if minutes is None or not 1 <= minutes <= LONGEST_SNOOZE:
        raise RuleError(gettext("The minutes must be a whole number from 1 to 1440."), "minutes")
    return minutes


def whole(text: str) -> int | None:
    """A whole number of at most nine digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _trader(user: User, name: str) -> Trader | None:
    if not name:
        return None
    trader = board_trader(user, name)
    if trader is None:
        raise RuleError(
            gettext("There is no trader “%(trader)s” whose board you may see.") % {"trader": name}, "trader"
        )
    return trader


def _market(code: str) -> Market | None:
    if not code:
        return None
    market = None if "\0" in code else Market.objects.filter(code=code, is_active=True).first()
    if market is None:
        raise RuleError(gettext("There is no such market."), "market")
    return market


@transaction.atomic
def delete_rule(*, user: User, pk: int, now: datetime) -> bool:
    """It finds nothing any more, and what is open of it ends."""
    rule = AlertRule.objects.filter(user=user, pk=pk).first()
    if rule is None:
        return False
    Alert.objects.filter(rule=rule, ended_at=None).update(ended_at=now)
    record(action=Action.RULE_CHANGED, subject=f"rule {rule}", details={"deleted": True, **_facts(rule)})
    rule.delete()
    return True


@transaction.atomic
def acknowledge(*, user: User, pk: int, now: datetime) -> bool:
    """The user has seen it: it is on no page's line any more. False for one that is not there."""
    alert = Alert.objects.select_for_update().filter(user=user, pk=pk, muted=False).first()
    if alert is None:
        return False
    if alert.seen_at is None:
        alert.seen_at = now
        alert.save(update_fields=["seen_at"])
        record(action=Action.ALERT_SEEN, subject=f"alert {alert}")
    return True


def set_target(*, user: User, url: str, secret: str, private: bool) -> None:
    """Where the user's webhooks go; empty: nowhere. Raises RuleError."""
    if not url:
        AlertTarget.objects.filter(user=user).delete()
        return
    try:
        _, host, port, _ = checked(url[:500], private=private)
        public_address(host, port, private=private)
    except RefusedAddressError as error:
        raise RuleError(_said(str(error)), "url") from None
    except OSError:
        raise RuleError(gettext("This webhook's host can't be found."), "url") from None
    AlertTarget.objects.update_or_create(user=user, defaults={"url": url[:500], "secret": secret})
    record(action=Action.RULE_CHANGED, subject=f"webhook of {user}", details={"host": host})


def _said(sentence: str) -> str:
    return gettext("This webhook is refused: %(why)s.") % {"why": sentence}
