"""Stand-ins for the market data provider: a simulated one with its delays and limits, a scripted one for tests.

What is published, and when, follows from the seed and the clock alone: a restart changes nothing.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import ThreadingHTTPServer
from math import ceil
from urllib.parse import parse_qs, urlsplit

from local.simulators.areas import Area
from local.simulators.prices import chance, opening, reference
from local.simulators.provider_wire import PATH, Answer, http_server, iso, price_body, problem
from market.labels import parse_period
from market.periods import DeliveryPeriod, PeriodError, parse_day

_SIDE = r"\d{2}[AaBbXx]?(:[0-5]\d[AaBbXx]?)?"
_WELL_FORMED = re.compile(rf"{_SIDE}-{_SIDE}|\d{{1,2}}[AaBb]", re.ASCII)
_HANG_SECONDS = 30.0


# --- the provider's limits ----------------------------------------------------------------------------------------
class Limits:
    """So many requests in any 60 s and in any 3,600 s; what breaks them is refused and counted."""

    def __init__(self, per_minute: int, per_hour: int) -> None:
        self.windows = ((60.0, per_minute), (3600.0, per_hour))
        self.requests = self.violations = self.busiest_minute = self.busiest_hour = 0
        self._granted: deque[float] = deque()
        self._asked: deque[float] = deque()
        self._lock = threading.Lock()

    def ask(self, now: float) -> int:
        """0 when the request is within the limits, else the seconds to wait."""
        with self._lock:
            self._count(now)
            while self._granted and self._granted[0] <= now - 3600:
                self._granted.popleft()
            wait = max((self._wait(now, seconds, most) for seconds, most in self.windows), default=0)
            if wait:
                self.violations += 1
            else:
                self._granted.append(now)
            return wait

    def _count(self, now: float) -> None:
        self.requests += 1
        self._asked.append(now)
        while self._asked[0] <= now - 3600:
            self._asked.popleft()
        self.busiest_hour = max(self.busiest_hour, len(self._asked))
        self.busiest_minute = max(self.busiest_minute, sum(moment > now - 60 for moment in self._asked))

    def _wait(self, now: float, seconds: float, most: int) -> int:
        within = [moment for moment in self._granted if moment > now - seconds]
        return max(1, ceil(within[-most] + seconds - now)) if len(within) >= most else 0


# --- the simulated provider ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Market:
    """What is published: when, how late, for which market, and how often something is wrong."""

    seed: int = 1
    interval: int = 600
    delay_min: float = 0
    delay_max: float = 30
    independent: bool = False
    area: Area = field(default_factory=Area)
    never_rate: float = 0
    hours_only: bool = False
    """No prices of anything shorter or longer than an hour."""

    def slot_of(self, moment: datetime) -> datetime:
        """The last publication time by the clock at or before this moment."""
        seconds = int(moment.timestamp()) // self.interval * self.interval
        return datetime.fromtimestamp(seconds, UTC)

    def published_at(self, slot: datetime, period: DeliveryPeriod) -> datetime | None:
        """When the slot's price of a period is really out; None when it never is."""
        whose = (period.start.timestamp(), period.duration.seconds) if self.independent else ()
        if chance(self.seed, "never", slot.timestamp(), *whose) < self.never_rate:
            return None
        late = self.delay_min + chance(self.seed, "late", slot.timestamp(), *whose) * (self.delay_max - self.delay_min)
        return slot + timedelta(milliseconds=round(late * 1000))

    def price(self, period: DeliveryPeriod, now: datetime, *, back: int = 0) -> tuple[Decimal, datetime] | None:
        """The value known at this moment and when it came out; `back` goes further into the past. None: no price."""
        if self.hours_only and period.duration != timedelta(hours=1):
            return None
        slot, first = min(self.slot_of(now), self.last_slot(period)), opening(period, self.area.calendar)
        while slot >= first:
            out = self.published_at(slot, period)
            if out is not None and out <= now:
                if not back:
                    return self.value(period, slot), out
                back -= 1
            slot -= timedelta(seconds=self.interval)
        return None

    def last_slot(self, period: DeliveryPeriod) -> datetime:
        """The first one that covers the period's gate closure: what it says is final."""
        gate = period.gate_closure(self.area.gate_closure)
        return self.slot_of(gate + timedelta(seconds=self.interval) - timedelta(microseconds=1))

    def value(self, period: DeliveryPeriod, slot: datetime) -> Decimal:
        """What the publication of a slot says of a period, in the market's currency per MWh."""
        traded_until = min(slot, period.gate_closure(self.area.gate_closure))
        return reference(self.seed, period, traded_until, self.area.zone)


