"""What somebody wants to write down, understood: the words of JSON or of a form to a Wish, or one sentence why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from dashboard.assumptions.models import LONGEST_REASON, LONGEST_TAG, MOST_TAGS
from dashboard.assumptions.rules import BROKEN_AT, NEEDS_THRESHOLD, Claim, Theory
from market.labels import ParsedPeriod, parse_period
from market.models import Market
from market.periods import DeliveryPeriod, PeriodError, parse_day
from market.queries import market_by_code

MOST_PERIODS = 100
HIGHEST = Decimal(99_999)
_DECIMALS = 4
_NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{1,12})?", re.ASCII)
_HOURS = re.compile(r"(\d{2})-(\d{2})", re.ASCII)


class AssumptionError(ValueError):
    """What can't be written down; the message, `pattern % values`, is one sentence for people."""

    def __init__(self, pattern: str, **values: object) -> None:
        super().__init__(pattern % values)
        self.pattern = pattern
        self.values = values


@dataclass(frozen=True, slots=True)
class Wish:
    """An assumption as its author wants it: `quantity` MW, `confidence` per cent."""

    market: Market
    day: date
    periods: tuple[ParsedPeriod, ...]
    theory: Theory
    confidence: int | None = None
    quantity: Decimal | None = None
    tags: tuple[str, ...] = ()
    reason: str = ""


def understood(said: Mapping[str, Any]) -> Wish:
    """The wish; raises AssumptionError, PeriodError or MarketError. Numbers may be texts, as forms have them."""
    market = market_by_code(_text(said, "market") or None)
    day = parse_day(_text(said, "delivery_day"))
    claim, currency = _claim(said), market.rules_on(day).currency
    return Wish(
        market=market,
        day=day,
        periods=_periods(said.get("delivery_hours"), day, market),
        theory=Theory(claim, _threshold(said, claim, currency), _broken_at(said, currency)),
        confidence=_confidence(said),
        quantity=_quantity(said),
        tags=_tags(said.get("tags")),
        reason=_reason(said),
    )


# --- one by one -------------------------------------------------------------------------------------------------------
def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise AssumptionError("“%(name)s” must be a text", name=name)
    return value.strip()


def _claim(said: Mapping[str, Any]) -> Claim:
    word = _text(said, "claim")
    if word not in tuple(Claim):
        raise AssumptionError("the claim must be one of up, down, within, above, below")
    return Claim(word)


def _number(said: Mapping[str, Any], name: str) -> Decimal | None:
    value = said.get(name)
    if value is None or value == "":
        return None
    text = str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    try:
        number = Decimal(text) if isinstance(value, Decimal) or _NUMBER.fullmatch(text) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > HIGHEST or number != round(number, _DECIMALS):
        raise AssumptionError(
            "“%(name)s” must be a number between -%(highest)s and %(highest)s with at most %(decimals)s decimals",
            name=name,
            highest=HIGHEST,
            decimals=_DECIMALS,
        )
    return number + 0


def _threshold(said: Mapping[str, Any], claim: Claim, currency: str) -> Decimal | None:
    threshold = _number(said, "threshold")
    if threshold is None and claim in NEEDS_THRESHOLD:
        raise AssumptionError("“%(claim)s” needs a threshold in %(currency)s/MWh", claim=claim.value, currency=currency)
    if threshold is not None and threshold < 0 and claim not in {Claim.ABOVE, Claim.BELOW}:
        raise AssumptionError("the threshold of “%(claim)s” can't be negative", claim=claim.value)
    return threshold


def _broken_at(said: Mapping[str, Any], currency: str) -> Decimal:
    broken_at = _number(said, "broken_at")
    if broken_at is not None and broken_at <= 0:
        raise AssumptionError("what breaks it must be more than 0 %(currency)s/MWh", currency=currency)
    return BROKEN_AT if broken_at is None else broken_at


