"""What a request asks of a range's earnings; every refusal is one sentence."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext

from dashboard.figures.earnings.time_left import Left
from dashboard.figures.history import RangeError, asked_with
from dashboard.pages.history import asked_history
from dashboard.pages.requests import QueryError, sentence
from dashboard.render.earnings.selection import BOTS, PEOPLE, SIDES, Selection
from market.periods import PeriodError
from market.rules import PRODUCTS


def asked_selection(request: HttpRequest) -> Selection:
    """The history's range, and what narrows it; QueryError for what is none, NotThereError without a right."""
    try:
        asked = asked_history(request)
    except PeriodError as error:
        raise QueryError(sentence(error)) from error
    side = _one_of(request, "side", ("", *SIDES))
    product = _one_of(request, "product", ("", *map(str, PRODUCTS)))
    who = _one_of(request, "who", ("", PEOPLE, BOTS))
    selection = Selection(asked, side, int(product) if product else None, who)
    _of_one_currency(selection)
    return selection


def asked_cell(request: HttpRequest) -> tuple[int | None, Left | None]:
    """The hour and the step of a cell; None: all of them."""
    hour = _one_of(request, "hour", ("", *map(str, range(24))))
    left = _one_of(request, "left", ("", *(str(step.value) for step in Left)))
    return int(hour) if hour else None, Left(int(left)) if left else None


def _one_of(request: HttpRequest, name: str, known: tuple[str, ...]) -> str:
    value = request.GET.get(name, "")
    if value not in known:
        words = gettext("“%(value)s” is none of what “%(name)s” can be: %(known)s.")
        raise QueryError(words % {"value": value[:40], "name": name, "known": ", ".join(known[1:])})
    return value


def _of_one_currency(selection: Selection) -> None:
    asked = selection.asked
    try:
        asked_with(asked.market, asked.trader, asked.days, asked.reading)
    except RangeError as error:
        raise QueryError(sentence(error)) from error
