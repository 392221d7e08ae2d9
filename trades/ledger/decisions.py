"""What authorised people decide: cancel or correct a trade, retry or dismiss a frame kept aside, close a gap.

Nothing is overwritten: a decision is a row or a note of its own, with who, when and why. One transaction each; the
positions follow in it. DecisionError says in one sentence what can't be done.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from accounts.audit.log import hold_the_end, record
from accounts.audit.models import Action
from market import clock
from trades.feed.gap_coverage import Cover, missing_words
from trades.frames import FrameSource
from trades.ledger.confirmations import TradeConfirmation, Unusable, identifier_problem
from trades.ledger.effective import PositionKey, effective_facts, side_of
from trades.ledger.rebuild import rebuild_positions
from trades.ledger.standing import Standing, judge
from trades.ledger.store import book_confirmation
from trades.models import FeedGap, QuarantinedMessage, Trade, TradeChange, Trader
from trades.signals import announce_feed

LONGEST_REASON = 500
_INSTEAD_OF_A_RETRY = {
    Standing.CONFLICT: "; accept this frame as its correction, or dismiss it",
    Standing.OTHER_SIDE: ", and this frame is its other side; book the second side, or dismiss it",
}
_BEGINNING, _DIGITS = 200, 16
"""Characters of an id, and of its digest, that name a second side where the whole id can't."""


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
    """The trade counts with these facts from now on; its id stays, the confirmed facts stay on record.

    Open frames that say just this are handled with it.
    """
    hold_the_end()
    change = _correct(trade, facts, reason, user)
    first = trade.second_side_of or trade
    _settle_repeats(first.market_id, first.exchange_id, change.reason, user, clock.now())
    return change


def _correct(trade: Trade, facts: TradeConfirmation, reason: str, user: User) -> TradeChange:
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
def retry_frame(*, message: QuarantinedMessage, note: str, user: User | None, now: datetime) -> Trade:
    """Try to book a frame kept aside once more, by the rules as they are now; the frame itself stays on record.

    One that says what a stored trade says is handled too, and nothing is booked. `user` is None for a command.
    """
    hold_the_end()
    message = _open_message(message)
    standing, parsed = judge(message)
    if isinstance(parsed, Unusable):
        raise DecisionError(f"the frame still can't be booked: {parsed.detail}")
    if standing in _INSTEAD_OF_A_RETRY:
        raise DecisionError(f"trade {parsed.exchange_id} is stored already{_INSTEAD_OF_A_RETRY[standing]}")
    if standing is Standing.NEW:
        _book(message, parsed)
    _handle(message, QuarantinedMessage.Status.RETRIED, note or "retried", user, now)
    return Trade.objects.get(market=message.market, exchange_id=parsed.exchange_id)


@transaction.atomic
def accept_as_correction(*, message: QuarantinedMessage, reason: str, user: User, now: datetime) -> TradeChange:
    """A conflicting frame is right: the side of the stored trade that it is about is corrected to what it says.

    All frames that say the same (one a listener) are handled with it.
    """
    hold_the_end()
    message = _open_message(message)
    standing, parsed = judge(message)
    if standing is Standing.OTHER_SIDE:
        raise DecisionError("this frame is the other side of a stored trade; book the second side, or dismiss it")
    trade = None if isinstance(parsed, Unusable) else side_of(market_id=message.market_id, confirmation=parsed)
    if isinstance(parsed, Unusable) or trade is None:
        raise DecisionError("this frame corrects no stored trade")
    change = _correct(trade, parsed, reason, user)
    _handle(message, QuarantinedMessage.Status.RETRIED, reason, user, now)
    _settle_repeats(message.market_id, parsed.exchange_id, reason, user, now)
    return change


@transaction.atomic
def book_second_side(*, message: QuarantinedMessage, note: str, user: User, now: datetime) -> Trade:
    """A frame kept aside is the other side of a stored trade: book it beside the first, as a trade of its own.

    Ids are unique within a market, so the second side has one of its own that carries its direction. All frames that
    say the same (one a listener) are handled with it.
    """
    hold_the_end()
    message = _open_message(message)
    standing, parsed = judge(message)
    if isinstance(parsed, Unusable) or standing is not Standing.OTHER_SIDE:
        raise DecisionError("this frame is not the other side of a stored trade, or that side is booked already")
    first = Trade.objects.select_for_update().get(market=message.market, exchange_id=parsed.exchange_id)
    confirmation = replace(parsed, exchange_id=_second_sides_id(message.market_id, parsed))
    _book(message, confirmation, second_side_of=first.pk)
    note = note or "booked as the second side"
    _handle(message, QuarantinedMessage.Status.RETRIED, note, user, now)
    _settle_repeats(message.market_id, parsed.exchange_id, note, user, now)
    return Trade.objects.get(market=message.market, exchange_id=confirmation.exchange_id)


