"""Are the records right? Frozen prices and verdicts again from the stored history, rows against the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.audit.models import Action, Entry
from dashboard.assumptions.models import AssumedPeriod, Assumption, VerdictRecord
from dashboard.assumptions.rules import NO_FINAL_AFTER, Claim, Theory, Verdict, first_to_freeze, judgements
from dashboard.assumptions.store import digest_of
from market import clock
from prices.queries import PricePoint, price_path

UNDER_WAY = timedelta(seconds=60)
"""Between an answer's arrival and its commit: for so long a price may have been here and not yet readable."""

_Facts = tuple[str, Decimal | None, datetime | None, Decimal | None]


def differences() -> Iterator[str]:
    """A sentence for each record that the stored history doesn't give. Reads every assumption there is."""
    digests = _digests()
    for assumption in Assumption.objects.order_by("pk").iterator(chunk_size=500):
        if digests.get(assumption.pk, "") != digest_of(assumption):
            yield f"assumption {assumption.pk}: not what the audit log says was written down"
    newest: dict[tuple[int, datetime | None, datetime | None], datetime] = {}
    periods = AssumedPeriod.objects.select_related("assumption", "frozen").prefetch_related("verdicts")
    for period in periods.order_by("assumption_id", "pk").iterator(chunk_size=500):
        path = _path(period)
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


def _path(period: AssumedPeriod) -> list[PricePoint]:
    if period.reference_start is None or period.reference_end is None:
        return []
    return price_path(market_id=period.assumption.market_id, start=period.reference_start, end=period.reference_end)


def _is_frozen_at_once(period: AssumedPeriod) -> bool:
    return hasattr(period, "frozen") and period.frozen.frozen_at == period.assumption.created_at


def _of_price(period: AssumedPeriod, path: list[PricePoint]) -> Iterator[str]:
    """What is wrong with what it was frozen at."""
    first, written = first_to_freeze(path, period.gate_closes_at), period.assumption.created_at
    if not hasattr(period, "frozen"):
        if first is not None and first.arrived_at < clock.now() - UNDER_WAY:
            yield "a price is here, and it still waits for one"
        return
    frozen = period.frozen
    before = [point for point in path if point.last_update < frozen.last_update]
    own = [point for point in path if (point.last_update, point.value) == (frozen.last_update, frozen.value)]
    after = [point for point in path if point.last_update > frozen.last_update]
    if not own:
        yield "it is frozen at a price that was never published"
    elif not _is_frozen_at_once(period):
        if before or frozen.last_change is not None:
            yield "it waited, and is not frozen at the first price"
    else:
        if frozen.last_change != (frozen.value - before[-1].value if before else None):
            yield "its last change is another one"
        if own[0].arrived_at > written + UNDER_WAY or any(p.arrived_at < written - UNDER_WAY for p in after):
            yield "it is not frozen at the newest price of its moment"


def _of_verdicts(period: AssumedPeriod, path: list[PricePoint]) -> Iterator[str]:
    """What is wrong with its verdicts; one that is not on record yet may be on its way."""
    assumption, frozen = period.assumption, period.frozen.value if hasattr(period, "frozen") else None
    theory = Theory(Claim(assumption.claim), assumption.threshold)
    stored = [_facts(record) for record in period.verdicts.all()]
    now = clock.now()
    due = list(judgements(theory, frozen, period.gate_closes_at, path, now))
    said = [(one.verdict.value, one.final_price, one.final_updated_at, one.move) for one in due]
    void: _Facts = (Verdict.VOID.value, None, None, None)
    if void in stored and void not in said and stored.index(void) == 0:
        said.insert(0, void)  # its final had arrived, and could not be stored in time
    recent = {point.last_update for point in path if point.arrived_at > now - UNDER_WAY}
    missing = [one for one in said if one not in stored and one[2] not in recent]
    if now < period.gate_closes_at + NO_FINAL_AFTER + UNDER_WAY:
        missing = [one for one in missing if one != void]
    if missing or any(one not in said for one in stored) or len(set(stored)) != len(stored):
        yield f"on record are {_words(stored)}, the history gives {_words(said)}"


def _facts(record: VerdictRecord) -> _Facts:
    return record.verdict, record.final_price, record.final_updated_at, record.move


def _words(verdicts: list[_Facts]) -> str:
    return ", ".join(f"{verdict} by {price}" for verdict, price, *_ in verdicts) or "none"
