"""The tables of the page of assumptions: rates beside the dumb rule's, and what theories were worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext, pgettext

from dashboard.assumptions.intervals import Interval
from dashboard.assumptions.money import Ledger, Outcome, Sum, Theorised, ledgers, ledgers_by_month
from dashboard.assumptions.rates import TIME_LEFT, Case, Rate, grouped, time_left_group
from dashboard.render import formatting as fmt
from dashboard.render.cells import Cell


@dataclass(frozen=True, slots=True)
class Line:
    """A table's row; grey where there are too few cases to say anything. `mark`: best, worst or neither."""

    name: str
    cells: tuple[Cell, ...]
    is_grey: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its heads."""

    key: str
    title: str
    heading: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    is_open: bool = False


# --- groups -----------------------------------------------------------------------------------------------------------
def time_left_title(group: int) -> str:
    """“30–60 min”, and what is shorter or longer than the ends."""
    if group == 0:
        return gettext("below %(minutes)s min") % {"minutes": TIME_LEFT[0]}
    if group == len(TIME_LEFT):
        return gettext("%(minutes)s min and more") % {"minutes": TIME_LEFT[-1]}
    return gettext("%(from)s to %(to)s min") % {"from": TIME_LEFT[group - 1], "to": TIME_LEFT[group]}


def _hour(hour: int) -> str:
    return fmt.period_title(f"{hour:02d}-{hour + 1:02d}")


def _by_time_left(item: Case) -> list[int]:
    return [time_left_group(item.minutes_left)]


def _tags(item: Case) -> tuple[str, ...]:
    return item.tags or (gettext("(no tag)"),)


@dataclass(frozen=True, slots=True)
class Grouping:
    """A way to group: what stands above it, and the groups of a case, which go by their keys or as `titled` says."""

    key: str
    title: str
    heading: str
    of: Callable[[Case], Iterable[Any]]
    titled: Callable[[Any], str] = str


def _groupings(*, traders: bool) -> list[Grouping]:
    """By trader (where there are several), tag, hour and time left."""
    by_trader = Grouping("trader", gettext("By trader"), gettext("Trader"), lambda item: [item.trader])
    return [
        *([by_trader] if traders else []),
        Grouping("tag", gettext("By tag"), gettext("Tag"), _tags),
        Grouping("hour", gettext("By hour of delivery"), gettext("Hour"), lambda item: [item.hour], _hour),
        Grouping("left", gettext("By time left"), gettext("Time left"), _by_time_left, time_left_title),
    ]


# --- rates ------------------------------------------------------------------------------------------------------------
def rate_heads() -> tuple[str, ...]:
    """What stands above the cells of a rate: first what counts, as a phone shows two of them."""
    return (
        gettext("excess"),
        gettext("95 % interval"),
        gettext("compared"),
        gettext("drift was right"),
        gettext("rate"),
        gettext("95 % interval"),
        pgettext("verdict", "right"),
        gettext("judged"),
    )


def rate_cells(rate: Rate) -> tuple[Cell, ...]:
    """The excess above the dumb rule on the same moments, that rule's rate, and the own one with its n and interval."""
    pairs = rate.pairs
    return (
        _percent("excess", pairs.excess, signed=True),
        _interval("excess_interval", pairs.interval, signed=True),
        _count("compared", pairs.count),
        _percent("baseline_rate", pairs.other_rate),
        _percent("rate", rate.rate),
        _interval("rate_interval", rate.interval),
        _count("right", rate.right),
        _count("judged", rate.judged),
    )


def rate_sheets(cases: list[Case], *, traders: bool) -> list[Sheet]:
    """Rates by trader (where there are several), tag, hour and time left; tags by their excess, the best first."""
    return [
        Sheet(by.key, by.title, by.heading, rate_heads(), lines, is_open=by.key in {"trader", "tag"})
        for by in _groupings(traders=traders)
        if (lines := _rate_lines(by, cases))
    ]


def _rate_lines(by: Grouping, cases: list[Case]) -> tuple[Line, ...]:
    rates = grouped(cases, by.of)
    groups = sorted(rates.items(), key=(lambda item: -(item[1].pairs.excess or 0)) if by.key == "tag" else None)
    return tuple(Line(by.titled(key), rate_cells(rate), rate.is_grey) for key, rate in groups)


