"""Users, and which login belongs to which trader. Rights to each page: dashboard/access/rights.py.

Operations look after users, but can't come to see a trade that way: roles are given by admins alone, and a password
is set only for users who see no trade facts.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from accounts import second_factor
from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.sessions import end_sessions
from dashboard.access.rights import may_decide_roles, may_set_password_of
from dashboard.assumptions.models import AssumptionPolicy
from dashboard.models import TraderLogin

admin.site.unregister(User)

_ROLE_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")
_NEVER_TYPED = ("last_login", "date_joined")


@admin.register(User)
class DeskUserAdmin(UserAdmin):
    """Django's page for users. Nobody is deleted, because the records name them: they are deactivated."""

    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")

    actions = ("end_their_sessions", "remove_second_factors")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="End all their sessions", permissions=["change"])
    def end_their_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            ended = end_sessions(user=user)
            record(action=Action.SESSIONS_ENDED, subject=f"user {user}", details={"sessions": ended})
        messages.success(request, "Their sessions are ended.")

    @admin.action(description="Remove their second factors (a lost device)", permissions=["change"])
    def remove_second_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For those whose password the user may set: else it would be half of a way in."""
        for user in queryset:
            if may_set_password_of(request.user, user):
                second_factor.remove(user=user, by=request.user.get_username())
            else:
                messages.error(request, f"Only an admin removes the second factor of {user}.")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An admin's login is changed by admins only."""
        is_out_of_reach = obj is not None and obj.is_superuser and not may_decide_roles(request.user)
        return super().has_change_permission(request, obj) and not is_out_of_reach

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """For operations: no roles at all, and of users who see trade facts only whether they are active."""
        if may_decide_roles(request.user):
            return _NEVER_TYPED
        if obj is None or may_set_password_of(request.user, obj):
            return (*_ROLE_FIELDS, *_NEVER_TYPED)
        return (*_ROLE_FIELDS, *_NEVER_TYPED, "username", "first_name", "last_name", "email", "password")

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        user = self.get_object(request, id)
        if user is None or not may_set_password_of(request.user, user):
            raise Http404
        return super().user_change_password(request, id, form_url)


@admin.register(TraderLogin)
class TraderLoginAdmin(admin.ModelAdmin):
    list_display = ("user", "trader")
    list_select_related = ("user", "trader")
    autocomplete_fields = ("trader",)


@admin.register(AssumptionPolicy)
class AssumptionPolicyAdmin(admin.ModelAdmin):
    """Who sees whose assumptions (dashboard/assumptions/visibility.py): one row, there from the beginning."""

    list_display = ("__str__", "shared", "blind")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
