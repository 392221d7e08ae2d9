"""Events as they travel (Server-Sent Events), and who may see which. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LONGEST_NUMBER = 18


class Kind(StrEnum):
    """What an event tells of."""

    TRADE = "trade"
    PRICE = "price"
    BOARD = "board"
    GAP = "gap"
    ASSUMPTION = "assumption"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """One event. `trader` and `user` by primary key, `data` JSON on one line."""

    number: int
    kind: str
    trader: int | None
    user: int | None
    data: str


@dataclass(frozen=True, slots=True)
class Audience:
    """What decides which events somebody gets: two of the same get the same bytes."""

    user: int
    trader: int | None
    sees_all: bool
    sees_status: bool
    sees_assumptions: bool
    """Others', as far as the desk's policy lets them be seen while they are open."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing here for them."""
        return self.trader is None and not (self.sees_all or self.sees_status)

    def may_see(self, event: NumberedEvent) -> bool:
        """The same rules as the pages of these things have."""
        own = event.trader is not None and event.trader == self.trader
        if event.kind in {Kind.TRADE, Kind.BOARD}:
            return own or self.sees_all
        if event.kind == Kind.PRICE:
            return self.trader is not None or self.sees_all
        if event.kind == Kind.GAP:
            return not self.is_empty
        if event.kind == Kind.ASSUMPTION:
            return own or self.sees_assumptions
        return event.user is not None and event.user == self.user


def text_of(event: NumberedEvent) -> str:
    """One event on the wire. JSON's own line breaks are escaped; U+2028 is none to this format."""
    return f"id: {event.number}\nevent: {event.kind}\ndata: {event.data}\n\n"


def chunk_for(audience: Audience, events: Iterable[NumberedEvent], *, after: int = 0) -> bytes:
    """What of the events this audience gets; those up to `after` it has already."""
    return "".join(text_of(e) for e in events if e.number > after and audience.may_see(e)).encode()


def last_word(data: str) -> bytes:
    """Why the stream ends, without a number: whoever comes back goes on after the last one."""
    return f"event: end\ndata: {data}\n\n".encode()


def number_in(text: str) -> int | None:
    """A number as a program sends it; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else None