@dataclass(frozen=True, slots=True)
class Faults:
    """How often, from 0 to 1, an answer is wrong in which way; and how long every answer takes."""

    error_rate: float = 0
    hang_rate: float = 0
    garbage_rate: float = 0
    stale_rate: float = 0
    wrong_hour_rate: float = 0
    latency: tuple[float, float] = (0, 0)


_GARBAGE = (b"<html><body>Bad Gateway</body></html>", b'{"delivery_day": "20', b"", b"[]", b'{"value": NaN}', b"null")


class SimulatedProvider:
    """Answers requests as the provider does: limits first, then the market's price, then the faults."""

    def __init__(self, market: Market, limits: Limits, faults: Faults) -> None:
        self.market, self.limits, self.faults = market, limits, faults
        self._dice = random.Random(market.seed)
        self._lock = threading.Lock()

    def answer(self, target: str, now: datetime, clock: float) -> Answer:
        """The answer to one GET; `clock` counts seconds and never jumps (the limits' time)."""
        address = urlsplit(target)
        if address.path == "/stats":
            return Answer(200, json.dumps(self.stats(now)).encode())
        if address.path != PATH:
            return problem(404, "not found")
        wait = self.limits.ask(clock)
        if wait:
            return problem(429, "too many requests", **{"Retry-After": str(wait)})
        return self._with_faults(address.query, now)

    def _with_faults(self, query: str, now: datetime) -> Answer:
        with self._lock:
            throw, pick, pause = self._dice.random(), self._dice.random(), self._dice.uniform(*self.faults.latency)
        fault = self._fault(throw)
        if fault == "error":
            answer = problem((500, 502, 503)[int(pick * 3)], "internal error")
        elif fault == "garbage":
            answer = Answer(200, _GARBAGE[int(pick * len(_GARBAGE))])
        else:
            answer = self._price(query, now, fault)
        wait = _HANG_SECONDS if fault == "hang" else pause
        return Answer(answer.status, answer.body, answer.headers, wait)

    def _fault(self, throw: float) -> str:
        faults = self.faults
        for name, rate in (
            ("error", faults.error_rate),
            ("hang", faults.hang_rate),
            ("garbage", faults.garbage_rate),
            ("stale", faults.stale_rate),
            ("wrong hour", faults.wrong_hour_rate),
        ):
            if throw < rate:
                return name
            throw -= rate
        return ""

    def _price(self, query: str, now: datetime, fault: str) -> Answer:
        asked = parse_qs(query)
        day_text, label = asked.get("delivery_day", [""])[0], asked.get("delivery_hour", [""])[0]
        if not _WELL_FORMED.fullmatch(label):
            return problem(400, "delivery_hour must be HH-HH or HH:MM-HH:MM")
        try:
            day = parse_day(day_text)
        except PeriodError as error:
            return problem(400, str(error))
        try:
            period = parse_period(day, label, self.market.area.calendar).period
        except PeriodError as error:
            return problem(404, str(error))
        known = self.market.price(period, now, back=int(fault == "stale"))
        if known is None:
            return problem(404, "no reference price yet")
        told = "23-24" if fault == "wrong hour" and label != "23-24" else label
        return Answer(200, price_body(day_text, told, known[0], self.market.area.unit, iso(known[1])))

    def stats(self, now: datetime) -> dict[str, object]:
        """What the provider counted, and when it published lately (each period apart only if they are independent)."""
        return {
            "requests": self.limits.requests,
            "violations": self.limits.violations,
            "busiest_minute": self.limits.busiest_minute,
            "busiest_hour": self.limits.busiest_hour,
            "publications": [] if self.market.independent else self._publications(now),
        }

    def _publications(self, now: datetime) -> list[dict[str, str | None]]:
        market, last = self.market, self.market.slot_of(now)
        anyone = DeliveryPeriod(last, last + timedelta(hours=1))
        slots = [last - timedelta(seconds=market.interval * back) for back in range(12)]
        moments = [(slot, market.published_at(slot, anyone)) for slot in slots]
        return [{"slot": iso(slot), "published_at": out.isoformat() if out else None} for slot, out in moments]


# --- HTTP ---------------------------------------------------------------------------------------------------------


def simulated_server(provider: SimulatedProvider, host: str, port: int) -> ThreadingHTTPServer:
    """The simulated provider on its port, on the real clock."""
    return http_server(lambda target: provider.answer(target, datetime.now(UTC), time.monotonic()), host, port)


# --- for tests ----------------------------------------------------------------------------------------------------
