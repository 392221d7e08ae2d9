"""The decisions that admin pages offer: one form each, carried out by trades/ledger/decisions.py in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from trades.ledger.corrections import FACTS, corrected, facts_of
from trades.ledger.decisions import (
    LONGEST_REASON,
    accept_as_correction,
    book_second_side,
    cancel_trade,
    close_gap,
    correct_trade,
    dismiss_frame,
    retry_frame,
)
from trades.models import Direction, FeedGap, QuarantinedMessage, Trade, TradeChange


class DecisionForm(forms.Form):
    """One decision about one row. `name` is its place in the address, `label` its button."""

    name: ClassVar[str]
    label: ClassVar[str]
    explanation: ClassVar[str] = ""

    def carry_out(self, row: Any, user: User, now: datetime) -> str:
        """Do it and say what was done; DecisionError says why it can't be done, and then nothing was."""
        raise NotImplementedError


def _words(label: str, *, required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"})
    return forms.CharField(label=label, required=required, max_length=LONGEST_REASON, widget=widget)


class RetryForm(DecisionForm):
    name, label = "retry", "Retry"
    explanation = "Books the frame by the rules as they are now, once. The frame itself stays on record."
    note = _words("Note (optional)", required=False)

    def carry_out(self, row: QuarantinedMessage, user: User, now: datetime) -> str:
        trade = retry_frame(message=row, note=self.cleaned_data["note"], user=user, now=now)
        if trade.source != f"quarantine-{row.pk}":
            return f"Trade {trade.exchange_id} is stored already, and says the same: the frame is handled."
        return f"Trade {trade.exchange_id} is booked."


class AcceptForm(DecisionForm):
    name, label = "accept", "Accept as correction"
    explanation = (
        "The stored trade counts with this frame's facts from now on. What was confirmed first stays on record."
    )
    reason = _words("Reason")

    def carry_out(self, row: QuarantinedMessage, user: User, now: datetime) -> str:
        change = accept_as_correction(message=row, reason=self.cleaned_data["reason"], user=user, now=now)
        return f"Trade {change.trade.exchange_id} is corrected."


class SecondSideForm(DecisionForm):
    name, label = "second-side", "Book the second side"
    explanation = (
        "The desk traded with itself: this side is booked beside the stored one, as a trade of its own. Both count."
    )
    note = _words("Note (optional)", required=False)

    def carry_out(self, row: QuarantinedMessage, user: User, now: datetime) -> str:
        trade = book_second_side(message=row, note=self.cleaned_data["note"], user=user, now=now)
        return f"Trade {trade.exchange_id} is booked beside {trade.second_side_of}."


class DismissForm(DecisionForm):
    name, label = "dismiss", "Dismiss"
    explanation = "Nothing is to be done about this frame. It stays on record with the note."
    note = _words("Note")

    def carry_out(self, row: QuarantinedMessage, user: User, now: datetime) -> str:
        dismiss_frame(message=row, note=self.cleaned_data["note"], user=user, now=now)
        return "The frame is dismissed."


class CloseGapForm(DecisionForm):
    name, label = "close", "Close the gap"
    explanation = (
        "Somebody has compared this interval with the exchange: boards need not show it any more. Say in a sentence "
        "what was compared, and what was found."
    )
    note = _words("Note")

    def carry_out(self, row: FeedGap, user: User, now: datetime) -> str:
        close_gap(gap=row, note=self.cleaned_data["note"], user=user, now=now)
        return "The gap is closed."


class CancelForm(DecisionForm):
    name, label = "cancel", "Cancel the trade"
    explanation = "The trade counts no longer; its row stays. A cancelled trade can't be corrected."
    reason = _words("Reason")

    def carry_out(self, row: Trade, user: User, now: datetime) -> str:
        cancel_trade(trade=row, reason=self.cleaned_data["reason"], user=user)
        return f"Trade {row.exchange_id} is cancelled."


class _PlainNumberField(forms.DecimalField):
    """Without what Python reads as a number and people don't: 2_0.5, or digits of other scripts."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and ("_" in value or not value.isascii()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class CorrectForm(DecisionForm):
    """Facts as they should have been. They obey the wire's rules, in the wire's words."""

    name, label = "correct", "Correct the trade"
    explanation = "The trade counts with these facts from now on; those that were confirmed stay on record."
    price = _PlainNumberField(label="Price (per MWh)")
    quantity = _PlainNumberField(label="Quantity (MW)")
    direction = forms.ChoiceField(choices=Direction.choices)
    delivery_day = forms.CharField(widget=forms.DateInput(attrs={"type": "date"}))
    delivery_hour = forms.CharField(help_text="For example 08-09 or 08:15-08:30")
    trader_id = forms.CharField(label="Trader's id", strip=False)
    reason = _words("Reason")

    def __init__(self, *args: Any, currency: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if currency:
            self.fields["price"].label = f"Price ({currency}/MWh)"

    @staticmethod
    def prefilled(facts: Trade | TradeChange) -> dict[str, Any]:
        """The facts that count now, as the form shows them."""
        shown = facts_of(facts)
        return {**shown, "price": f"{shown['price']:f}", "quantity": f"{shown['quantity']:f}"}

    def carry_out(self, row: Trade, user: User, now: datetime) -> str:
        facts = corrected(row, {name: self.cleaned_data[name] for name in FACTS})
        correct_trade(trade=row, facts=facts, reason=self.cleaned_data["reason"], user=user)
        return f"Trade {row.exchange_id} is corrected."
