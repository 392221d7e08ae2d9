"""News about reference prices: within the storing transaction, and once it has committed."""

from __future__ import annotations

from django.dispatch import Signal

prices_storing = Signal()
"""Sent just before the commit, for what must be there with the price or not at all. A receiver works in a savepoint of
its own: what it can't do is logged, and the price is stored all the same. kwargs: `changes`, as below."""

prices_changed = Signal()
"""kwargs: `changes`, a frozenset of (market primary key, delivery day)."""
