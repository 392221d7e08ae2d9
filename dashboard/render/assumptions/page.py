"""The page of assumptions in words: the open ones first, then what was right beside the dumb rule, then the money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.urls import reverse
from django.utils.translation import gettext

from dashboard.assumptions.intervals import COIN
from dashboard.assumptions.money import Theorised, in_currencies, ledger
from dashboard.assumptions.queries import PeriodStanding, Standing
from dashboard.assumptions.rates import Case, Rate, best_and_worst, grouped, rate_of
from dashboard.render import formatting as fmt
from dashboard.render.addresses import board_address, named_market, period_address
from dashboard.render.assumptions.sheets import (
    OUTCOMES,
    Line,
    Sheet,
    confidence_sheet,
    money_cells,
    money_heads,
    money_sheets,
    outcome_name,
    percent,
    rate_cells,
    rate_heads,
    rate_sheets,
)
from dashboard.render.assumptions.words import ARROWS, claim_words, standing_words, trend_of
from market.models import Market
from market.queries import clock_zone
from trades.models import Trader


@dataclass(frozen=True, slots=True)
class ListedPeriod:
    """One period of a listed assumption."""

    title: str
    address: str
    frozen: str
    newest: str
    text: str
    trend: str
    is_broken: bool
    gate: str
    judged_before: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One assumption, ready to be shown. `withdraw`: where its author takes it back, while that is possible."""

    number: int
    trader: str
    market: str
    """Its code, where there are several."""
    day: str
    written: str
    arrow: str
    claim: str
    details: str
    tags: tuple[str, ...]
    reason: str
    is_late: bool
    is_withdrawn: bool
    periods: tuple[ListedPeriod, ...]
    withdraw: str
    currency: str


def listed(standings: Iterable[Standing], own: Trader | None, now: datetime, *, markets: list[Market]) -> list[Listed]:
    """These, as they are at `now` (UTC), for the trader who may withdraw the own ones.

    Where there are several `markets`, each says which it is of.
    """
    return [_listed(standing, own, now, named_market(standing.assumption.market, markets)) for standing in standings]


def one_currency(*lists: list[Listed], otherwise: str) -> str:
    """The sign of the currency that all of these are in, for the tables' heads; empty where there are several."""
    signs = {one.currency for rows in lists for one in rows} or {otherwise}
    return signs.pop() if len(signs) == 1 else ""


def _listed(standing: Standing, own: Trader | None, now: datetime, named: Market | None) -> Listed:
    row, zone = standing.assumption, clock_zone(standing.assumption.market)
    is_own = own == row.trader
    facts = [
        f"{row.confidence} %" if row.confidence else "",
        f"{fmt.plain(row.quantity)} MW" if row.quantity else "",
    ]
    is_before_gates = all(period.row.gate_closes_at > now for period in standing.periods)
    can_withdraw = is_own and is_before_gates and standing.withdrawn_at is None
    return Listed(
        number=row.pk,
        trader=str(row.trader),
        market=named.code if named else "",
        day=fmt.day_title(row.delivery_day),
        written=f"{fmt.short_day(row.created_at.astimezone(zone).date())} {fmt.clock_seconds(row.created_at, zone)}",
        arrow=ARROWS[standing.theory.claim],
        claim=claim_words(standing.theory),
        details=", ".join(filter(None, facts)),
        tags=tuple(row.tags),
        reason=row.reason,
        is_late=row.late,
        is_withdrawn=standing.withdrawn_at is not None,
        periods=tuple(_period(period, standing, named, own=is_own) for period in standing.periods),
        withdraw=reverse("withdraw_assumption", args=[row.pk]) if can_withdraw else "",
        currency=fmt.currency_sign(row.market.rules_on(row.delivery_day).currency),
    )


