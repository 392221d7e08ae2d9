"""The clock of our earnings, what was made over the market, and the trades behind a cell.

Whose they are, and who may see them, is the history's: a trader sees the own, who may see all boards sees everybody's.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.access.rights import may_see_all, visible_traders
from dashboard.figures.earnings.against_market import load_against_market
from dashboard.figures.earnings.clock import MOST_TRADES, load_cell, load_clock
from dashboard.figures.history import last_days
from dashboard.pages.earnings.asked import asked_cell, asked_selection
from dashboard.pages.history import PRESETS
from dashboard.pages.navigation import Here, links, readings
from dashboard.pages.requests import refusing
from dashboard.render import formatting as fmt
from dashboard.render.client_messages import page_messages
from dashboard.render.earnings.against_market import cumulative_curve, market_tables
from dashboard.render.earnings.clock import clock_table
from dashboard.render.earnings.selection import Selection, choices, step_title
from dashboard.render.earnings.skill import skill_words
from dashboard.render.earnings.trades import trade_lines
from dashboard.render.history import hour_title
from market import clock
from market.queries import active_markets
from trades.models import Trader


@require_safe
@never_cache
@login_required
@refusing
def earnings(request: HttpRequest) -> HttpResponse:
    """GET /history/earnings/?trader=&market=&from=&to=&side=&product=&who=: 400 for no range, 404 without a right."""
    selection = asked_selection(request)
    wanted, asked = selection.wanted(), selection.asked
    found, against = load_clock(wanted), load_against_market(wanted)
    currency = asked.market.rules_on(asked.days.last).currency
    days = [(part.over, part.energy) for _, part in against.days if part.over is not None]
    body = {
        "clock": clock_table(selection, found, currency),
        "tables": market_tables(against),
        "curve": cumulative_curve(against, asked.days, currency),
        "skill": skill_words(days, currency),
        "unpriced": fmt.number(found.total.unpriced) if found.total.unpriced else "",
    }
    return render(request, "dashboard/earnings/page.html", {**_head(request, selection), **body})


@require_safe
@never_cache
@login_required
@refusing
def trades(request: HttpRequest) -> HttpResponse:
    """GET /history/earnings/trades/?…&hour=&left=: the trades of a cell, or of a margin without one of the two."""
    selection = asked_selection(request)
    hour, step = asked_cell(request)
    found, count = load_cell(selection.wanted(), hour=hour, step=step)
    traders = Trader.objects.in_bulk({trade.trader for trade in found})
    words = ngettext("%(count)s trade", "%(count)s trades", count) % {"count": fmt.count(count)}
    newest = gettext("The newest %(count)s are listed.") % {"count": fmt.count(MOST_TRADES)}
    body = {
        "hour": "" if hour is None else hour_title(hour),
        "step": "" if step is None else step_title(step),
        "count": words,
        "more": newest if count > len(found) else "",
        "lines": trade_lines(selection, found, traders),
    }
    return render(request, "dashboard/earnings/trades.html", {**_head(request, selection), **body})


def _head(request: HttpRequest, selection: Selection) -> dict[str, Any]:
    asked = selection.asked
    ranges = [(days, last_days(days, asked.market.day_of(clock.now()))) for days in (*PRESETS, 365)]
    name = "%(count)s day", "%(count)s days"
    return {
        "asked": asked,
        "selection": selection,
        "title": str(asked.trader) if asked.trader else gettext("Whole desk"),
        "range_title": f"{fmt.day_title(asked.days.first)} {fmt.EN_DASH} {fmt.day_title(asked.days.last)}",
        "first": asked.days.first.isoformat(),
        "last": asked.days.last.isoformat(),
        "traders": visible_traders(request.user) if may_see_all(request.user) else [],
        "markets": active_markets() if asked.named else [],
        "presets": [(ngettext(*name, n) % {"count": n}, selection.address(r), r == asked.days) for n, r in ranges],
        "choices": choices(selection),
        "currency": fmt.currency_sign(asked.market.rules_on(asked.days.last).currency),
        "words": page_messages(),
        "readings": readings(asked.reading),
        "back": selection.address(),
        "history": asked.address(),
        "nav": links(request.user, here=Here.HISTORY, market=asked.named, trader=asked.trader),
    }
