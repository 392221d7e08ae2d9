"""The number of every advisory lock that the product takes in PostgreSQL: one place, so that no two are the same. Pure.

PostgreSQL knows a lock by one number of 64 bits or by two of 32; both forms take their (first) number from here, and
each number has one meaning. A number never changes while two versions of the product may run side by side: they would
no longer keep each other out.
"""

from __future__ import annotations

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """What a lock is for, how long it is held, and who waits."""

    REQUEST_LEDGER = 7_021_001
    """Alone. Until the transaction ends, for one reservation (milliseconds); every request to the provider waits."""

    PRICE_CHASE = 7_021_002
    """With a market. Until a transaction of a connection of its own ends, with the chase (up to two minutes); nobody
    waits: who finds it taken leaves the market to its holder."""

    FEED_GAPS = 7_021_003
    """With a market. Until the transaction ends, for one look at the connections; nobody waits: who finds it taken
    leaves the look to its holder."""

    AUDIT_LOG = 7_021_005
    """Alone. Until the transaction that appends to the log ends; every other one that appends waits."""

    LOGIN_ATTEMPTS = 7_021_006
    """With a digest of the address. Until the transaction ends, for counting one attempt; others from there wait."""

    ALERT_WATCH = 7_021_007
    """Alone. Until the transaction ends, for one look of the alerts' watch; nobody waits: who finds it taken leaves the
    look to its holder."""

    HISTORY_DAY = 7_021_008
    """With one of 512 slots of markets' delivery days. Shared: until a transaction that changes positions or prices of
    the day ends. Alone: until a closed day's sums for histories are worked out and stored, a fraction of a second; who
    stores late trades of just that day waits for so long. Whoever wants it alone never waits, but leaves the day."""

    HISTORY_KEEPER = 7_021_009
    """With a market. Until the transaction ends that stores one day's, or one month's, sums; nobody waits: who finds it
    taken leaves the market to its holder."""
