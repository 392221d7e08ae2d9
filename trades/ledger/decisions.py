"""What authorised people decide: cancel or correct a trade, retry or dismiss a frame kept aside, close a gap.

Nothing is overwritten: a decision is a row or a note of its own, with who, when and why. One transaction each; the
positions follow in it. JudgementError says in one sentence what can't be done.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from accounts.audit.log import hold_the_end, record
from accounts.audit.models import Action
from trades.frames import FrameSource
from trades.ledger.confirmations import TradeConfirmation, Unusable, parse_frame
from trades.ledger.effective import PositionKey, effective_facts
from trades.ledger.rebuild import rebuild_positions
from trades.ledger.store import book_confirmation
from trades.models import FeedGap, QuarantinedMessage, Trade, TradeChange, Trader
from trades.signals import announce_feed

LONGEST_REASON = 500


class DecisionError(Exception):
    """A decision that can't be carried out; the message is one sentence for people."""


@transaction.atomic
def cancel_trade(*, trade: Trade, reason: str, user: User) -> TradeChange:
    """The trade counts no longer. A late duplicate of its confirmation does not revive it."""
    hold_the_end()
    before = _position_before(trade)
    change = TradeChange.objects.create(
        trade=trade, kind=TradeChange.Kind.CANCELLED, reason=_reason(reason), made_by=user
    )
    rebuild_positions(keys=[before])
    _record(Action.CANCELLED, f"trade {trade.exchange_id}", user, {"reason": change.reason, "change": change.pk})
    return change


@transaction.atomic
def correct_trade(*, trade: Trade, facts: TradeConfirmation, reason: str, user: User) -> TradeChange:
    """The trade counts with these facts from now on; its id stays, the confirmed facts stay on record."""
    hold_the_end()
    before = _position_before(trade)
    trader, _ = Trader.objects.get_or_create(trader_id=facts.trader_id, defaults={"is_known": False})
    change = TradeChange.objects.create(
        trade=trade,
        kind=TradeChange.Kind.CORRECTED,
        reason=_reason(reason),
        made_by=user,
        trader=trader,
        direction=facts.direction,
        price=facts.price,
        quantity=facts.quantity,
        delivery_day=facts.delivery_day,
        delivery_hour=facts.delivery_hour,
        delivery_start=facts.period.start,
        delivery_end=facts.period.end,
    )
    after: PositionKey = (
        trade.market_id,
        trader.pk,
        facts.direction,
        facts.delivery_day,
        facts.period.start,
        facts.period.end,
    )
    rebuild_positions(keys=sorted({before, after}))
    _record(Action.CORRECTED, f"trade {trade.exchange_id}", user, {"reason": change.reason, "change": change.pk})
    return change


def _position_before(trade: Trade) -> PositionKey:
    """Lock the trade and give the position that it counts in now."""
    Trade.objects.select_for_update().get(pk=trade.pk)
    facts = effective_facts(trade_pk=trade.pk)
    if facts is None:
        raise DecisionError(f"trade {trade.exchange_id} is cancelled already")
    return facts


@transaction.atomic
def retry_frame(*, message: QuarantinedMessage, note: str, user: User, now: datetime) -> Trade:
    """Try to book a frame kept aside once more, by the rules as they are now; the frame itself stays on record."""
    hold_the_end()
    message = _open_message(message)
    parsed = parse_frame(bytes(message.raw), message.market.zone)
    if isinstance(parsed, Unusable):
        raise DecisionError(f"the frame still can't be booked: {parsed.detail}")
    if Trade.objects.filter(market=message.market, exchange_id=parsed.exchange_id).exists():
        raise DecisionError(
            f"trade {parsed.exchange_id} is stored already; accept this frame as its correction, or dismiss it"
        )
    source = FrameSource(f"quarantine-{message.pk}", message.listener)
    book_confirmation(market=message.market, source=source, confirmation=parsed, received_at=message.received_at)
    _handle(message, QuarantinedMessage.Status.RETRIED, note or "retried", user, now)
    return Trade.objects.get(market=message.market, exchange_id=parsed.exchange_id)


