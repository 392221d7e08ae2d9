"""Trades, positions and what was kept aside, for admins: facts can be read here, never changed.

What people may decide about them (trades/judgements.py) are forms beside the facts: for those with the permission,
by POST, each with an address of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.audit.read_only_admin import ReadOnlyAdmin
from trades.confirmations import TradeConfirmation, parse_frame
from trades.explaining import facts_now, readable, source_words
from trades.forms import (
    AcceptForm,
    CancelForm,
    CloseGapForm,
    CorrectForm,
    DecisionForm,
    DismissForm,
    RetryForm,
)
from trades.judgements import JudgementError
from trades.models import (
    FeedConnection,
    FeedGap,
    JournalProgress,
    Position,
    QuarantinedMessage,
    Trade,
    TradeChange,
    TradeFlag,
    Trader,
)

LONGEST_SHOWN_FRAME = 4000
UNDEFINED = "—"


def moment(name: str) -> Callable[[Any, Any], str]:
    """For an admin's `<name>_utc`: the row's moment called `name`, to the second, in UTC."""

    @admin.display(description=f"{name.removesuffix('_at').replace('_', ' ')} (UTC)", ordering=name)
    def shown(_admin: Any, row: Any) -> str:
        value: datetime | None = getattr(row, name)
        return f"{value:%Y-%m-%d %H:%M:%S}" if value else UNDEFINED

    return shown


class StyledAdmin(ReadOnlyAdmin):
    """Rows that are only read, with the little style of its own that pages of trades need."""

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("css/decisions.css",)}


class DecidingAdmin(StyledAdmin):
    """Rows that are only read, with decisions that people with `decision_permission` may take about them."""

    change_form_template = "admin/trades/decisions.html"
    decision_permission: ClassVar[str]
    decision_forms: ClassVar[tuple[type[DecisionForm], ...]]

    def decisions(self, row: Any) -> Sequence[DecisionForm]:
        """The forms that fit the row as it is now."""
        raise NotImplementedError

    def has_decision_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.decision_permission)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may decide may look."""
        return super().has_view_permission(request, obj) or self.has_decision_permission(request)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_decide"
        view = self.admin_site.admin_view(self.decide_view)
        return [path("<path:object_id>/decide/<slug:decision>/", view, name=name), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        extra = {"decisions": self._offered(request, row), **self.facts_beside(request, row)} if row else {}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def decisions_for(self, request: HttpRequest, row: Any) -> Sequence[DecisionForm]:
        """Those of them that this user may take."""
        return self.decisions(row) if self.has_decision_permission(request) else ()

    def may_take(self, request: HttpRequest, row: Any, decision: str) -> bool:
        """Whether this decision about this row is the user's to take, whatever its state."""
        return True

    def facts_beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What else the page shows of the row to this user."""
        return {}

    def _offered(self, request: HttpRequest, row: Any) -> list[tuple[DecisionForm, str]]:
        return [(form, self._address("decide", row, form.name)) for form in self.decisions_for(request, row)]

    def _address(self, view: str, row: Any, *more: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{view}", args=[row.pk, *more])

    def decide_view(self, request: HttpRequest, object_id: str, decision: str) -> HttpResponse:
        """Carry a decision out, or show its form again with what is wrong. Looking at the address decides nothing."""
        if not self.has_decision_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        form_class = next((form for form in self.decision_forms if form.name == decision), None)
        if row is None or form_class is None or not self.may_take(request, row, decision):
            raise Http404
        if request.method == "POST":
            form = form_class(request.POST, prefix=decision)
            if not (form.is_valid() and self._carry_out(request, row, form)):
                return self._again(request, row, form)
        return HttpResponseRedirect(self._address("change", row))

    def _carry_out(self, request: HttpRequest, row: Any, form: DecisionForm) -> bool:
        assert isinstance(request.user, User)
        try:
            with transaction.atomic():
                done = form.carry_out(row, request.user, datetime.now(UTC))
                self.log_change(request, row, done)
        except JudgementError as error:
            sentence = str(error)
            messages.error(request, f"{sentence[:1].upper()}{sentence[1:]}.")
            return False
        messages.success(request, done)
        return True

    def _again(self, request: HttpRequest, row: Any, form: DecisionForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": form.label,
            "subtitle": str(row),
            "original": row,
            "decision": form,
            "address": self._address("decide", row, form.name),
            "back": self._address("change", row),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/trades/decision_again.html", context, status=422)


@admin.register(Trader)
class TraderAdmin(admin.ModelAdmin):
    list_display = ("trader_id", "name", "is_bot", "is_known", "first_seen_at")
    list_filter = ("is_bot", "is_known")
    search_fields = ("trader_id", "name")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("trader_id",) if obj else ()


@admin.register(Trade)
class TradeAdmin(DecidingAdmin):
    execution_time_utc = moment("execution_time")
    delivery_start_utc = moment("delivery_start")
    delivery_end_utc = moment("delivery_end")
    received_at_utc = moment("received_at")
    stored_at_utc = moment("stored_at")
    decision_permission = "trades.judge_trade"
    decision_forms = (CancelForm, CorrectForm)
    list_display = (
        "exchange_id",
        "trader",
        "direction",
        "price",
        "quantity",
        "delivery_day",
        "delivery_hour",
        "execution_time_utc",
        "state",
        "flags",
    )
    list_filter = ("direction", "trader", "delivery_day")
    list_select_related = ("trader", "market")
    search_fields = ("exchange_id__exact",)
    search_help_text = "The exchange's id, whole"
    fields = (
        "market",
        "exchange_id",
        "trader",
        "direction",
        "price",
        "quantity",
        "delivery_day",
        "delivery_hour",
        "delivery_start_utc",
        "delivery_end_utc",
        "execution_time_utc",
        "received_at_utc",
        "stored_at_utc",
        "flags_in_words",
        "origin",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the kind of the newest change, in the same query."""
        newest = TradeChange.objects.filter(trade=OuterRef("pk")).order_by("-id").values("kind")[:1]
        trades: QuerySet[Any] = super().get_queryset(request).annotate(newest_change=Subquery(newest))
        return trades

    @admin.display(description="changed", empty_value="")
    def state(self, trade: Trade) -> str | None:
        return getattr(trade, "newest_change", None)

    @admin.display(description="flags")
    def flags_in_words(self, trade: Trade) -> str:
        labels = dict(TradeFlag.choices)
        return ", ".join(str(labels.get(flag, flag)) for flag in trade.flags) or "none"

    @admin.display(description="source")
    def origin(self, trade: Trade) -> str:
        return source_words(trade.source, trade.source_position)

    def decisions(self, row: Trade) -> Sequence[DecisionForm]:
        facts = facts_now(row)
        if facts is None:
            return ()
        return (
            CorrectForm(prefix=CorrectForm.name, initial=CorrectForm.prefilled(facts)),
            CancelForm(prefix=CancelForm.name),
        )

    def facts_beside(self, request: HttpRequest, row: Trade) -> dict[str, Any]:
        return {
            "has_changes": True,
            "changes": [
                (change, _in_words(change) if change.trader else "nothing: it counts nowhere")
                for change in row.changes.select_related("trader", "made_by").order_by("id")
            ],
        }


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    updated_at_utc = moment("updated_at")
    list_display = (
        "trader",
        "delivery_day",
        "delivery_hour",
        "direction",
        "trade_count",
        "quantity",
        "energy",
        "turnover",
        "updated_at_utc",
    )
    list_filter = ("direction", "trader", "delivery_day")
    list_select_related = ("trader",)


@admin.register(QuarantinedMessage)
class QuarantinedMessageAdmin(DecidingAdmin):
    received_at_utc = moment("received_at")
    stored_at_utc = moment("stored_at")
    handled_at_utc = moment("handled_at")
    decision_permission = "trades.judge_quarantine"
    decision_forms = (RetryForm, AcceptForm, DismissForm)
    list_display = ("received_at_utc", "status", "kind", "reason", "detail", "exchange_id", "listener")
    list_filter = ("status", "kind", "reason", "listener")
    ordering = (F("handled_at").desc(nulls_first=True), "-id")  # open ones first
    search_fields = ("exchange_id__exact",)
    search_help_text = "The exchange's id, whole"
    fields = (
        "market",
        "status",
        "kind",
        "reason",
        "detail",
        "exchange_id",
        "frame",
        "received_at_utc",
        "stored_at_utc",
        "listener",
        "origin",
        "handled_by",
        "handled_at_utc",
        "note",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("raw")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Without the frame of a conflict for those who see no trade facts: it is a trade, whole."""
        hidden = () if obj is None or _may_see_facts_of(request, obj) else ("frame",)
        return [name for name in super().get_fields(request, obj) if name not in hidden]

    @admin.display(description="frame as it came")
    def frame(self, message: QuarantinedMessage) -> SafeString:
        raw = bytes(message.raw)
        shown = readable(raw, LONGEST_SHOWN_FRAME)
        return format_html('<pre class="frame">{}</pre><small>{} bytes</small>', shown, len(raw))

    @admin.display(description="source")
    def origin(self, message: QuarantinedMessage) -> str:
        return source_words(message.source, message.source_position)

    def decisions_for(self, request: HttpRequest, row: Any) -> Sequence[DecisionForm]:
        forms = super().decisions_for(request, row)
        return [form for form in forms if self.may_take(request, row, form.name)]

    def may_take(self, request: HttpRequest, row: Any, decision: str) -> bool:
        """Only who sees both sides of a conflict may accept it."""
        return decision != AcceptForm.name or _may_see_facts_of(request, row)

    def decisions(self, row: QuarantinedMessage) -> Sequence[DecisionForm]:
        if row.status != QuarantinedMessage.Status.OPEN:
            return ()
        dismiss = DismissForm(prefix=DismissForm.name)
        if row.kind != QuarantinedMessage.Kind.CONFLICT:
            return RetryForm(prefix=RetryForm.name), dismiss
        return (AcceptForm(prefix=AcceptForm.name), dismiss) if _confirmation_in(row) else (dismiss,)

    def facts_beside(self, request: HttpRequest, row: QuarantinedMessage) -> dict[str, Any]:
        """A conflict beside the trade that it contradicts."""
        if not _may_see_facts_of(request, row):
            return {}
        trade = Trade.objects.filter(market_id=row.market_id, exchange_id=row.exchange_id).first()
        if trade is None or row.kind != QuarantinedMessage.Kind.CONFLICT:
            return {}
        theirs = _confirmation_in(row)
        return {"trade": trade, "comparison": comparison(trade, theirs), "frame_is_read": theirs is not None}


def _may_see_facts_of(request: HttpRequest, message: QuarantinedMessage) -> bool:
    return message.kind != QuarantinedMessage.Kind.CONFLICT or request.user.has_perm("trades.view_trade")


def _confirmation_in(message: QuarantinedMessage) -> TradeConfirmation | None:
    """What the frame says, if it is a confirmation; a line of a CSV file is none."""
    parsed = parse_frame(bytes(message.raw), message.market.zone)
    return parsed if isinstance(parsed, TradeConfirmation) else None


def comparison(trade: Trade, theirs: TradeConfirmation | None) -> list[tuple[str, str, str, str, bool]]:
    """(fact, as confirmed first, as it counts now, as the frame says, whether the frame differs from what counts)."""
    now = facts_now(trade)
    first = _facts(trade)
    counts = _facts(now) if now else dict.fromkeys(first, "cancelled")
    said = _said(theirs) if theirs else dict.fromkeys(first, UNDEFINED)
    rows = [(name, first[name], counts[name], said[name], counts[name] != said[name]) for name in first]
    executed = f"{trade.execution_time:%Y-%m-%d %H:%M:%S.%f}"
    frames = f"{theirs.execution_time:%Y-%m-%d %H:%M:%S.%f}" if theirs else UNDEFINED
    return [*rows, ("executed (UTC)", executed, executed, frames, executed != frames)]


def _facts(facts: Trade | TradeChange) -> dict[str, str]:
    shown = {key: str(value) for key, value in CorrectForm.prefilled(facts).items()}
    return {_FACT_NAMES[key]: value for key, value in shown.items()}


def _in_words(change: TradeChange) -> str:
    said = CorrectForm.prefilled(change)
    return (
        f"{said['direction']} {said['quantity']} MW at {said['price']} EUR/MWh, "
        f"{said['delivery_day']} {said['delivery_hour']}, {said['trader_id']}"
    )


def _said(c: TradeConfirmation) -> dict[str, str]:
    return {
        "price (EUR/MWh)": f"{c.price.normalize():f}",
        "quantity (MW)": f"{c.quantity.normalize():f}",
        "direction": c.direction,
        "delivery day": str(c.delivery_day),
        "delivery hour": c.delivery_hour,
        "trader": c.trader_id,
    }


_FACT_NAMES = {
    "price": "price (EUR/MWh)",
    "quantity": "quantity (MW)",
    "direction": "direction",
    "delivery_day": "delivery day",
    "delivery_hour": "delivery hour",
    "trader_id": "trader",
}


@admin.register(JournalProgress)
class JournalProgressAdmin(ReadOnlyAdmin):
    updated_at_utc = moment("updated_at")
    list_display = (
        "listener",
        "journal",
        "position",
        "complete",
        "received",
        "stored",
        "duplicates",
        "conflicts",
        "quarantined",
        "updated_at_utc",
    )
    list_filter = ("listener", "complete")


@admin.register(FeedConnection)
class FeedConnectionAdmin(StyledAdmin):
    connected_at_utc = moment("connected_at")
    alive_at_utc = moment("alive_at")
    last_frame_at_utc = moment("last_frame_at")
    silent_since_utc = moment("silent_since")
    disconnected_at_utc = moment("disconnected_at")
    list_display = (
        "listener",
        "market",
        "connected_at_utc",
        "alive_at_utc",
        "last_frame_at_utc",
        "journal_failed",
        "waiting",
        "overflows",
        "silent_since_utc",
        "disconnected_at_utc",
        "reason",
    )
    list_filter = ("listener", "journal_failed")
    list_select_related = ("market",)


@admin.register(FeedGap)
class FeedGapAdmin(DecidingAdmin):
    ended_at_utc = moment("ended_at")
    closed_at_utc = moment("closed_at")
    started_at_utc = moment("started_at")
    decision_permission = "trades.close_gap"
    decision_forms = (CloseGapForm,)
    list_display = ("started_at_utc", "ended_at_utc", "lasted", "market", "closed_at_utc", "closed_by", "note")
    list_filter = (("closed_at", admin.EmptyFieldListFilter), "market")
    list_select_related = ("market", "closed_by")
    ordering = (F("closed_at").desc(nulls_first=True), "-started_at")  # open ones first
    fields = ("market", "started_at_utc", "ended_at_utc", "lasted", "closed_at_utc", "closed_by", "note")

    @admin.display(description="lasted")
    def lasted(self, gap: FeedGap) -> str:
        return f"{(gap.ended_at - gap.started_at).total_seconds():.1f} s"

    def decisions(self, row: FeedGap) -> Sequence[DecisionForm]:
        return (CloseGapForm(prefix=CloseGapForm.name),) if row.closed_at is None else ()
