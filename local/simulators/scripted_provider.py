"""A market data provider that answers what a test tells it to, and keeps a log."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Self
from urllib.parse import parse_qs, urlsplit

from local.simulators.provider import Limits
from local.simulators.provider_wire import Answer, http_server, iso, price_body, problem


@dataclass(frozen=True, slots=True)
class Request:
    """One line of a scripted provider's log: when, the address asked for, and its day and label."""

    at: float
    target: str
    delivery_day: str
    delivery_hour: str


class ScriptedProvider:
    """A provider in a thread of its own, for tests. Prices are set per day and label; all else is 404.

    with ScriptedProvider() as provider:
        provider.set("2023-02-06", "12-13", "9.8", last_update="2023-02-06T09:15:45Z")
        ...ask provider.url...
        provider.fail(503)      # from now on; provider.heal() ends it
    """

    def __init__(self) -> None:
        self.delay = 0.0
        self.limits: Limits | None = None
        self._prices: dict[tuple[str, str], bytes] = {}
        self._failure: Answer | None = None
        self._requests: list[Request] = []
        self._server = http_server(self._answer, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        """What MARKET_DATA_URL must be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[Request]:
        """Every request for a price so far, in order."""
        return list(self._requests)

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """How often each (day, label) was asked for."""
        return Counter((request.delivery_day, request.delivery_hour) for request in self._requests)

    def set(
        self,
        day: date | str,
        label: str,
        value: Decimal | str | int,
        *,
        last_update: datetime | str | None = None,
        unit: str = "euro",
    ) -> None:
        """The price of one period from now on; `last_update` is this moment unless it is given."""
        moment = last_update or datetime.now(UTC)
        stamp = moment if isinstance(moment, str) else iso(moment)
        self._prices[str(day), label] = price_body(str(day), label, Decimal(value), unit, stamp)

    def set_body(self, day: date | str, label: str, body: bytes | str) -> None:
        """Any body at all for one period, with status 200."""
        self._prices[str(day), label] = body.encode() if isinstance(body, str) else body

    def remove(self, day: date | str, label: str) -> None:
        """No price for this period any more: 404."""
        self._prices.pop((str(day), label), None)

    def fail(self, status: int, *, body: bytes = b"{}", **headers: str) -> None:
        """Answer everything like this, until heal(). Header names are written with _ for -."""
        self._failure = Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def heal(self) -> None:
        """Answer with prices again, without delay."""
        self._failure, self.delay = None, 0.0

    def _answer(self, target: str) -> Answer:
        asked = parse_qs(urlsplit(target).query)
        day, label = asked.get("delivery_day", [""])[0], asked.get("delivery_hour", [""])[0]
        self._requests.append(Request(time.monotonic(), target, day, label))
        answer = self._failure or self._limited() or self._known(day, label)
        return Answer(answer.status, answer.body, answer.headers, self.delay)

    def _limited(self) -> Answer | None:
        wait = self.limits.ask(time.monotonic()) if self.limits else 0
        return problem(429, "too many requests", **{"Retry-After": str(wait)}) if wait else None

    def _known(self, day: str, label: str) -> Answer:
        body = self._prices.get((day, label))
        return problem(404, "no reference price yet") if body is None else Answer(200, body)
