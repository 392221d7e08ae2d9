"""The audit log to look at, for auditors and admins."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.audit.models import Entry


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    list_display = ("number", "at_utc", "actor", "action", "subject", "address")
    list_filter = ("action",)
    search_fields = ("actor__exact",)
    search_help_text = "A username, whole"
    ordering = ("-number",)
    show_full_result_count = False
    list_per_page = 100
    actions = None

    @admin.display(description="at (UTC)", ordering="number")
    def at_utc(self, entry: Entry) -> str:
        return f"{entry.at:%Y-%m-%d %H:%M:%S}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