def _book(message: QuarantinedMessage, confirmation: TradeConfirmation, *, second_side_of: int | None = None) -> None:
    booked = book_confirmation(
        market=message.market,
        source=FrameSource(f"quarantine-{message.pk}", message.listener),
        confirmation=confirmation,
        received_at=message.received_at,
        second_side_of=second_side_of,
    )
    if not booked:
        raise DecisionError(f"trade {confirmation.exchange_id} was stored at this very moment: look again")


def _second_sides_id(market_id: int, c: TradeConfirmation) -> str:
    """The id with the direction; with a digest of the whole id where that is too long or another trade's."""
    named = f"{c.exchange_id} ({c.direction})"
    digest = hashlib.sha256(named.encode()).hexdigest()[:_DIGITS]
    for possible in (named, f"{c.exchange_id[:_BEGINNING]}… {digest} ({c.direction})"):
        is_taken = Trade.objects.filter(market_id=market_id, exchange_id=possible).exists()
        if not is_taken and not identifier_problem(possible):
            return possible
    raise DecisionError(f"no id is free for the second side: “{named[:100]}” and “{possible}” are other trades'")


@transaction.atomic
def dismiss_frame(*, message: QuarantinedMessage, note: str, user: User, now: datetime) -> None:
    """Nothing is to be done about a frame kept aside; the note says why."""
    hold_the_end()
    _handle(_open_message(message), QuarantinedMessage.Status.DISMISSED, _reason(note), user, now)


def _settle_repeats(market_id: int, exchange_id: str, note: str, user: User, now: datetime) -> None:
    """Nothing is left to decide about open frames of a trade that say what is stored, or what counts now."""
    open_ones = QuarantinedMessage.objects.filter(
        market=market_id, exchange_id=exchange_id, status=QuarantinedMessage.Status.OPEN
    )
    for message in open_ones.select_for_update(of=("self",)).prefetch_related("market").order_by("id"):
        if judge(message)[0] is Standing.KNOWN:
            _handle(message, QuarantinedMessage.Status.RETRIED, note, user, now)


def _open_message(message: QuarantinedMessage) -> QuarantinedMessage:
    locked = QuarantinedMessage.objects.select_for_update().get(pk=message.pk)
    if locked.status != QuarantinedMessage.Status.OPEN:
        raise DecisionError(f"this frame was {locked.get_status_display()} already")
    return locked


def _handle(message: QuarantinedMessage, status: str, note: str, user: User | None, now: datetime) -> None:
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
    locked.closed_at, locked.closed_by, locked.note = now, user, _sentence(note)
    locked.save(update_fields=["closed_at", "closed_by", "note"])
    _record(Action.GAP_CLOSED, f"gap {locked}", user, {"note": locked.note})
    transaction.on_commit(lambda: announce_feed(locked.market_id), robust=True)


@transaction.atomic
def note_covered_gaps(*, market_id: int, covers: Sequence[Cover], file: str, now: datetime) -> int:
    """Keep what an imported file covers of open gaps; close those of which nothing is left. How many were closed."""
    hold_the_end()
    by_gap = {cover.gap.pk: cover for cover in covers if cover.covered is not None}
    closed = 0
    for gap in FeedGap.objects.select_for_update().filter(pk__in=by_gap, closed_at=None).order_by("id"):
        cover = by_gap[gap.pk]
        assert cover.covered is not None
        entry = [*(moment.isoformat() for moment in cover.covered), file]
        if entry not in gap.covered:
            gap.covered = [*gap.covered, entry]
        if cover.closes:
            files = ", ".join(dict.fromkeys(name for *_, name in gap.covered))
            gap.closed_at, gap.note = now, f"covered by the import of {files}"[:LONGEST_REASON]
            record(action=Action.GAP_CLOSED, subject=f"gap {gap}", details={"note": gap.note})
            closed += 1
        else:
            gap.note = f"covered by imported files but for {missing_words(cover.missing)}"[:LONGEST_REASON]
        gap.save(update_fields=["closed_at", "note", "covered"])
    if by_gap:
        transaction.on_commit(lambda: announce_feed(market_id), robust=True)
    return closed


def _record(action: Action, subject: str, user: User | None, details: dict[str, object]) -> None:
    """Into the audit log, in the decision's own transaction; `hold_the_end` came first."""
    record(action=action, subject=subject, details=details, actor=user.get_username() if user else None)


def _sentence(text: str) -> str:
    """A reason that tells what was compared: a gap that is closed without one is a loss that nobody looks for."""
    reason = _reason(text)
    if not re.search(r"\w{4}", reason):
        raise DecisionError(f"say in a sentence what was compared with the exchange: “{reason[:40]}” does not tell")
    return reason


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise DecisionError("say why: the reason is empty")
    if len(reason) > LONGEST_REASON:
        raise DecisionError(f"the reason has {len(reason)} characters; at most {LONGEST_REASON} are kept")
    return reason