def _confidence(said: Mapping[str, Any]) -> int | None:
    confidence = _number(said, "confidence")
    if confidence is None:
        return None
    if confidence != int(confidence) or not 50 <= confidence <= 90:
        raise AssumptionError("the confidence must be a whole number from 50 to 90 per cent")
    return int(confidence)


def _quantity(said: Mapping[str, Any]) -> Decimal | None:
    quantity = _number(said, "quantity")
    if quantity is not None and quantity <= 0:
        raise AssumptionError("the size must be more than 0 MW")
    return quantity


def _tags(value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else [] if value is None else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise AssumptionError("the tags must be a list of texts")
    tags = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    if len(tags) > MOST_TAGS:
        raise AssumptionError("at most %(most)s tags, please", most=MOST_TAGS)
    if any(len(tag) > LONGEST_TAG or "," in tag or not tag.isprintable() for tag in tags):
        raise AssumptionError(
            "a tag has at most %(longest)s characters, no comma and no control characters", longest=LONGEST_TAG
        )
    return tags


def _reason(said: Mapping[str, Any]) -> str:
    reason = " ".join(_text(said, "reason").split())
    if len(reason) > LONGEST_REASON:
        raise AssumptionError("a reason has at most %(longest)s characters", longest=LONGEST_REASON)
    if any(ord(character) < 32 or 0xD800 <= ord(character) < 0xE000 for character in reason):
        raise AssumptionError("a reason has no control characters")
    return reason


# --- periods ----------------------------------------------------------------------------------------------------------
def gate_of(period: DeliveryPeriod, day: date, market: Market) -> datetime:
    """From when on (UTC) nothing is taken: the period's last gate closure, or that of the price that stands in for it,
    which is final then."""
    return min(market.gate_closure(day, one) for one in (period, *market.reference_periods(day, period)))


def _periods(value: Any, day: date, market: Market) -> tuple[ParsedPeriod, ...]:
    labels = value.split(",") if isinstance(value, str) else value
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise AssumptionError("name at least one delivery period, for example 17-18")
    if len(labels) > MOST_PERIODS:
        raise AssumptionError("at most %(most)s periods at once, please", most=MOST_PERIODS)
    parsed = {one.period: one for label in labels for one in _of_label(label.strip(), day, market)}
    if not parsed:
        raise AssumptionError("name at least one delivery period, for example 17-18")
    return tuple(one for _, one in sorted(parsed.items(), key=lambda item: (item[0].start, item[0].end)))


def _of_label(label: str, day: date, market: Market) -> list[ParsedPeriod]:
    """One period, or each hour of a range such as 17-20, both passes of a doubled one among them."""
    hours = _HOURS.fullmatch(label)
    if hours:
        _check_crossing(label, int(hours[1]), int(hours[2]), market.calendar.on(day).day_start)
        label = f"{hours[1]}-{'24' if hours[2] == '00' else hours[2]}"
    one = parse_period(day, label, market.calendar)
    if hours and one.period.is_block:  # from its first hour to where the wall clock has passed its last
        within = [hour for hour in market.day_periods(day) if one.period.start <= hour.start < one.period.end]
        return [ParsedPeriod(hour, market.label_of(hour)) for hour in within]
    if one.ambiguous:
        raise PeriodError("“%(text)s” exists twice on %(day)s: say A or B", text=label, day=day)
    if len(market.reference_periods(day, one.period)) > 1:
        raise AssumptionError("%(label)s goes by the mean of its hours: name those", label=one.label)
    return [one]


def _check_crossing(label: str, first: int, last: int, begins: time) -> None:
    """Where a day begins at 23:00, 22-24 is its last hour and its first one: no hours that follow each other."""
    if begins.hour and max(first, last) <= 24 and (first - begins.hour) % 24 >= ((last - begins.hour) % 24 or 24):
        raise AssumptionError(
            "“%(text)s” is no range within one delivery day, which begins at %(begins)s here",
            text=label,
            begins=f"{begins:%H:%M}",
        )
