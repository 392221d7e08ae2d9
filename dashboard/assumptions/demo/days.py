"""Thirty past days of the demo desk: made-up references, what five traders assumed of them, and their trades.

Never on a real desk.

One tag knows more than the drift (“wind update”), one only rides it (“trend”), one guesses (“gut feeling”): the page of
assumptions tells which. The same day is the same day again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.audit.log import record
from accounts.audit.models import Action
from dashboard.assumptions import judging
from dashboard.assumptions.demo.trading import SALES_A_DAY, Deal, book, of_the_portfolio, on_an_assumption
from dashboard.assumptions.models import AssumedPeriod, Assumption, FrozenPrice
from dashboard.assumptions.rules import is_late
from dashboard.assumptions.store import digest_of
from dashboard.assumptions.wishes import gate_of
from dashboard.models import TraderLogin
from market.models import Market
from market.periods import DeliveryPeriod
from prices.models import ReferencePrice, ReferencePriceHistory

DAYS, STEPS, A_DAY = 30, 14, 4
SLOT = timedelta(minutes=10)
TAGS = {
    "wind update": "the newest forecast has less wind than the one that the market trades on",
    "trend": "it has been going this way for half an hour",
    "gut feeling": "",
}
KNOWS = 0.85
"""How often a wind update is right: the drift alone is so in about two of three cases."""


@dataclass(frozen=True, slots=True)
class Path:
    """The made-up references of one period, oldest first; the last one is final."""

    period: DeliveryPeriod
    gate: datetime
    points: tuple[tuple[datetime, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Idea:
    """What somebody has in mind at a moment; `step`: the newest price's number in the path."""

    author: TraderLogin
    path: Path
    step: int
    created: datetime
    tag: str


@transaction.atomic
def make_demo(*, market: Market, today: date) -> int:
    """Prices, assumptions and trades of the days before `today`, judged; how many. Nothing where there are any."""
    authors = list(TraderLogin.objects.select_related("trader", "user").order_by("trader__trader_id"))
    if Assumption.objects.exists() or not authors:
        return 0
    deals: list[Deal] = []
    for number in range(DAYS, 0, -1):
        day = today - timedelta(days=number)
        if ReferencePriceHistory.objects.filter(market=market, delivery_day=day).exists():
            continue
        chance = random.Random(day.toordinal())  # noqa: S311 - play, no secret
        paths = [_path(period, day, market, chance) for period in market.day_periods(day)]
        _store_prices(market, day, paths)
        ideas = [_idea(author, path, chance) for author in authors for path in chance.sample(paths, A_DAY)]
        for idea in sorted(ideas, key=lambda one: one.created):  # their numbers are in the order of time
            deals += _assume(idea, market, day, chance)
        deals += _sales(authors, paths, market, day, chance)
        judging.judge_day(market_pk=market.pk, day=day)
    book(deals, market)
    return Assumption.objects.count()


def _sales(
    authors: list[TraderLogin], paths: list[Path], market: Market, day: date, chance: random.Random
) -> Iterator[Deal]:
    for author in authors:
        for path in chance.sample(paths, SALES_A_DAY):
            label, reference = market.label_of(path.period), path.points[-1][1]
            yield of_the_portfolio(
                trader_id=author.trader.trader_id, day=day, label=label, reference=reference, gate=path.gate
            )


def _path(period: DeliveryPeriod, day: date, market: Market, chance: random.Random) -> Path:
    """What an average does: it goes on as it last moved, less and less."""
    gate = gate_of(period, day, market)
    first = gate.replace(minute=gate.minute // 10 * 10, second=0, microsecond=0) - (STEPS - 2) * SLOT
    value, move = 60 + 40 * chance.random(), chance.gauss(0, 1)
    points = []
    for step in range(STEPS):
        points.append((first + step * SLOT, Decimal(round(value * 100)) / 100))
        move = 0.55 * move + chance.gauss(0, 0.8)
        value += move
    return Path(period, gate, tuple(points))


def _store_prices(market: Market, day: date, paths: list[Path]) -> None:
    rows = [list(_prices(market, day, path)) for path in paths]
    ReferencePriceHistory.objects.bulk_create(ReferencePriceHistory(**point) for points in rows for point in points)
    ReferencePrice.objects.bulk_create(ReferencePrice(**points[-1]) for points in rows)


def _prices(market: Market, day: date, path: Path) -> Iterator[dict[str, Any]]:
    for number, (moment, value) in enumerate(path.points):
        yield {
            "market": market,
            "delivery_day": day,
            "delivery_hour": market.label_of(path.period),
            "delivery_start": path.period.start,
            "delivery_end": path.period.end,
            "value": value,
            "last_update": moment,
            "arrived_at": moment + timedelta(seconds=4 + number),
        }


def _idea(author: TraderLogin, path: Path, chance: random.Random) -> Idea:
    step = chance.randrange(1, STEPS - 3)
    created = path.points[step][0] + timedelta(seconds=chance.randrange(60, 500))
    return Idea(author, path, step, created, chance.choice(list(TAGS)))


def _assume(idea: Idea, market: Market, day: date, chance: random.Random) -> list[Deal]:
    """Stores it; what its author traded on it."""
    author, path, step, tag, created = idea.author, idea.path, idea.step, idea.tag, idea.created
    before, frozen, final = (path.points[number][1] for number in (step - 1, step, -1))
    assumption = Assumption.objects.create(
        market=market,
        trader=author.trader,
        author=author.user,
        created_at=created,
        delivery_day=day,
        reading="product",
        claim="up" if _goes_up(tag, frozen - before, final - frozen, chance) else "down",
        confidence=chance.choice([None, 60, 70, 80]),
        quantity=chance.choice([None, Decimal(5), Decimal(10)]),
        tags=[tag],
        reason=TAGS[tag],
        late=is_late(created, [path.gate]),
    )
    _freeze(assumption, idea, market)
    subject = f"assumption {assumption.pk} of {author.trader} for {day}"
    record(
        action=Action.ASSUMED, subject=subject, details={"digest": digest_of(assumption)}, actor="(demo)", address=""
    )
    return on_an_assumption(
        trader_id=author.trader.trader_id,
        day=day,
        label=market.label_of(path.period),
        claim=assumption.claim,
        tag=tag,
        frozen=frozen,
        written=created,
        gate=path.gate,
    )


def _freeze(assumption: Assumption, idea: Idea, market: Market) -> None:
    """Its period, at the newest price of its moment."""
    path, step = idea.path, idea.step
    (_, before), (moment, frozen) = path.points[step - 1], path.points[step]
    period = AssumedPeriod.objects.create(
        assumption=assumption,
        delivery_hour=market.label_of(path.period),
        delivery_start=path.period.start,
        delivery_end=path.period.end,
        reference_start=path.period.start,
        reference_end=path.period.end,
        gate_closes_at=path.gate,
        net_mwh=Decimal(0),
    )
    FrozenPrice.objects.create(
        period=period, value=frozen, last_update=moment, last_change=frozen - before, frozen_at=idea.created
    )


def _goes_up(tag: str, change: Decimal, move: Decimal, chance: random.Random) -> bool:
    if tag == "wind update":
        return (move > 0) == (chance.random() < KNOWS)
    return change > 0 if tag == "trend" else chance.random() < 0.5
