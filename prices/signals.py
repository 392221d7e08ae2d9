"""News about reference prices: within the storing transaction, and once it has committed."""

from __future__ import annotations

from dataclasses import dataclass

from django.dispatch import Signal

from market.periods import DeliveryPeriod


@dataclass(frozen=True, slots=True)
class StoredPrice:
    """A price that is being stored: of which period, and whether it is the first that is known of it."""

    market_pk: int
    period: DeliveryPeriod
    is_first: bool


prices_storing = Signal()
"""Sent just before the commit, for what must be there with the price or not at all. A receiver works in a savepoint of
its own: what it can't do is logged, and the price is stored all the same. kwargs: `changes`, as below;
`price`, a StoredPrice, or None where a day's were stored at once."""

prices_changed = Signal()
"""kwargs: `changes`, a frozenset of (market primary key, delivery day)."""
