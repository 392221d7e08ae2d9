"""Which trades followed which assumption: reads the trades of the periods that up and down claims are about."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from dashboard.assumptions.facts import Fact, cases_of, facts
from dashboard.assumptions.models import Assumption
from dashboard.assumptions.money import Linked, Theorised, result_of
from dashboard.assumptions.rates import Case
from dashboard.assumptions.rules import SIDES, Claim, Expected, followed
from market.models import Market
from trades.queries import Window, trades_in_windows

_WINDOWS = """SELECT p.id * 2 + (a.claim = 'up')::int AS number, a.trader_id, a.market_id, a.delivery_day,
        p.delivery_start, p.delivery_end, a.created_at AS begins, least(p.gate_closes_at, w.made_at) AS ends
    FROM unnest(%s::bigint[], %s::bigint[], %s::date[]) AS d (trader_id, market_id, delivery_day)
    JOIN LATERAL (SELECT * FROM dashboard_assumption WHERE (trader_id, delivery_day) = (d.trader_id, d.delivery_day)
        AND market_id = d.market_id AND claim IN ('up', 'down') OFFSET 0) AS a ON true
    JOIN LATERAL (SELECT * FROM dashboard_assumedperiod WHERE assumption_id = a.id OFFSET 0) AS p ON true
    LEFT JOIN dashboard_withdrawal AS w ON w.assumption_id = a.id"""
"""While each up or down claim is open, of all that was written for these days: a trade may follow one that was not
asked for. `number`: its period's, doubled, plus one for up."""


def theorised(assumptions: QuerySet[Assumption]) -> list[Theorised]:
    """Every period of these that claims up or down, with what followed it. Six queries, and one a market."""
    rows = facts(assumptions)
    return theorised_of(rows, cases_of(rows))


def theorised_of(rows: Sequence[Fact], cases: Sequence[Case]) -> list[Theorised]:
    """The same of what was read already, each with its case. Three queries, and one a market for its rules.

    A trade follows the newest of all that its trader had written for the period, whether it is among these or not.
    """
    sided = [(row, case) for row, case in zip(rows, cases, strict=True) if case.theory.claim in SIDES]
    links = _links([row for row, _ in sided])
    markets = Market.objects.in_bulk({row.market_pk for row, _ in sided})
    return [
        _theorised(row, case, links.get(row.number, _NONE), markets[row.market_pk].rules_on(row.day).currency)
        for row, case in sided
    ]


_NONE = Linked()


def _links(rows: Sequence[Fact]) -> dict[int, Linked]:
    """Per period of an assumption, by its number, what followed it."""
    days = list({(row.trader_pk, row.market_pk, row.day) for row in rows})
    wanted = {row.number: row for row in rows}
    links: dict[int, Linked] = {}
    for trade in trades_in_windows(windows=_WINDOWS, values=[[day[part] for day in days] for part in range(3)]):
        follows = followed(trade.direction, trade.execution_time, map(_expected, trade.windows))
        if follows is not None and (row := wanted.get(follows.number)) is not None:
            mwh = trade.quantity * row.hours
            result = result_of(trade.direction, trade.price, row.reference, mwh)
            links[row.number] = links.get(row.number, _NONE).with_trade(mwh, result)
    return links


def _expected(window: Window) -> Expected:
    claim = Claim.UP if window.number % 2 else Claim.DOWN
    return Expected(window.number // 2, claim, window.begins, window.ends)


def _theorised(row: Fact, case: Case, linked: Linked, currency: str) -> Theorised:
    return Theorised(row.assumption, case, row.hours, row.move, row.quantity, linked, f"{row.day:%Y-%m}", currency)
