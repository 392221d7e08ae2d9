from django.contrib import admin

from market.models import Market


@admin.register(Market)
class MarketAdmin(admin.ModelAdmin):
    list_display = ("code", "name", "time_zone", "currency", "gate_closure_minutes", "is_active")
