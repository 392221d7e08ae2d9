"""News of the desk's clock."""

from __future__ import annotations

from django.dispatch import Signal

desk_clock_stepped = Signal()
"""kwargs: `seconds` that the desk's time goes on by (below 0: back), `now` (UTC) before it does.

Sent in the transaction that decides so: what is measured by stored moments moves them along there. An error takes the
decision back."""
