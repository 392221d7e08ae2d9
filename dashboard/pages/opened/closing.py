"""`?close_at=` and `?close_mwh=` of an opened row: what if some of it were closed now at a price."""

from __future__ import annotations

import re
from decimal import Decimal

from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.figures.opened.closing import HIGHEST, Closing, closed_at
from dashboard.figures.performance import Figures
from dashboard.render.panel.closing import RefusedClosing

_NUMBER = re.compile(r"[+-]?\d{1,5}(?:[.,]\d{1,6})?", re.ASCII)


def asked_closing(request: HttpRequest, figures: Figures) -> Closing | RefusedClosing | None:
    """The row after it was closed at the price that is asked with; None without one, or without a net.

    What is no price (EUR/MWh) or no energy (MWh) above zero comes back as it was typed, with the sentence.
    """
    price = request.GET.get("close_at", "").strip()
    if not price:
        return None
    energy = request.GET.get("close_mwh", "").strip()
    wanted, amount = _number(price), _number(energy) if energy else None
    if wanted is None:
        return RefusedClosing(price, energy, "close_at", _("A price to close at is a number between -99999 and 99999."))
    if energy and (amount is None or amount <= 0):
        sentence = _("What is to be closed is a number of MWh above 0, up to 99999.")
        return RefusedClosing(price, energy, "close_mwh", sentence)
    return closed_at(figures, wanted, amount)


def _number(text: str) -> Decimal | None:
    """A number with a point or a comma, as either language writes it; a true minus is one, too."""
    text = text.replace("\u2212", "-")
    number = Decimal(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None
    return number if number is not None and abs(number) <= HIGHEST else None
