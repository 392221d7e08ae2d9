"""What a frame kept aside is by the rules as they are now, beside what is stored by now. Reads only."""

from __future__ import annotations

from enum import Enum, auto

from trades.ledger.confirmations import TradeConfirmation, Unusable, parse_frame
from trades.ledger.effective import judged_facts
from trades.models import QuarantinedMessage


class Standing(Enum):
    """What the frame is, whatever it was kept aside for."""

    UNUSABLE = auto()
    NEW = auto()
    """Its id is not stored."""
    KNOWN = auto()
    """It says what is stored, or what a person has corrected that to."""
    OTHER_SIDE = auto()
    """Of a stored trade, and not booked: the desk traded with itself."""
    CONFLICT = auto()
    """It says something else than the stored trade, or than the side of it that it is about."""


def judge(message: QuarantinedMessage) -> tuple[Standing, TradeConfirmation | Unusable]:
    """The frame's standing, and what it says or why it can't be read."""
    parsed = parse_frame(bytes(message.raw), message.market.calendar)
    if isinstance(parsed, Unusable):
        return Standing.UNUSABLE, parsed
    stored = judged_facts(market_id=message.market_id, exchange_ids=[parsed.exchange_id]).get(parsed.exchange_id)
    if stored is None:
        return Standing.NEW, parsed
    if not stored.differences(parsed):
        return Standing.KNOWN, parsed
    return Standing.OTHER_SIDE if stored.has_other_side(parsed) else Standing.CONFLICT, parsed
