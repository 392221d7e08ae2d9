"""The page of the desk against itself: sums by period and by trader, pairs, and what compliance looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, ngettext

from dashboard.figures.itself.day import Against
from dashboard.figures.itself.matching import DeskTrade, Pair, PairSum, sum_of, sums_by
from dashboard.render import formatting as fmt
from market.labels import label_of
from trades.models import Trader

MOST_PAIRS = 50
"""Of a whole day so many of the dearest pairs are listed; of a chosen period all of them."""
MOST_ALIKE = 500


@dataclass(frozen=True, slots=True)
class SumLine:
    """A line of sums. `hour` leads to the period's pairs; empty without one."""

    name: str
    hour: str
    count: str
    energy: str
    result: str
    per_mwh: str
    trend: fmt.Trend


@dataclass(frozen=True, slots=True)
class Leg:
    """One of a pair's trades."""

    trader: str
    is_bot: bool
    price: str
    time: str
    exchange_id: str


@dataclass(frozen=True, slots=True)
class PairLine:
    """A pair."""

    period: str
    sold: Leg
    bought: Leg
    quantity: str
    energy: str
    apart: str
    result: str
    trend: fmt.Trend


@dataclass(frozen=True, slots=True)
class Section:
    """Sums, their total, and the pairs beneath; `title` says which pairs of how many."""

    key: str
    heading: str
    sums: list[SumLine]
    total: SumLine
    title: str
    pairs: list[PairLine]


def against_body(shown: Against, *, traders: Mapping[str, Trader], is_whole: bool) -> dict[str, Any]:
    """What the page shows of a day (or, unless `is_whole`, of one of its periods); `traders` by the exchange's id."""
    words = _Words(shown, traders)
    return {
        "answer": _answer(sum_of(shown.matches), words),
        "matches": words.section("matches", shown.matches, words.by_period, is_whole=is_whole),
        "round_trips": words.section("round-trips", shown.round_trips, words.by_trader, is_whole=is_whole),
        "alike": [words.pair(pair) for pair in shown.alike[:MOST_ALIKE]],
        "alike_title": _of_how_many(min(len(shown.alike), MOST_ALIKE), len(shown.alike)),
        "counted": _trades(shown.trades),
        "currency": words.currency,
    }


def _answer(total: PairSum, words: _Words) -> dict[str, str]:
    return {
        "text": fmt.number(total.result if total.count else None, signed=True),
        "trend": fmt.trend(total.result if total.count else None),
        "value": fmt.plain(total.result) or "",
        "per_mwh": fmt.number(total.per_mwh, signed=True) if total.count else "",
        "currency": words.currency,
    }


class _Words:
    """Names, labels and clocks of one day."""

    def __init__(self, shown: Against, traders: Mapping[str, Trader]) -> None:
        rules = shown.market.rules_on(shown.day)
        self.zone: ZoneInfo = rules.people_zone
        self.currency = fmt.currency_sign(rules.currency)
        self.calendar = shown.market.calendar
        self.traders = traders

    def by_period(self, pairs: Sequence[Pair]) -> tuple[str, list[SumLine]]:
        lines = []
        for period, total in sums_by(pairs, lambda pair: pair.period).items():
            label = label_of(period, self.calendar)
            lines.append(_sum_line(fmt.period_title(label), total, hour=label))
        return gettext("Delivery period"), lines

    def by_trader(self, pairs: Sequence[Pair]) -> tuple[str, list[SumLine]]:
        sums = sums_by(pairs, lambda pair: pair.later.trader)
        return gettext("Trader"), [_sum_line(self._name(trader), sums[trader]) for trader in sorted(sums)]

    def section(
        self,
        key: str,
        pairs: Sequence[Pair],
        by: Callable[[Sequence[Pair]], tuple[str, list[SumLine]]],
        *,
        is_whole: bool,
    ) -> Section:
        heading, sums = by(pairs)
        listed = sorted(pairs, key=lambda pair: pair.result)[:MOST_PAIRS] if is_whole else pairs
        title = _of_how_many(len(listed), len(pairs))
        total = _sum_line(gettext("Total"), sum_of(pairs))
        return Section(key, heading, sums, total, title, [self.pair(pair) for pair in listed])

    def pair(self, pair: Pair) -> PairLine:
        return PairLine(
            period=fmt.period_title(label_of(pair.period, self.calendar)),
            sold=self._leg(pair.sold),
            bought=self._leg(pair.bought),
            quantity=fmt.number(pair.quantity),
            energy=fmt.number(pair.energy),
            apart=_apart(pair.apart),
            result=fmt.number(pair.result, signed=True),
            trend=fmt.trend(pair.result),
        )

    def _leg(self, trade: DeskTrade) -> Leg:
        trader = self.traders.get(trade.trader)
        at = fmt.on_clock(trade.executed_at, self.zone)
        time = f"{fmt.short_day(at.date())} {at:%H:%M:%S}"
        is_bot = trader is not None and trader.is_bot
        return Leg(self._name(trade.trader), is_bot, fmt.number(trade.price), time, trade.exchange_id)

    def _name(self, trader_id: str) -> str:
        trader = self.traders.get(trader_id)
        return str(trader) if trader else trader_id


def _sum_line(name: str, total: PairSum, *, hour: str = "") -> SumLine:
    return SumLine(
        name=name,
        hour=hour,
        count=fmt.count(total.count),
        energy=fmt.quantity(total.energy),
        result=fmt.number(total.result if total.count else None, signed=True),
        per_mwh=fmt.number(total.per_mwh, signed=True),
        trend=fmt.trend(total.result if total.count else None),
    )


def _apart(apart: timedelta) -> str:
    """Minutes and seconds; below two seconds with what compliance asks for: milliseconds."""
    seconds = Decimal(apart // timedelta(milliseconds=1)) / 1000
    if seconds < 2:
        return gettext("%(seconds)s s") % {"seconds": fmt.seconds(float(seconds), 3)}
    minutes, rest = divmod(int(seconds), 60)
    return gettext("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}


def _of_how_many(listed: int, count: int) -> str:
    if listed < count:
        return gettext("%(listed)s of %(count)s pairs") % {"listed": fmt.count(listed), "count": fmt.count(count)}
    return ngettext("%(count)s pair", "%(count)s pairs", count) % {"count": fmt.count(count)}


def _trades(count: int) -> str:
    return ngettext("%(count)s trade", "%(count)s trades", count) % {"count": fmt.count(count)}
