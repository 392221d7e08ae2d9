"""The marks of boards and histories that a user can switch off: stored with the user, hidden by the stylesheet.

Boards are rendered once for all who look at them, so that nothing is left out of them: a page says on its body what is
not to be seen (`data-hides`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.utils.translation import gettext

from dashboard.access.preferences import remember
from dashboard.access.rights import AnyUser
from dashboard.models import HiddenMarks
from market.tables import unless_missing

COOKIE = "hidden"
FIRMNESS, BREAK_EVEN, PAST, SKILL = "firmness", "break_even", "past", "skill"
MARKS = (FIRMNESS, BREAK_EVEN, PAST, SKILL)


def titles() -> dict[str, str]:
    """Each mark's name and what it is called."""
    words = (
        gettext("how firm a result is: band, word and fan"),
        gettext("where a row turns, and what closing it would leave"),
        gettext("the arrow back in time"),
        gettext("skill or luck, in the history and beside the clock of our earnings"),
    )
    return dict(zip(MARKS, words, strict=True))


def hidden(cookies: Mapping[str, str]) -> str:
    """The names of marks that a browser carries as hidden, with spaces between; whatever else it says is left out."""
    return joined(cookies.get(COOKIE, "").split("."))


def joined(names: Iterable[str]) -> str:
    """Those of the names that are marks', in their order."""
    wanted = set(names)
    return " ".join(mark for mark in MARKS if mark in wanted)


def hide(response: HttpResponse, user: AnyUser, names: str) -> None:
    """Store the choice and let the browser carry it; only that, where an update has not brought the table."""
    assert isinstance(user, User)
    unless_missing(partial(HiddenMarks.objects.update_or_create, user=user, defaults={"names": names}), None)
    remember(response, COOKIE, names.replace(" ", "."))


def bring_hidden(response: HttpResponse, user: AnyUser) -> None:
    """Let the browser carry what the user has hidden; nothing where an update has not brought the table. One query."""
    if not user.pk:
        return
    chosen = HiddenMarks.objects.filter(user_id=user.pk).values_list("names", flat=True)
    names = unless_missing(chosen.first, None)
    if names is not None:
        remember(response, COOKIE, names.replace(" ", "."))
