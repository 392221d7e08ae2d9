"""The admin's page of frames that were kept aside: read, retried, accepted as a correction, or dismissed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from market import clock
from trades.admin.base import FACT_NAMES, LONGEST_SHOWN_FRAME, UNDEFINED, DecidingAdmin, moment, shown_facts
from trades.admin.forms import AcceptForm, DecisionForm, DismissForm, RetryForm, SecondSideForm
from trades.ledger.confirmations import TradeConfirmation
from trades.ledger.effective import facts_now, side_of
from trades.ledger.judging_again import judge_again
from trades.ledger.standing import Standing, judge
from trades.models import QuarantinedMessage, Trade
from trades.trace import readable, source_words


@admin.register(QuarantinedMessage)
class QuarantinedMessageAdmin(DecidingAdmin):
    received_at_utc = moment("received_at")
    stored_at_utc = moment("stored_at")
    handled_at_utc = moment("handled_at")
    decision_permission = "trades.judge_quarantine"
    decision_forms = (RetryForm, AcceptForm, SecondSideForm, DismissForm)
    actions: Any = ("judge_all_of_this_reason_again",)
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

    @admin.action(permissions=["decision"], description="Judge all frames with these reasons again")
    def judge_all_of_this_reason_again(self, request: HttpRequest, chosen: QuerySet[QuarantinedMessage]) -> None:
        """Not the chosen frames alone: a rule that has changed has changed for all of them."""
        assert isinstance(request.user, User)
        for reason in sorted(set(chosen.values_list("reason", flat=True))):
            result = judge_again(reason=reason, now=clock.now(), user=request.user)
            messages.info(request, f"{reason}: {result}.")

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
        """Only who sees both sides of a conflict may accept it, or book the other one."""
        return decision not in {AcceptForm.name, SecondSideForm.name} or _may_see_trades(request)

    def decisions(self, row: QuarantinedMessage) -> Sequence[DecisionForm]:
        """What fits the frame as it is now, whatever it was kept aside for."""
        if row.status != QuarantinedMessage.Status.OPEN:
            return ()
        dismiss = DismissForm(prefix=DismissForm.name)
        standing, _ = judge(row)
        if standing is Standing.UNUSABLE and row.kind == QuarantinedMessage.Kind.CONFLICT:  # a line of a CSV file
            return (dismiss,)
        fitting = _FITTING.get(standing, RetryForm)
        return fitting(prefix=fitting.name), dismiss

    def facts_beside(self, request: HttpRequest, row: QuarantinedMessage) -> dict[str, Any]:
        """What contradicts a trade, or is its other side, beside it: of two sides the one that it is about."""
        if not _may_see_trades(request):
            return {}
        standing, framed = judge(row)
        if row.kind != QuarantinedMessage.Kind.CONFLICT and standing not in _FITTING:
            return {}
        confirmation = framed if isinstance(framed, TradeConfirmation) else None
        trade = _trade_beside(row, confirmation)
        if trade is None:
            return {}
        return {
            "trade": trade,
            "comparison": comparison(trade, confirmation),
            "frame_is_read": confirmation is not None,
        }


_FITTING: dict[Standing, type[DecisionForm]] = {
    Standing.CONFLICT: AcceptForm,
    Standing.OTHER_SIDE: SecondSideForm,  # accepted as a correction, it would replace the side that is stored
}


def _may_see_trades(request: HttpRequest) -> bool:
    return request.user.has_perm("trades.view_trade")


def _may_see_facts_of(request: HttpRequest, message: QuarantinedMessage) -> bool:
    return message.kind != QuarantinedMessage.Kind.CONFLICT or _may_see_trades(request)


def _trade_beside(message: QuarantinedMessage, framed: TradeConfirmation | None) -> Trade | None:
    if framed is not None:
        return side_of(market_id=message.market_id, confirmation=framed)
    return Trade.objects.filter(market_id=message.market_id, exchange_id=message.exchange_id).first()


def comparison(trade: Trade, confirmation: TradeConfirmation | None) -> list[tuple[str, str, str, str, bool]]:
    """(fact, as confirmed first, as it counts now, as the frame says, whether the frame differs from what counts)."""
    now = facts_now(trade)
    first = shown_facts(trade)
    counts = shown_facts(now) if now else dict.fromkeys(first, "cancelled")
    framed = _said(confirmation) if confirmation else dict.fromkeys(first, UNDEFINED)
    rows = [(name, first[name], counts[name], framed[name], counts[name] != framed[name]) for name in first]
    executed = f"{trade.execution_time:%Y-%m-%d %H:%M:%S.%f}"
    frames = f"{confirmation.execution_time:%Y-%m-%d %H:%M:%S.%f}" if confirmation else UNDEFINED
    return [*rows, ("executed (UTC)", executed, executed, frames, executed != frames)]


def _said(c: TradeConfirmation) -> dict[str, str]:
    said = {
        "price": f"{c.price.normalize():f}",
        "quantity": f"{c.quantity.normalize():f}",
        "direction": c.direction,
        "delivery_day": str(c.delivery_day),
        "delivery_hour": c.delivery_hour,
        "trader_id": c.trader_id,
    }
    return {FACT_NAMES[name]: fact for name, fact in said.items()}
