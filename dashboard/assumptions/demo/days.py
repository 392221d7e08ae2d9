"""What the demo's traders assumed on the past days of its first market, by its own references, and their trades on it.

Never on a real desk.

One tag knows more than the drift (“wind update”), one only rides it (“trend”), one guesses (“gut feeling”): the page of
assumptions tells which. The same days are the same again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from django.db import transaction

from accounts.audit.log import record
from accounts.audit.models import Action
from dashboard.assumptions import judging
from dashboard.assumptions.demo.trading import Deal, book, on_an_assumption
from dashboard.assumptions.models import AssumedPeriod, Assumption, FrozenPrice
from dashboard.assumptions.rules import is_late
from dashboard.assumptions.store import digest_of
from dashboard.assumptions.wishes import gate_of
from dashboard.models import TraderLogin
from market.models import Market
from market.periods import HOUR, DeliveryPeriod
from prices.past import PathPoint, paths_of_day
from trades.queries import is_real

DAYS, A_DAY, FEWEST_POINTS = 30, 4, 8
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
    """The newest references of one period, ten minutes apart, oldest first; `final`: the last one is it."""

    period: DeliveryPeriod
    gate: datetime
    points: tuple[tuple[datetime, Decimal], ...]
    final: bool


@dataclass(frozen=True, slots=True)
class Idea:
    """What somebody has in mind at a moment; `step`: the newest price's number in the path."""

    author: TraderLogin
    path: Path
    step: int
    created: datetime
    tag: str


@transaction.atomic
def make_demo(*, market: Market, now: datetime) -> int:
    """Assumptions of the days until `now` (UTC) and trades on them, judged; how many. None where there are any, nor in
    a market whose trades are real."""
    authors = list(TraderLogin.objects.select_related("trader", "user").order_by("trader__trader_id"))
    if Assumption.objects.exists() or not authors or is_real(market_id=market.pk):
        return 0
    deals: list[Deal] = []
    for number in range(DAYS, -1, -1):
        day = market.day_of(now) - timedelta(days=number)
        chance = random.Random(day.toordinal())  # noqa: S311 - play, no secret
        paths = _paths(market, day, now)
        ideas = [idea for author in authors for idea in _ideas(author, paths, chance)]
        for idea in sorted(ideas, key=lambda one: one.created):  # their numbers are in the order of time
            deals += [deal for deal in _assume(idea, market, day, chance) if deal.at < now]
        judging.judge_day(market_pk=market.pk, day=day)
    book(deals, market)
    return Assumption.objects.count()


def _paths(market: Market, day: date, now: datetime) -> list[Path]:
    """Of those hours whose references of the last ten minutes before their gate, or now, are on record."""
    found = [
        _path(period, points, market, day)
        for period, points in paths_of_day(market_id=market.pk, day=day, until=now)
        if period.duration == HOUR
    ]
    return [path for path in found if len(path.points) >= FEWEST_POINTS]


def _path(period: DeliveryPeriod, points: list[PathPoint], market: Market, day: date) -> Path:
    gate = gate_of(period, day, market)
    kept = [points[-1]]
    for later, earlier in pairwise(reversed(points)):
        if later.published - earlier.published > 1.5 * SLOT.total_seconds():
            break
        kept.append(earlier)
    known = tuple((datetime.fromtimestamp(point.published, UTC), point.value) for point in reversed(kept))
    return Path(period, gate, known, final=known[-1][0] >= gate)


def _ideas(author: TraderLogin, paths: list[Path], chance: random.Random) -> list[Idea]:
    """Of closed hours, and of some of the next ones."""
    closed, still_open = [p for p in paths if p.final], [p for p in paths if not p.final][: 2 * A_DAY]
    chosen = [
        *chance.sample(closed, min(A_DAY, len(closed))),
        *chance.sample(still_open, min(A_DAY // 2, len(still_open))),
    ]
    return [_idea(author, path, chance) for path in chosen]


def _idea(author: TraderLogin, path: Path, chance: random.Random) -> Idea:
    """In the last hour or two before the gate; of an open hour at the price before the newest one."""
    number = len(path.points)
    step = chance.randrange(max(1, number - 11), number - 3) if path.final else number - 2
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