@transaction.atomic
def accept_as_correction(*, message: QuarantinedMessage, reason: str, user: User, now: datetime) -> TradeChange:
    """A conflicting frame is right: the stored trade is corrected to what the frame says."""
    hold_the_end()
    message = _open_message(message)
    parsed = parse_frame(bytes(message.raw), message.market.zone)
    trade = Trade.objects.filter(market=message.market, exchange_id=message.exchange_id).first()
    if isinstance(parsed, Unusable) or trade is None:
        raise DecisionError("this frame corrects no stored trade")
    change = correct_trade(trade=trade, facts=parsed, reason=reason, user=user)
    _handle(message, QuarantinedMessage.Status.RETRIED, reason, user, now)
    return change


@transaction.atomic
def dismiss_frame(*, message: QuarantinedMessage, note: str, user: User, now: datetime) -> None:
    """Nothing is to be done about a frame kept aside; the note says why."""
    hold_the_end()
    _handle(_open_message(message), QuarantinedMessage.Status.DISMISSED, _reason(note), user, now)


def _open_message(message: QuarantinedMessage) -> QuarantinedMessage:
    locked = QuarantinedMessage.objects.select_for_update().get(pk=message.pk)
    if locked.status != QuarantinedMessage.Status.OPEN:
        raise DecisionError(f"this frame was {locked.get_status_display()} already")
    return locked


def _handle(message: QuarantinedMessage, status: str, note: str, user: User, now: datetime) -> None:
    message.status, message.note = status, note[:LONGEST_REASON]
    message.handled_by, message.handled_at = user, now
    message.save(update_fields=["status", "note", "handled_by", "handled_at"])
    action = Action.DISMISSED if status == QuarantinedMessage.Status.DISMISSED else Action.RETRIED
    _record(action, f"frame {message.pk}", user, {"note": message.note, "trade": message.exchange_id})


@transaction.atomic
def close_gap(*, gap: FeedGap, note: str, user: User, now: datetime) -> None:
    """Somebody has compared with the exchange: the gap needs no attention any more."""
    hold_the_end()
    locked = FeedGap.objects.select_for_update().get(pk=gap.pk)
    if locked.closed_at is not None:
        raise DecisionError("this gap is closed already")
    locked.closed_at, locked.closed_by, locked.note = now, user, _reason(note)
    locked.save(update_fields=["closed_at", "closed_by", "note"])
    _record(Action.GAP_CLOSED, f"gap {locked}", user, {"note": locked.note})
    transaction.on_commit(lambda: announce_feed(locked.market_id), robust=True)


@transaction.atomic
def close_gaps_covered_by_import(
    *, market_id: int, first: datetime, last: datetime, file: str, now: datetime
) -> list[FeedGap]:
    """Close the open gaps that lie between the first and the last execution of an imported file of the whole desk."""
    hold_the_end()
    covered = FeedGap.objects.select_for_update().filter(
        Q(started_at__gte=first, ended_at__lte=last), market_id=market_id, closed_at=None
    )
    gaps = list(covered)
    for gap in gaps:
        gap.closed_at, gap.note = now, f"covered by the import of {file}"[:LONGEST_REASON]
        gap.save(update_fields=["closed_at", "note"])
        record(action=Action.GAP_CLOSED, subject=f"gap {gap}", details={"note": gap.note})
    if gaps:
        transaction.on_commit(lambda: announce_feed(market_id), robust=True)
    return gaps


def _record(action: Action, subject: str, user: User, details: dict[str, object]) -> None:
    """Into the audit log, in the decision's own transaction; `hold_the_end` came first."""
    record(action=action, subject=subject, details=details, actor=user.get_username())


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise DecisionError("say why: the reason is empty")
    if len(reason) > LONGEST_REASON:
        raise DecisionError(f"the reason has {len(reason)} characters; at most {LONGEST_REASON} are kept")
    return reason