def _period(period: PeriodStanding, standing: Standing, named: Market | None, *, own: bool) -> ListedPeriod:
    row, label = standing.assumption, period.row.delivery_hour
    earlier = [record for record in period.verdicts[:-1] if record.final_price is not None]
    judged_before = gettext("before its correction %(price)s") if earlier else ""
    return ListedPeriod(
        title=fmt.period_title(label),
        address=period_address(board_address(row.trader.trader_id, row.delivery_day, named), label),
        frozen=fmt.number(period.frozen.value if period.frozen else None),
        newest=fmt.number(period.newest),
        text=standing_words(period, own=own),
        trend=trend_of(period).value,
        is_broken=period.is_broken,
        gate="" if period.record else fmt.utc(period.row.gate_closes_at),
        judged_before=judged_before % {"price": fmt.number(earlier[-1].final_price)} if earlier else "",
    )


# --- what they add up to ----------------------------------------------------------------------------------------------
def rates_body(cases: list[Case], *, traders: bool) -> dict[str, object]:
    """The rate of all of them and of groups, and how well confidence was placed."""
    rate = rate_of(cases)
    brier = rate.brier
    return {
        "rate": Line(gettext("All"), rate_cells(rate), rate.is_grey),
        "rate_heads": rate_heads(),
        "rate_sheets": rate_sheets(cases, traders=traders),
        "confidence": confidence_sheet(rate),
        "brier": None if brier is None else fmt.number(Decimal(brier.numerator) / brier.denominator),
        "coin": fmt.number(Decimal(COIN.numerator) / COIN.denominator),
        "answer": _answer(rate),
    }


def _answer(rate: Rate) -> str:
    """What the figures say, in one sentence: better than the drift, no better, or too few."""
    interval, excess = rate.pairs.interval, rate.pairs.excess
    if rate.is_grey or interval is None or excess is None:
        return gettext("Too few judged periods to say anything.")
    values = {"excess": percent(excess, signed=True)}
    if interval[0] > 0:
        return gettext("Better than the drift by %(excess)s: more than chance.") % values
    if interval[1] < 0:
        return gettext("Worse than the drift by %(excess)s: less than chance.") % values
    return gettext("%(excess)s beside the drift: no more than chance may do.") % values


def tags_body(cases: list[Case]) -> dict[str, object]:
    """For the head: the best and the worst tags of these. None is called best that is no better than the drift."""
    tags = grouped(cases, lambda case: case.tags)
    best, worst = best_and_worst(tags)
    return {"extremes": [_marked(tag, tags[tag]) for tag in (*best, *worst)]}


def _marked(tag: str, rate: Rate) -> Line:
    excess = rate.pairs.excess or 0
    return Line(tag, rate_cells(rate), mark="best" if excess > 0 else "worst" if excess < 0 else "")


@dataclass(frozen=True, slots=True)
class Money:
    """What the theories in one currency were worth. `adds_up`: linked, other and all trades, in words and exact."""

    key: str
    code: str
    """The currency's, where there are several."""
    currency: str
    heads: tuple[str, ...]
    lines: tuple[tuple[str, Line], ...]
    sheets: tuple[Sheet, ...]
    adds_up: dict[str, tuple[str, str]]


def money_body(theories: list[Theorised], totals: Mapping[str, Decimal | None], *, traders: bool) -> dict[str, object]:
    """What the theories were worth, each currency for itself. `totals`: what all trades came to, by currency."""
    parts = in_currencies(theories)
    several = len(parts) > 1
    return {
        "money": [
            _money(of_currency, totals.get(code), code, f"money-{code}" if several else "money", traders=traders)
            for code, of_currency in parts.items()
        ]
    }


def _money(theories: list[Theorised], total: Decimal | None, code: str, key: str, *, traders: bool) -> Money:
    """Linked and unlinked trades are all of the trader's in this currency, to the cent."""
    sums, currency = ledger(theories), fmt.currency_sign(code)
    unlinked = None if total is None else total - sums.linked
    amounts = (("linked", sums.linked), ("unlinked", unlinked), ("total", total))
    return Money(
        key=key,
        code="" if key == "money" else code,
        currency=currency,
        heads=money_heads(currency),
        lines=tuple((o.value, Line(outcome_name(o), money_cells(sums.of(o)))) for o in OUTCOMES),
        sheets=tuple(money_sheets(theories, currency, key=key, traders=traders)),
        adds_up={name: (fmt.number(amount, signed=True), fmt.plain(amount) or "") for name, amount in amounts},
    )
