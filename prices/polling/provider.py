"""The market data provider over HTTP: one period's price asked for, one typed answer back. Alone in using requests.

`fetch` never raises for anything that the other side does: every bad day of the provider is a `Refusal` with one
sentence. A request lives 5 s in total, dripping bodies included, and reads 64 KiB at most.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from market import clock
from market.dated.currencies import is_unit_of
from market.labels import label_of, parse_period
from market.periods import Days, DeliveryPeriod, PeriodError, parse_day
from prices.observations import FROM_THE_FUTURE, WHICH_OF_TWO, Answer, Outcome, Published, Refusal, Undefined

TOTAL_SECONDS = 5.0
"""A request's whole life, counted from its reservation in the ledger."""

LATEST_START_SECONDS = 2.0
"""A request that could not be sent for this long after its reservation isn't sent at all."""

CONNECT_SECONDS = 2.0
LARGEST_BODY = 64 * 1024
LARGEST_VALUE = Decimal(1_000_000)
SMALLEST_STEP = Decimal("1e-10")
FUTURE_TOLERANCE = timedelta(minutes=2)
DEFAULT_RETRY_AFTER = 60.0
LONGEST_RETRY_AFTER = 3600.0

_FRACTION = re.compile(r"(?<=\d)\.\d+")
_current = threading.local()


@dataclass(frozen=True, slots=True)
class Question:
    """Which price is asked for, of whose days, in which currency, where, and when (`now`, UTC)."""

    base_url: str
    day: date
    period: DeliveryPeriod
    days: Days
    currency: str
    now: datetime


class BadAnswer(Exception):
    """The body is not the answer to what was asked; the message is one sentence."""


def fetch(question: Question, *, reserved_at: float) -> Answer:
    """Ask for one period's price. `reserved_at` (time.monotonic()) is when the ledger counted this request."""
    started = time.monotonic()
    if started - reserved_at > LATEST_START_SECONDS:  # the ledger would forget it before the provider does
        return Refusal(Outcome.FAILED, "not sent: this process was held up for too long after the reservation")
    try:
        with _deadline(reserved_at + TOTAL_SECONDS) as deadline:
            return _exchange(question, deadline)
    except BadAnswer as error:
        return Refusal(Outcome.BAD_ANSWER, str(error))
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        if deadline.over:
            return Refusal(Outcome.FAILED, f"no whole answer within {TOTAL_SECONDS:.0f} s")
        return Refusal(Outcome.FAILED, f"no answer: {_root_cause(error)}")


def _exchange(question: Question, deadline: _Deadline) -> Answer:
    label = label_of(question.period, question.days)
    response = _session().get(
        f"{question.base_url.rstrip('/')}/reference-price",
        params={"delivery_day": question.day.isoformat(), "delivery_hour": label},
        timeout=(min(CONNECT_SECONDS, deadline.left), deadline.left),
        allow_redirects=False,
        stream=True,
    )
    if "Age" not in response.headers:  # not a cache's
        clock.desk.hear_outside(response.headers.get("Date"))
    try:
        if response.status_code != requests.codes.ok:
            return _not_ok(response, question.now)
        body = _read(response)
    finally:
        response.close()
    if deadline.over:  # a cut connection can look like the end of the body
        raise TimeoutError
    return parse_answer(body, question)


def _not_ok(response: requests.Response, now: datetime) -> Answer:
    """What a status other than 200 means."""
    status = response.status_code
    if status == requests.codes.not_found:
        return Undefined("404: no such period")
    if status == requests.codes.too_many_requests:
        pause = _retry_after(response.headers.get("Retry-After", ""), now)
        return Refusal(Outcome.REFUSED, f"429: too many requests, come back in {pause:.0f} s", pause)
    if 300 <= status < 400:
        return Refusal(Outcome.BAD_ANSWER, f"{status}: a redirect, not followed")
    return Refusal(Outcome.FAILED if status >= 500 else Outcome.BAD_ANSWER, f"answered with status {status}")


def _retry_after(header: str, now: datetime) -> float:
    """Seconds to wait from a Retry-After header (seconds or a date), between one second and an hour."""
    try:
        pause = float(header) if header.strip().isdecimal() else (parsedate_to_datetime(header) - now).total_seconds()
    except (TypeError, ValueError):
        pause = DEFAULT_RETRY_AFTER
    return min(max(pause, 1.0), LONGEST_RETRY_AFTER)


def _read(response: requests.Response) -> bytes:
    """The body, or BadAnswer when it is larger than any price could be."""
    body: bytes = response.raw.read(LARGEST_BODY + 1, decode_content=True)
    if len(body) > LARGEST_BODY:
        raise BadAnswer(f"the answer is larger than {LARGEST_BODY // 1024} KiB")
    return body


