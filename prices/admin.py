"""Reference prices, their history, corrections and the ledger of requests, to look at: nobody edits what was published.

And the one thing that may be done: to have final prices asked for again.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from accounts.audit.read_only_admin import ReadOnlyAdmin
from market import clock
from market.labels import parse_period
from market.periods import DeliveryPeriod, PeriodError
from prices.models import PriceCheck, PriceCorrection, ProviderRequest, ReferencePrice, ReferencePriceHistory

_SECONDS = "%Y-%m-%d %H:%M:%S"


class CheckForm(forms.ModelForm):
    """What to ask the provider for again: final prices of a day, or of one period, and why."""

    def clean(self) -> dict[str, Any]:
        """The period's start and end go with its label, which becomes the canonical one."""
        values = super().clean() or {}
        market, day, label = (values.get(name) for name in ("market", "delivery_day", "delivery_hour"))
        if market is None or day is None:
            return values
        if day > market.day_of(clock.now()):
            raise ValidationError({"delivery_day": "That day has no final price yet: it is asked for anyway."})
        if label:
            try:
                period = parse_period(day, label, market.calendar).period
            except PeriodError as error:
                raise ValidationError({"delivery_hour": str(error)}) from error
            self.instance.delivery_start, self.instance.delivery_end = period.start, period.end
            values["delivery_hour"] = market.label_of(period)
        return values


@admin.register(PriceCheck)
class PriceCheckAdmin(ReadOnlyAdmin):
    """The button: “ask again”. What was asked for stays; nothing of it is changed or deleted."""

    form = CheckForm
    fields = ("market", "delivery_day", "delivery_hour", "reason")
    list_display = ("asked", "asked_by", "market", "delivery_day", "delivery_hour", "answered", "reason")
    list_filter = ("market",)
    list_select_related = ("market",)
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("prices.add_pricecheck")

    def save_model(self, request: HttpRequest, obj: PriceCheck, form: Any, change: bool) -> None:
        obj.asked_by, obj.asked_at = request.user.get_username(), clock.now()
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: PriceCheck, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, "The provider is asked again as soon as the budget allows; see Price corrections.")
        return HttpResponseRedirect(reverse("admin:prices_pricecheck_changelist"))

    @admin.display(description="asked (UTC)", ordering="asked_at")
    def asked(self, row: PriceCheck) -> str:
        return row.asked_at.strftime(_SECONDS)

    @admin.display(description="answers since")
    def answered(self, row: PriceCheck) -> int:
        """How many of its periods were answered for since."""
        asked = ProviderRequest.objects.filter(market=row.market, sent_at__gte=row.asked_at, finished_at__isnull=False)
        if row.delivery_start and row.delivery_end:
            asked = asked.filter(delivery_start=row.delivery_start, delivery_end=row.delivery_end)
        else:
            first, last = row.market.day_bounds(row.delivery_day)
            asked = asked.filter(delivery_start__gte=first, delivery_start__lt=last)
        return asked.values("delivery_start", "delivery_end").distinct().count()


@admin.register(PriceCorrection)
class PriceCorrectionAdmin(ReadOnlyAdmin):
    list_display = ("delivery_day", "delivery_hour", "market", "before", "after", "arrived", "why")
    list_filter = ("market", "why", "delivery_day")
    list_select_related = ("market",)
    search_fields = ("delivery_day", "delivery_hour")
    ordering = ("-id",)

    @admin.display(description="before (per MWh)", ordering="old_value")
    def before(self, row: PriceCorrection) -> str:
        return f"{row.old_value.normalize():f}"

    @admin.display(description="after (per MWh)", ordering="value")
    def after(self, row: PriceCorrection) -> str:
        return f"{row.value.normalize():f}"

    @admin.display(description="arrived (UTC)", ordering="arrived_at")
    def arrived(self, row: PriceCorrection) -> str:
        return row.arrived_at.strftime(_SECONDS)


@admin.register(ReferencePrice)
class ReferencePriceAdmin(ReadOnlyAdmin):
    list_display = (
        "delivery_day",
        "delivery_hour",
        "market",
        "price",
        "updated",
        "arrived",
        "revision",
        "path",
        "again",
    )
    list_filter = ("market", "delivery_day")
    list_select_related = ("market",)
    search_fields = ("delivery_day", "delivery_hour")
    ordering = ("-delivery_day", "-delivery_start")

    @admin.display(description="ask again")
    def again(self, row: ReferencePrice) -> str:
        """A link to the form that asks the provider for it again."""
        values = {
            "market": str(row.market_id),
            "delivery_day": str(row.delivery_day),
            "delivery_hour": row.delivery_hour,
        }
        return format_html('<a href="{}?{}">ask again</a>', reverse("admin:prices_pricecheck_add"), urlencode(values))

    @admin.display(description="price (per MWh)", ordering="value")
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

    @admin.display(description="price (per MWh)", ordering="value")
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
    list_display = ("sent", "of_market", "period", "outcome", "took", "detail")
    list_filter = ("outcome", "market")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderRequest]:
        """One market for all of its rows, as each object reads its dated rules for itself."""
        return super().get_queryset(request).prefetch_related("market")

    @admin.display(description="market", ordering="market")
    def of_market(self, row: ProviderRequest) -> str:
        """By a name of its own: Django would join what it finds in a list by name, a market for each row."""
        return row.market.code

    @admin.display(description="sent (UTC)")
    def sent(self, row: ProviderRequest) -> str:
        return row.sent_at.strftime(_SECONDS)

    @admin.display(description="delivery period")
    def period(self, row: ProviderRequest) -> str:
        label = row.market.label_of(DeliveryPeriod(row.delivery_start, row.delivery_end))
        return f"{row.market.day_of(row.delivery_start)} {label}"

    @admin.display(description="took")
    def took(self, row: ProviderRequest) -> str:
        return f"{(row.finished_at - row.sent_at).total_seconds():.2f} s" if row.finished_at else "—"
