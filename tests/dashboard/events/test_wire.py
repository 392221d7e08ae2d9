"""Events on the wire, and who gets which."""

from __future__ import annotations

import pytest

from dashboard.events.wire import Audience, Kind, NumberedEvent, chunk_for, last_word, number_in

NOBODY = Audience(user=1, trader=None, sees_all=False, sees_status=False, sees_assumptions=False)
ANNA = Audience(user=2, trader=20, sees_all=False, sees_status=False, sees_assumptions=False)
HEAD = Audience(user=3, trader=None, sees_all=True, sees_status=True, sees_assumptions=True)
OPERATIONS = Audience(user=4, trader=None, sees_all=False, sees_status=True, sees_assumptions=False)


def event(kind: Kind, *, trader: int | None = None, user: int | None = None, number: int = 7) -> NumberedEvent:
    return NumberedEvent(number, kind.value, trader, user, '{"a":"\u2028ü"}')


@pytest.mark.parametrize(
    ("kind", "facts", "who"),
    [
        (Kind.TRADE, {"trader": 20}, {"anna", "head"}),
        (Kind.TRADE, {"trader": 21}, {"head"}),
        (Kind.BOARD, {"trader": 20}, {"anna", "head"}),
        (Kind.PRICE, {}, {"anna", "head"}),
        (Kind.GAP, {}, {"anna", "head", "operations"}),
        (Kind.ASSUMPTION, {"trader": 20}, {"anna", "head"}),
        (Kind.ASSUMPTION, {"trader": 21}, {"head"}),
        (Kind.ALERT, {"user": 2}, {"anna"}),
        (Kind.ALERT, {}, set()),
    ],
)
def test_who_sees_what(kind: Kind, facts: dict[str, int], who: set[str]) -> None:
    people = {"nobody": NOBODY, "anna": ANNA, "head": HEAD, "operations": OPERATIONS}
    assert {name for name, audience in people.items() if audience.may_see(event(kind, **facts))} == who


def test_nobody_is_nobody() -> None:
    assert [a.is_empty for a in (NOBODY, ANNA, HEAD, OPERATIONS)] == [True, False, False, False]


def test_the_wire() -> None:
    events = [event(Kind.PRICE, number=number) for number in (1, 2)] + [event(Kind.TRADE, trader=21, number=3)]
    text = 'id: 2\nevent: price\ndata: {"a":"\u2028ü"}\n\n'.encode()
    assert chunk_for(ANNA, events, after=1) == text
    assert last_word("{}") == b"event: end\ndata: {}\n\n"


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("0", 0), ("-1", None), ("1.0", None), ("٣", None), ("", None), ("9" * 19, None)]
)
def test_numbers(text: str, number: int | None) -> None:
    assert number_in(text) == number
