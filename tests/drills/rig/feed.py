"""What the drills' exchange pushes: numbered confirmations at a steady rate, and a log of what went to how many."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from local.simulators.exchange import ScriptedExchange
from tests.trades.frames import confirmation

RATE = 50.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One trade as the exchange pushed it: when (UTC), and to how many connections."""

    exchange_id: str
    at: datetime
    receivers: int


def trade(number: int) -> bytes:
    """The confirmation with this number: the same facts whenever it is asked for."""
    dice = random.Random(number)
    hour = dice.randrange(23)
    return confirmation(
        number,
        price=dice.randrange(-5000, 30000) / 100,
        quantity=dice.randrange(1, 500) / 10,
        direction=dice.choice(("buy", "sell")),
        delivery_hour=f"{hour:02d}-{hour + 1:02d}",
        trader_id=f"trader_{dice.randrange(6)}",
    )


class Feed:
    """Pushes trades in a thread of its own, so that the drill can do harm meanwhile."""

    def __init__(self, exchange: ScriptedExchange) -> None:
        self.exchange = exchange
        self.sent: list[Sent] = []
        self._thread: threading.Thread | None = None
        self._failed: Exception | None = None
        self._stopping = threading.Event()

    def push(self, count: int, *, rate: float = RATE) -> None:
        """`count` more trades, from now on."""
        self.wait()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(count, rate), name="feed", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until all of them are pushed."""
        if self._thread is not None:
            self._thread.join()
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        """No more after the next one."""
        self._stopping.set()
        self.wait()

    @property
    def pushing(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def ids(self, *, heard: bool = False) -> set[str]:
        """Ids of what was pushed; with `heard` only of what went to at least one connection."""
        return {s.exchange_id for s in self.sent if s.receivers or not heard}

    def _run(self, count: int, rate: float) -> None:
        began, first = time.monotonic(), len(self.sent)
        try:
            for number in range(first, first + count):
                if self._stopping.wait(max(0.0, began + (number - first) / rate - time.monotonic())):
                    return
                at = datetime.now(UTC)
                self.sent.append(Sent(str(number), at, self.exchange.send(trade(number))))
        except Exception as error:
            self._failed = error
