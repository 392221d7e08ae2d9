"""The links between the product's views: board, desk, history. Small, in every page's head."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from dashboard.access.rights import AnyUser, group_roles, is_wall_screen, may_see_all, may_see_status
from dashboard.assumptions.visibility import SEE_ALL_ASSUMPTIONS
from dashboard.figures.readings import Reading
from dashboard.render.addresses import board_address
from market.models import Market
from trades.models import Trader


class Here(StrEnum):
    """The view that a page is of."""

    BOARD = "board"
    DESK = "desk"
    HISTORY = "history"
    ASSUMPTIONS = "assumptions"
    ALERTS = "alerts"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class View:
    """A link to a view; `here`: the page is of this view."""

    title: str
    address: str
    here: bool


def links(
    user: AnyUser, *, here: Here, market: Market | None = None, day: date | None = None, trader: Trader | None = None
) -> list[View]:
    """What the user may go to. `day` and `trader` stay where they can; `market` only where there are several."""
    board = _board(trader, day, market)
    views = [View(gettext("Board"), board, here == Here.BOARD)]
    if may_see_all(user):
        desk = reverse("desk_day", args=[day.isoformat()]) if day else reverse("desk")
        views.append(View(gettext("Desk"), _with(desk, market), here == Here.DESK))
    history = _with(reverse("history"), market, trader=trader.trader_id if trader else "")
    views.append(View(gettext("History"), history, here == Here.HISTORY))
    if not group_roles(user) or group_roles(user) & SEE_ALL_ASSUMPTIONS:
        views.append(View(gettext("Assumptions"), _with(reverse("assumptions"), market), here == Here.ASSUMPTIONS))
    if not is_wall_screen(user):
        views.append(View(gettext("Alerts"), reverse("alerts"), here == Here.ALERTS))
    if may_see_status(user):
        views.append(View(gettext("Status"), reverse("status"), here == Here.STATUS))
    return views


@dataclass(frozen=True, slots=True)
class ExportLink:
    """A link to what the page shows, as a file."""

    title: str
    address: str


def exports(view: str, *, asked: dict[str, str], market: Market | None = None, **arguments: str) -> list[ExportLink]:
    """The files of an export's address (its name in dashboard/pages/urls.py).

    `asked`: what the page was asked with, a market among it; `market` goes before that one.
    """
    forms = (
        ("xlsx", gettext("XLSX for spreadsheets")),
        ("sheet.csv", gettext("CSV for spreadsheets")),
        ("csv", gettext("CSV for programs")),
    )
    return [
        ExportLink(title, _with(reverse(view, kwargs={**arguments, "form": form}), market, **asked))
        for form, title in forms
    ]


def readings(chosen: Reading) -> list[tuple[str, str, bool]]:
    """Each reading's value and title, and whether the page shows it."""
    titles = gettext("by product"), gettext("by hour"), gettext("by quarter hour")
    return [(reading.value, title, reading is chosen) for reading, title in zip(Reading, titles, strict=True)]


def _board(trader: Trader | None, day: date | None, market: Market | None) -> str:
    if trader is None:
        return _with(reverse("home"), market)
    return (
        board_address(trader.trader_id, day, market)
        if day
        else _with(reverse("choose"), market, trader=trader.trader_id)
    )


def _with(path: str, market: Market | None, /, **asked: str) -> str:
    if market:
        asked["market"] = market.code
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{path}?{query}" if query else path