def _root_cause(error: BaseException) -> str:
    """The innermost reason, in one short line."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__} {error}".strip()[:200]


# --- the answer's meaning ------------------------------------------------------------------------------------------
def parse_answer(body: bytes, question: Question) -> Answer:
    """The price in a 200 answer, checked against what was asked. Raises BadAnswer with one sentence."""
    answer = _json_object(body)
    _check_identity(answer, question)
    if "value" not in answer:
        raise BadAnswer("the answer has no value")
    if answer["value"] is None:
        return Undefined("the value is null")
    unit = answer.get("unit")
    if not isinstance(unit, str) or not is_unit_of(unit, question.currency):
        raise BadAnswer(f"the unit is {_shown(unit)}, not {question.currency} per MWh")
    return Published(_value(answer["value"]), _last_update(answer.get("last_update"), question.now))


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_constant)
    except BadAnswer:
        raise
    except (ValueError, RecursionError, InvalidOperation):
        kind = "a web page" if body.lstrip()[:1] == b"<" else "not JSON"
        raise BadAnswer(f"the answer is {kind}") from None
    if not isinstance(answer, dict):
        raise BadAnswer("the answer is not a JSON object")
    return answer


def _no_constant(name: str) -> NoReturn:
    raise BadAnswer(f"the answer contains {name}")


def _check_identity(answer: dict[str, Any], asked: Question) -> None:
    """The answer must name the day and the period that were asked, in any equivalent spelling."""
    said_day, said_hour = answer.get("delivery_day"), answer.get("delivery_hour")
    if not isinstance(said_day, str) or not isinstance(said_hour, str):
        raise BadAnswer("the answer doesn't name its delivery day and hour")
    try:
        answered = parse_period(asked.day, said_hour, asked.days)
        same = parse_day(said_day) == asked.day and answered.period == asked.period
    except PeriodError as error:
        raise BadAnswer(f"the answer's period can't be read: {error}") from None
    if not (same or answered.ambiguous):
        raise BadAnswer(f"the answer is for {_shown(said_day)} {_shown(said_hour)}, another period")
    if answered.ambiguous:
        raise BadAnswer(f"{_shown(said_hour)} {WHICH_OF_TWO}")


def _value(value: Any) -> Decimal:
    """The price, exact, rounded to 10 decimals."""
    if not isinstance(value, Decimal):
        raise BadAnswer(f"the value {_shown(value)} is not a number")
    if not value.is_finite() or abs(value) > LARGEST_VALUE:
        raise BadAnswer("the value is beyond ±1,000,000")
    return value.quantize(SMALLEST_STEP) + 0


def _last_update(text: Any, now: datetime) -> datetime:
    """When the provider updated the price, UTC."""
    if not isinstance(text, str):
        raise BadAnswer(f"last_update {_shown(text)} is not a time")
    try:  # a fraction may have more digits than Python reads
        moment = datetime.fromisoformat(_FRACTION.sub(lambda digits: digits[0][:7], text))
        if moment.tzinfo is None:
            raise BadAnswer(f"last_update {_shown(text)} has no time zone")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadAnswer(f"last_update {_shown(text)} is not a time") from None
    if moment > now + FUTURE_TOLERANCE:
        raise BadAnswer(f"last_update {_shown(text)} {FROM_THE_FUTURE}")
    return moment


def _shown(value: Any) -> str:
    """Foreign text, fit for a sentence: short and without control characters."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return "".join(c for c in text if c.isprintable())[:60]


# --- connections that end on time ----------------------------------------------------------------------------------
class _Deadline:
    """The end of one request: at `at` (time.monotonic()) its socket is shut, whatever it is waiting for."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.passed = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """Seconds, never quite zero: zero would mean no time-out at all."""
        return max(0.001, self.at - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether the time is up: the timer has fired, or a read that was given what was left came back without."""
        return self.passed or self.left < 0.02

    def guard(self, sock: socket.socket | None) -> None:
        """From now on this socket is the request's."""
        with self._lock:
            self._socket = sock
            if self.passed:
                self._shut()

    def pass_(self) -> None:
        """The time is up."""
        with self._lock:
            self.passed = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is None:
            return
        try:
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:  # closed already
            return


@contextmanager
def _deadline(at: float) -> Iterator[_Deadline]:
    """Watch over the request that this thread makes. A read time-out alone would start anew with every dripped byte."""
    deadline = _Deadline(at)
    timer = threading.Timer(deadline.left, deadline.pass_)
    timer.daemon = True
    timer.start()
    _current.deadline = deadline
    try:
        yield deadline
    finally:
        timer.cancel()
        deadline.guard(None)
        _current.deadline = None


def _guard(connection: HTTPConnection) -> None:
    """Put the connection's socket under this thread's deadline; one that has passed shuts it at once."""
    deadline: _Deadline | None = getattr(_current, "deadline", None)
    if deadline is not None:
        deadline.guard(connection.sock)


class _GuardedHTTP(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _guard(self)

    def getresponse(self) -> Any:
        _guard(self)  # a connection that is used again was not connected under this deadline
        return super().getresponse()


class _GuardedHTTPS(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _guard(self)

    def getresponse(self) -> Any:
        _guard(self)
        return super().getresponse()


class _GuardedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTP


class _GuardedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPS


class _GuardedAdapter(HTTPAdapter):
    """Keeps connections open between requests, never retries, and lets a deadline shut what it waits on."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _GuardedHTTPPool, "https": _GuardedHTTPSPool}


def _session() -> requests.Session:
    """This thread's session: requests' sessions are not made to be shared."""
    session: requests.Session | None = getattr(_current, "session", None)
    if session is None:
        session = requests.Session()
        session.trust_env = False  # no proxies and no passwords from the environment
        session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
        for scheme in ("http://", "https://"):
            session.mount(scheme, _GuardedAdapter(max_retries=0))
        _current.session = session
    return session
