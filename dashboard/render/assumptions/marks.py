"""Assumptions as they stand on a board: small lines that the page's script puts into the rows' own places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext

from dashboard.assumptions.queries import PeriodStanding, Standing
from dashboard.assumptions.rules import Verdict
from dashboard.figures.readings import Reading, rows_of
from dashboard.render import formatting as fmt
from dashboard.render.assumptions.words import ARROWS, claim_words, standing_words, trend_of
from dashboard.render.board import period_id
from dashboard.render.jinja import render_part
from market.periods import DeliveryPeriod
from trades.models import Trader

SHOWN = 3
"""Lines of a row; more are counted."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One line. `gate`: when its gate closes (UTC, for the script's countdown); empty once it is judged."""

    address: str
    arrow: str
    claim: str
    text: str
    trend: str
    is_broken: bool
    broken: str
    """What is read aloud when it breaks: it stays the same while the price moves on."""
    is_withdrawn: bool
    gate: str


def marks_of(standings: Iterable[Standing], reading: Reading, own: Trader | None) -> list[dict[str, object]]:
    """Of each row its HTML, newest first. `rows`: the ids of elements that it belongs to, the first there is."""
    lines: dict[tuple[str, ...], list[Mark]] = defaultdict(list)
    titles: dict[tuple[str, ...], str] = {}
    for standing in standings:
        for period in standing.periods:
            for places in _places(period.period, reading):
                lines[places].append(_mark(standing, period, own))
                titles[places] = fmt.period_title(period.row.delivery_hour)
    return [{"rows": places, "html": _html(titles[places], marks)} for places, marks in lines.items()]


def _places(period: DeliveryPeriod, reading: Reading) -> list[tuple[str, ...]]:
    """By product a quarter hour that was never traded has no row of its own: then it stands in its hour's."""
    hour = rows_of(period, Reading.HOUR)[0]
    if reading is Reading.PRODUCT:
        return [(period_id(period), period_id(hour))]
    return [(period_id(row),) for row in rows_of(period, reading)]


def _mark(standing: Standing, period: PeriodStanding, own: Trader | None) -> Mark:
    title, claim = fmt.period_title(period.row.delivery_hour), claim_words(standing.theory)
    return Mark(
        address=f"{reverse('assumptions')}#a{standing.assumption.pk}",
        arrow=ARROWS[standing.theory.claim],
        claim=claim,
        text=standing_words(period, own=own == standing.assumption.trader),
        trend=trend_of(period).value,
        is_broken=period.is_broken and period.record is None,
        broken=f"{title}: {claim}, {gettext('broken')}",
        is_withdrawn=standing.withdrawn_at is not None,
        gate=fmt.utc(period.row.gate_closes_at) if period.verdict in {Verdict.OPEN, Verdict.WAITING} else "",
    )


def _html(title: str, marks: list[Mark]) -> str:
    return render_part("assumption_marks", {"title": title, "marks": marks[:SHOWN], "more": max(0, len(marks) - SHOWN)})


def form_html(fields: dict[str, object], token: str) -> str:
    """The dialog in which one is written down, for the page's script to put into a board."""
    return render_to_string("dashboard/assumptions/dialog.html", {**fields, "csrf_token": token})
