"""Reference prices, their history and the ledger of requests, to look at: nobody edits what was published or asked."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from accounts.audit.read_only_admin import ReadOnlyAdmin
from market.labels import label_of
from market.periods import DeliveryPeriod, day_of
from prices.models import ProviderRequest, ReferencePrice, ReferencePriceHistory

_SECONDS = "%Y-%m-%d %H:%M:%S"


@admin.register(ReferencePrice)
class ReferencePriceAdmin(ReadOnlyAdmin):
    list_display = ("delivery_day", "delivery_hour", "market", "price", "updated", "arrived", "revision", "path")
    list_filter = ("market", "delivery_day")
    list_select_related = ("market",)
    search_fields = ("delivery_day", "delivery_hour")
    ordering = ("-delivery_day", "-delivery_start")

    @admin.display(description="EUR/MWh", ordering="value")
    def price(self, row: ReferencePrice) -> str:
        return f"{row.value.normalize():f}"

    @admin.display(description="last update (UTC)", ordering="last_update")
    def updated(self, row: ReferencePrice) -> str:
        return row.last_update.strftime(_SECONDS)

    @admin.display(description="arrived (UTC)", ordering="arrived_at")
    def arrived(self, row: ReferencePrice) -> str:
        return row.arrived_at.strftime(_SECONDS)

    @admin.display(description="history")
    def path(self, row: ReferencePrice) -> str:
        """A link to every value that this period ever had."""
        query = {
            "market__id__exact": str(row.market_id),
            "delivery_start__exact": row.delivery_start.isoformat(),
            "delivery_end__exact": row.delivery_end.isoformat(),
        }
        return format_html(
            '<a href="{}?{}">{} values</a>',
            reverse("admin:prices_referencepricehistory_changelist"),
            urlencode(query),
            row.revision,
        )


@admin.register(ReferencePriceHistory)
class ReferencePriceHistoryAdmin(ReadOnlyAdmin):
    list_display = ("delivery_day", "delivery_hour", "market", "price", "updated", "delay")
    list_filter = ("market", "delivery_day")
    list_select_related = ("market",)
    search_fields = ("delivery_day", "delivery_hour")
    ordering = ("-id",)  # as they arrived; the primary key's index pages through any number of them

    @admin.display(description="EUR/MWh", ordering="value")
    def price(self, row: ReferencePriceHistory) -> str:
        return f"{row.value.normalize():f}"

    @admin.display(description="last update (UTC)", ordering="last_update")
    def updated(self, row: ReferencePriceHistory) -> str:
        return row.last_update.strftime(_SECONDS)

    @admin.display(description="here after")
    def delay(self, row: ReferencePriceHistory) -> str:
        return f"{(row.arrived_at - row.last_update).total_seconds():.1f} s"


@admin.register(ProviderRequest)
class ProviderRequestAdmin(ReadOnlyAdmin):
    list_display = ("sent", "market", "period", "outcome", "took", "detail")
    list_filter = ("outcome", "market")
    list_select_related = ("market",)
    ordering = ("-id",)

    @admin.display(description="sent (UTC)")
    def sent(self, row: ProviderRequest) -> str:
        return row.sent_at.strftime(_SECONDS)

    @admin.display(description="delivery period")
    def period(self, row: ProviderRequest) -> str:
        zone = row.market.zone
        label = label_of(DeliveryPeriod(row.delivery_start, row.delivery_end), zone)
        return f"{day_of(row.delivery_start, zone)} {label}"

    @admin.display(description="took")
    def took(self, row: ProviderRequest) -> str:
        return f"{(row.finished_at - row.sent_at).total_seconds():.2f} s" if row.finished_at else "—"