def confidence_sheet(rate: Rate) -> Sheet | None:
    """What came true of what was given with each confidence; None without any."""
    if not rate.reliability:
        return None
    lines = tuple(
        Line(
            f"{line.confidence} %",
            (
                _count("judged", line.judged),
                _count("right", line.right),
                _percent("rate", line.right / line.judged),
            ),
            line.judged < 20,
        )
        for line in rate.reliability
    )
    heads = (gettext("judged"), pgettext("verdict", "right"), gettext("came true"))
    return Sheet("confidence", gettext("By confidence"), gettext("said"), heads, lines)


# --- money ------------------------------------------------------------------------------------------------------------
OUTCOMES = (Outcome.RIGHT_ACTED, Outcome.RIGHT_IDLE, Outcome.WRONG_ACTED, Outcome.WRONG_IDLE, Outcome.OTHER)


def outcome_name(outcome: Outcome) -> str:
    return {
        Outcome.RIGHT_ACTED: gettext("right and acted"),
        Outcome.RIGHT_IDLE: gettext("right and did not act"),
        Outcome.WRONG_ACTED: gettext("wrong and acted"),
        Outcome.WRONG_IDLE: gettext("wrong and did not act"),
        Outcome.OTHER: gettext("flat, void, open or late"),
    }[outcome]


def money_heads(currency: str) -> tuple[str, ...]:
    return (
        gettext("periods"),
        gettext("linked trades"),
        "MWh",
        gettext("result of the trades, %(currency)s") % {"currency": currency},
        gettext("per MWh, %(currency)s/MWh") % {"currency": currency},
        gettext("at the size given, %(currency)s") % {"currency": currency},
    )


def money_cells(one: Sum) -> tuple[Cell, ...]:
    return (
        _count("count", one.count),
        _count("trades", one.trades),
        Cell("mwh", fmt.quantity(one.mwh), fmt.plain(one.mwh) or ""),
        _signed("result", one.result),
        _signed("per_mwh", one.per_mwh),
        _signed("at_size", one.at_size),
    )


def money_sheets(theories: list[Theorised], currency: str, *, key: str, traders: bool) -> list[Sheet]:
    """The four outcomes' results by trader, tag, hour, time left and month; all of them in one currency."""
    heads = tuple(f"{outcome_name(outcome)}, {currency}" for outcome in OUTCOMES[:4])
    sheets = [
        Sheet(f"{key}-{by.key}", by.title, by.heading, heads, _money_lines(ledgers(theories, by.of), by.titled))
        for by in _groupings(traders=traders)
    ]
    months = _money_lines(ledgers_by_month(theories), str)
    return [*sheets, Sheet(f"{key}-month", gettext("By month"), gettext("Month"), heads, months)]


def _money_lines(books: dict[Any, Ledger], titled: Callable[[Any], str]) -> tuple[Line, ...]:
    return tuple(
        Line(titled(key), tuple(_worth(outcome, one.of(outcome)) for outcome in OUTCOMES[:4]))
        for key, one in sorted(books.items())
    )


def _worth(outcome: Outcome, one: Sum) -> Cell:
    """EUR of the trades where somebody acted, at the size given (or per MWh) where nobody did; with its n."""
    amount = one.result if outcome.value.endswith("acted") else one.at_size
    text = f"{fmt.number(amount, signed=True)} ({fmt.count(one.count)})"
    return Cell(outcome.value, text, fmt.plain(amount) or "", fmt.trend(amount))


# --- cells ------------------------------------------------------------------------------------------------------------
def percent(value: float | None, *, signed: bool = False) -> str:
    """A fraction of 1 as per cent, with one decimal."""
    if value is None:
        return fmt.UNDEFINED
    text = fmt.number(Decimal(round(value * 100, 1)), signed=signed)
    return f"{text[:-1]} %"


def _count(field: str, value: int) -> Cell:
    return Cell(field, fmt.count(value), str(value))


def _percent(field: str, value: float | None, *, signed: bool = False) -> Cell:
    trend = fmt.trend(Decimal(value)) if signed and value is not None else fmt.Trend.NONE
    return Cell(field, percent(value, signed=signed), "" if value is None else f"{value:.10f}", trend)


def _interval(field: str, interval: Interval | None, *, signed: bool = False) -> Cell:
    if interval is None:
        return Cell(field, fmt.UNDEFINED, "")
    low, high = (percent(end, signed=signed) for end in interval)
    return Cell(field, gettext("%(low)s to %(high)s") % {"low": low.removesuffix(" %"), "high": high}, "")


def _signed(field: str, value: Decimal | None) -> Cell:
    return Cell(field, fmt.number(value, signed=True), fmt.plain(value) or "", fmt.trend(value))
