"""Programs that follow the stream of events: they read it as the standard says, and come back after each break."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests

PATH = "/api/v1/events"


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it came."""

    number: int
    kind: str
    data: dict[str, Any]
    at: float


def parsed(lines: Iterator[str]) -> Iterator[Told]:
    """Events of a stream, each once its empty line is there."""
    fields: dict[str, str] = {}
    for line in lines:
        if line == "":
            if "data" in fields:
                number, kind = int(fields.get("id", "0")), fields.get("event", "message")
                yield Told(number, kind, json.loads(fields["data"]), time.monotonic())
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


def lines_of(answer: requests.Response) -> Iterator[str]:
    """Lines as they arrive, the last one only when it is whole."""
    rest = b""
    for piece in answer.iter_content(chunk_size=None):
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode() for line in whole)


@dataclass
class Follower:
    """A program in a thread of its own. `where` says which web process it asks this time."""

    where: Callable[[], str]
    token: str
    after: int | None = None
    told: list[Told] = field(default_factory=list)
    opened: int = 0
    statuses: list[int] = field(default_factory=list)
    answer: requests.Response | None = None
    ending: bool = False
    resting: float = 0.0

    def __post_init__(self) -> None:
        self._back = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        while not self.ending:
            with suppress(requests.RequestException, OSError, ValueError, AttributeError):
                self._read()
            self._back.wait(0.02 + self.resting)
            self.resting = 0.0

    def _read(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        if self.after is not None:
            headers["Last-Event-ID"] = str(self.after)
        with requests.get(self.where() + PATH, headers=headers, stream=True, timeout=(5, 25)) as answer:
            self.statuses.append(answer.status_code)
            if answer.status_code != 200:
                return
            self.answer = answer
            self.opened += 1
            for event in parsed(lines_of(answer)):
                self.told.append(event)
                if event.number:
                    self.after = event.number

    def rest(self, seconds: float = 0.0) -> None:
        """Break the connection; come back after `seconds`."""
        self.resting = seconds
        if self.answer is not None:
            with suppress(Exception):
                self.answer.raw._fp.fp.raw._sock.shutdown(2)

    def end(self) -> None:
        self.ending = True
        self.rest()
        self._thread.join(10)

    def of(self, kind: str) -> list[Told]:
        """What was told of a kind."""
        return [event for event in list(self.told) if event.kind == kind]
