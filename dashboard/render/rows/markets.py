"""The markets of a desk side by side, with one total for each currency, as one part of its page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext

from dashboard.figures.markets import CurrencyTotal, MarketTotal, currency_totals
from dashboard.render import formatting as fmt
from dashboard.render.addresses import desk_address
from dashboard.render.cells import signed_cell
from dashboard.render.jinja import render_part
from market.models import Market


def render_markets(totals: Sequence[MarketTotal], shown: Market, day: date) -> str:
    """The element `markets`."""
    lines: list[dict[str, Any]] = [
        {
            "market": one.market,
            "address": desk_address(day, one.market),
            "is_shown": one.market.pk == shown.pk,
            "result": signed_cell("performance_eur", one.figures.performance_eur),
            "sign": fmt.currency_sign(one.currency),
            "net": fmt.number(one.figures.net_mwh, signed=True),
        }
        for one in totals
    ]
    return render_part("desk_markets", {"markets": lines, "totals": [_total(one) for one in currency_totals(totals)]})


def _total(one: CurrencyTotal) -> dict[str, Any]:
    note = gettext("without %(amount)s MWh that have no reference") % {"amount": fmt.number(one.unpriced)}
    return {
        "result": signed_cell("performance_eur", one.result),
        "sign": fmt.currency_sign(one.currency),
        "note": note if one.unpriced else "",
    }
