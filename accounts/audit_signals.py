"""Log-ins, and what changes about users, into the audit log. Passwords and their hashes never are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.http import HttpRequest, HttpResponse

from accounts.audit.context import Worker, working
from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.client_address import address_of
from accounts.login_throttle import LOCKED

NOBODY = "(nobody)"
SECRET = frozenset({"password"})
UNINTERESTING = frozenset({"last_login"})


class RecordedActor:
    """Middleware: whatever is recorded during a request is the request's user's doing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        worker = Worker(lambda: request.user.get_username() or NOBODY, lambda: address_of(request))
        with working(worker):
            return self.get_response(request)


# --- log-ins --------------------------------------------------------------------------------------------------------
def connect_signals() -> None:
    """Called once, when Django has started."""
    user_logged_in.connect(_on_logged_in, dispatch_uid="accounts.audit_signals.in")
    user_logged_out.connect(_on_logged_out, dispatch_uid="accounts.audit_signals.out")
    user_login_failed.connect(_on_failed, dispatch_uid="accounts.audit_signals.failed")
    m2m_changed.connect(_on_groups_changed, sender=User.groups.through, dispatch_uid="accounts.audit_signals.groups")
    watch(User, Group)


def _on_logged_in(user: User, request: HttpRequest | None, **_kwargs: Any) -> None:
    record(action=Action.LOGGED_IN, actor=user.get_username(), address=address_of(request))


def _on_logged_out(user: User | None, request: HttpRequest | None, **_kwargs: Any) -> None:
    if user is not None:
        record(action=Action.LOGGED_OUT, actor=user.get_username(), address=address_of(request))


def _on_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """A name that nobody has is not kept: people type passwords into the wrong field. Locked out, nothing is added."""
    if getattr(request, LOCKED, False):
        return
    name = str(credentials.get("username") or "")
    known = "\0" not in name and User.objects.filter(username=name).exists()
    record(action=Action.LOG_IN_FAILED, actor=name if known else "(unknown name)", address=address_of(request))


# --- what changes -----------------------------------------------------------------------------------------------------
def watch(*models: type[Model]) -> None:
    """Record every change of these models' rows that goes through Django's objects: which fields, from what to what."""
    for model in models:
        name = model._meta.label
        pre_save.connect(_before_save, sender=model, dispatch_uid=f"accounts.audit_signals.before.{name}")
        post_save.connect(_after_save, sender=model, dispatch_uid=f"accounts.audit_signals.saved.{name}")
        post_delete.connect(_after_delete, sender=model, dispatch_uid=f"accounts.audit_signals.deleted.{name}")


def _before_save(instance: Model, update_fields: Any = None, raw: bool = False, **_kwargs: Any) -> None:
    is_news = not raw and not (update_fields and set(update_fields) <= UNINTERESTING)
    before = type(instance)._default_manager.filter(pk=instance.pk).first() if is_news and instance.pk else None
    instance._before = _facts(before) if before else None  # type: ignore[attr-defined]  # until the save is done
    instance._is_news = is_news  # type: ignore[attr-defined]


def _facts(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _after_save(instance: Model, created: bool, **_kwargs: Any) -> None:
    if not getattr(instance, "_is_news", False):
        return
    before: dict[str, Any] = getattr(instance, "_before", None) or {}
    changed = {name: (before.get(name), now) for name, now in _facts(instance).items() if before.get(name) != now}
    details = {name: "(secret)" if name in SECRET else list(values) for name, values in changed.items()}
    details = {name: values for name, values in details.items() if name not in UNINTERESTING}
    if details or created:
        record(action=_action(instance, created=created), subject=_subject(instance), details=details)


def _after_delete(instance: Model, **_kwargs: Any) -> None:
    record(action=_action(instance), subject=_subject(instance), details={"deleted": True})


def _action(instance: Model, *, created: bool = False) -> Action:
    if not isinstance(instance, User):
        return Action.ADMIN_CHANGED
    return Action.USER_ADDED if created else Action.USER_CHANGED


def _subject(instance: Model) -> str:
    return f"{instance._meta.verbose_name} {instance}"


def _on_groups_changed(
    instance: Any, action: str, pk_set: set[int] | None, reverse: bool = False, **_kwargs: Any
) -> None:
    if action not in {"post_add", "post_remove", "pre_clear"} or (pk_set is not None and not pk_set):
        return
    if reverse:
        others = User.objects.filter(pk__in=pk_set) if pk_set is not None else instance.user_set.all()
        names, subject = [str(user) for user in others], f"members of {instance}"
    else:
        groups = Group.objects.filter(pk__in=pk_set) if pk_set is not None else instance.groups.all()
        names, subject = [group.name for group in groups], _subject(instance)
    record(action=Action.USER_CHANGED, subject=subject, details={action.partition("_")[2]: sorted(names)})
