"""Are the records right? Frozen prices and verdicts again from the stored history, rows against the audit log."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate

from accounts.audit.models import Action, Entry
from dashboard.assumptions.models import AssumedPeriod, Assumption, VerdictRecord
from dashboard.assumptions.rules import NO_FINAL_AFTER, Claim, Theory, Verdict, first_to_freeze, judgements
from dashboard.assumptions.store import digest_of
from market import clock
from prices.queries import PricePoint, price_path

UNDER_WAY = timedelta(seconds=60)
"""Between an answer's arrival and its commit: for so long a price may have been here and not yet readable."""

PATHS_KEPT = 256
"""More than the periods of a day: what is about one of them follows each other closely."""

_Facts = tuple[str, Decimal | None, datetime | None, Decimal | None]


@dataclass(frozen=True, slots=True)
class _Path:
    """A period's prices in the order of publication, to be asked by the moments of as many assumptions as there are."""

    points: list[PricePoint]
    published: list[datetime]
    arrived_from: list[datetime]
    """When the first of these and all later ones arrived."""

    @classmethod
    def of(cls, points: list[PricePoint]) -> _Path:
        first_arrivals = list(accumulate((point.arrived_at for point in reversed(points)), min))
        return cls(points, [point.last_update for point in points], first_arrivals[::-1])

    def place(self, moment: datetime) -> int:
        """Of the first that was published then or later."""
        return bisect_left(self.published, moment)


def differences() -> Iterator[str]:
    """A sentence for each record that the stored history doesn't give. Reads every assumption there is."""
    digests = _digests()
    for assumption in Assumption.objects.order_by("pk").iterator(chunk_size=500):
        if digests.get(assumption.pk, "") != digest_of(assumption):
            yield f"assumption {assumption.pk}: not what the audit log says was written down"
    newest: dict[tuple[int, datetime | None, datetime | None], datetime] = {}
    periods = AssumedPeriod.objects.select_related("assumption", "frozen").prefetch_related("verdicts")
    path_of = lru_cache(PATHS_KEPT)(_path)
    for period in periods.order_by("assumption_id", "pk").iterator(chunk_size=500):
        path = path_of(period.assumption.market_id, period.reference_start, period.reference_end)
        yield from (f"{_name(period)}: {what}" for what in (*_of_price(period, path), *_of_verdicts(period, path)))
        if _is_frozen_at_once(period):
            key = (period.assumption.market_id, period.reference_start, period.reference_end)
            if period.frozen.last_update < newest.get(key, period.frozen.last_update):
                yield f"{_name(period)}: an earlier one holds a newer price"
            newest[key] = period.frozen.last_update


def _digests() -> dict[int, str]:
    """What the audit log says of each assumption, by its number."""
    rows = Entry.objects.filter(action=Action.ASSUMED).values_list("subject", "details")
    return {int(subject.split()[1]): json.loads(details)["digest"] for subject, details in rows}


def _name(period: AssumedPeriod) -> str:
    return f"assumption {period.assumption_id}, {period.assumption.delivery_day} {period.delivery_hour}"


def _path(market_id: int, start: datetime | None, end: datetime | None) -> _Path:
    if start is None or end is None:
        return _Path.of([])
    return _Path.of(price_path(market_id=market_id, start=start, end=end))


def _is_frozen_at_once(period: AssumedPeriod) -> bool:
    return hasattr(period, "frozen") and period.frozen.frozen_at == period.assumption.created_at


def _of_price(period: AssumedPeriod, path: _Path) -> Iterator[str]:
    """What is wrong with what it was frozen at."""
    if not hasattr(period, "frozen"):
        first = first_to_freeze(path.points[:1], period.gate_closes_at)
        if first is not None and path.points[0].arrived_at < clock.now() - UNDER_WAY:
            yield "a price is here, and it still waits for one"
        return
    frozen, place = period.frozen, path.place(period.frozen.last_update)
    own = path.points[place : place + 1]
    if [(point.last_update, point.value) for point in own] != [(frozen.last_update, frozen.value)]:
        yield "it is frozen at a price that was never published"
    elif not _is_frozen_at_once(period):
        if place or frozen.last_change is not None:
            yield "it waited, and is not frozen at the first price"
    else:
        yield from _of_its_moment(period, path, place)


def _of_its_moment(period: AssumedPeriod, path: _Path, place: int) -> Iterator[str]:
    """What is wrong with one that was frozen as it was written down, at the price of this place."""
    frozen, written = period.frozen, period.assumption.created_at
    if frozen.last_change != (frozen.value - path.points[place - 1].value if place else None):
        yield "its last change is another one"
    has_newer = any(arrived < written - UNDER_WAY for arrived in path.arrived_from[place + 1 : place + 2])
    if path.points[place].arrived_at > written + UNDER_WAY or has_newer:
        yield "it is not frozen at the newest price of its moment"


def _of_verdicts(period: AssumedPeriod, path: _Path) -> Iterator[str]:
    """What is wrong with its verdicts; one that is not on record yet may be on its way."""
    assumption, frozen = period.assumption, period.frozen.value if hasattr(period, "frozen") else None
    theory = Theory(Claim(assumption.claim), assumption.threshold)
    stored = [_facts(record) for record in period.verdicts.all()]
    now = clock.now()
    finals = path.points[path.place(period.gate_closes_at) :]
    due = judgements(theory, frozen, period.gate_closes_at, finals, now)
    said = [(one.verdict.value, one.final_price, one.final_updated_at, one.move) for one in due]
    void: _Facts = (Verdict.VOID.value, None, None, None)
    if void in stored and void not in said and stored.index(void) == 0:
        said.insert(0, void)  # its final had arrived, and could not be stored in time
    recent = {point.last_update for point in finals if point.arrived_at > now - UNDER_WAY}
    missing = [one for one in said if one not in stored and one[2] not in recent]
    if now < period.gate_closes_at + NO_FINAL_AFTER + UNDER_WAY:
        missing = [one for one in missing if one != void]
    if missing or any(one not in said for one in stored) or len(set(stored)) != len(stored):
        yield f"on record are {_words(stored)}, the history gives {_words(said)}"


def _facts(record: VerdictRecord) -> _Facts:
    return record.verdict, record.final_price, record.final_updated_at, record.move


def _words(verdicts: list[_Facts]) -> str:
    return ", ".join(f"{verdict} by {price}" for verdict, price, *_ in verdicts) or "none"
