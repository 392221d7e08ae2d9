"""Which login belongs to which trader, for admins."""

from __future__ import annotations

from django.contrib import admin

from dashboard.models import TraderLogin


@admin.register(TraderLogin)
class TraderLoginAdmin(admin.ModelAdmin):
    list_display = ("user", "trader")
    list_select_related = ("user", "trader")
    autocomplete_fields = ("trader",)
