"""Assumptions in an opened period: a flag on the price path at its moment, and the same as a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dashboard.assumptions.queries import PeriodStanding, Standing
from dashboard.render import formatting as fmt
from dashboard.render.assumptions.words import ARROWS, claim_words, standing_words, trend_of, verdict_name
from market.periods import DeliveryPeriod


@dataclass(frozen=True, slots=True)
class PanelLine:
    """One assumption of the period."""

    arrow: str
    written: str
    claim: str
    frozen: str
    text: str
    trend: str
    is_broken: bool


def _of_period(standings: Iterable[Standing], period: DeliveryPeriod) -> Iterable[tuple[Standing, PeriodStanding]]:
    return ((one, part) for one in standings for part in one.periods if part.period == period)


def flags_of(standings: Iterable[Standing], period: DeliveryPeriod) -> list[list[object]]:
    """When (ms since 1970) and at which price each was frozen, its arrow and what became of it."""
    return [
        [
            int(max(part.frozen.frozen_at, one.assumption.created_at).timestamp() * 1000),
            fmt.plain(part.frozen.value),
            ARROWS[one.theory.claim],
            verdict_name(part.verdict) if part.record else "",
        ]
        for one, part in _of_period(standings, period)
        if part.frozen is not None
    ]


def panel_lines(standings: Iterable[Standing], period: DeliveryPeriod, zone: ZoneInfo) -> list[PanelLine]:
    """The same in words, for the panel and for those who can't see the chart."""
    return [
        PanelLine(
            arrow=ARROWS[one.theory.claim],
            written=fmt.clock_seconds(one.assumption.created_at, zone),
            claim=claim_words(one.theory),
            frozen=fmt.number(part.frozen.value if part.frozen else None),
            text=standing_words(part, own=False),
            trend=trend_of(part).value,
            is_broken=part.is_broken,
        )
        for one, part in _of_period(standings, period)
    ]
