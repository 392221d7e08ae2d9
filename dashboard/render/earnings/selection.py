"""Which earnings a page is asked for, and the addresses of the same and of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext, pgettext

from dashboard.figures.earnings.clock import Wanted
from dashboard.figures.earnings.time_left import Left
from dashboard.figures.history import DayRange
from dashboard.render.history import Asked
from market.rules import BLOCK, PRODUCTS

SIDES = ("sell", "buy")
PEOPLE, BOTS = "people", "bots"


@dataclass(frozen=True, slots=True)
class Selection:
    """A history's range, narrowed: a side, a product (minutes, or BLOCK), people or bots; empty or None: all."""

    asked: Asked
    side: str = ""
    product: int | None = None
    who: str = ""

    def wanted(self) -> Wanted:
        """The same for the figures."""
        bots = {PEOPLE: False, BOTS: True}.get(self.who)
        asked = self.asked
        return Wanted(asked.market, asked.trader, asked.days, asked.reading, self.product, bots, self.side)

    def address(self, days: DayRange | None = None) -> str:
        """The page's own address, perhaps over other days."""
        return _address("earnings", self._query(days))

    def cell(self, hour: int | None, step: Left | None) -> str:
        """Where a cell's trades are; None: every hour, every step."""
        narrowed = {"hour": "" if hour is None else str(hour), "left": "" if step is None else str(step.value)}
        return _address("earnings_trades", self._query(None) | narrowed)

    def _query(self, days: DayRange | None) -> dict[str, str]:
        asked = self.asked
        narrowed = {"side": self.side, "product": "" if self.product is None else str(self.product), "who": self.who}
        market = asked.named.code if asked.named else ""
        return {**asked.query(days), "market": market, "by": asked.by, **narrowed}


def _address(name: str, query: dict[str, str]) -> str:
    return f"{reverse(name)}?{urlencode({key: value for key, value in query.items() if value})}"


def product_title(product: int) -> str:
    """A product's name, by its minutes."""
    titles = {60: gettext("hours"), 30: gettext("half hours"), 15: gettext("quarter hours"), BLOCK: gettext("blocks")}
    return titles[product]


def step_title(step: Left) -> str:
    """A step of time left, in words."""
    return {
        Left.AFTER: gettext("after the gate"),
        Left.UNDER_5: gettext("under 5 min"),
        Left.UNDER_15: gettext("5–15 min"),
        Left.UNDER_30: gettext("15–30 min"),
        Left.UNDER_60: gettext("30–60 min"),
        Left.UNDER_120: gettext("1–2 h"),
        Left.UNDER_240: gettext("2–4 h"),
        Left.UNDER_720: gettext("4–12 h"),
        Left.OVER_720: gettext("over 12 h"),
    }[step]


Choice = tuple[str, str, bool]
"""Value, title, chosen."""


def choices(selection: Selection) -> dict[str, list[Choice]]:
    """What can be chosen of each filter."""
    products = [("", gettext("every product"), selection.product is None)]
    products += [(str(product), product_title(product), product == selection.product) for product in PRODUCTS]
    sides = [("", gettext("both sides")), ("sell", gettext("sold")), ("buy", gettext("bought"))]
    who = [("", gettext("people and bots")), (PEOPLE, pgettext("traders", "people")), (BOTS, gettext("bots"))]
    return {
        "product": products,
        "side": [(value, title, value == selection.side) for value, title in sides],
        "who": [(value, title, value == selection.who) for value, title in who],
    }
