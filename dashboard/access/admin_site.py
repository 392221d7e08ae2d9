"""The admin, for whom dashboard/access/rights.py lets in. It has no log-in page of its own: one door, one lock."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from dashboard.access.rights import may_enter_admin


class DeskAdminSite(admin.AdminSite):
    site_header = site_title = "The desk · administration"
    index_title = "Times are UTC"

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter_admin(request.user)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """For those who may not enter there is no admin; who is not logged in is led to the log-in."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not self.has_permission(request):
                raise Http404
            return inner(request, *args, **kwargs)  # type: ignore[no-any-return]

        return update_wrapper(guarded, inner)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """To the desk's own log-in, which counts failures and asks for the second factor."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
        if not self.has_permission(request):
            raise Http404
        return HttpResponseRedirect(reverse("admin:index"))
