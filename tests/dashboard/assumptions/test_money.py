"""From theory to money, by hand, and as a sum that keeps all of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dashboard.assumptions.money import (
    Ledger,
    Linked,
    Outcome,
    Sum,
    Theorised,
    in_currencies,
    ledger,
    ledgers,
    ledgers_by_month,
    result_of,
)
from dashboard.assumptions.rates import Case
from dashboard.assumptions.rules import Claim, Theory, Verdict

D = Decimal


def theory(
    verdict: Verdict,
    move: str | None,
    linked: Linked | None = None,
    *,
    claim: Claim = Claim.UP,
    late: bool = False,
    mw: str = "",
) -> Theorised:
    stands = Theory(claim, D(1) if claim is Claim.WITHIN else None)
    return Theorised(
        assumption=1,
        case=Case(stands, verdict, late, None, None, None, tags=("a", "b")),
        hours=D("0.25"),
        move=D(move) if move else None,
        quantity=D(mw) if mw else None,
        linked=linked or Linked(),
        month="2026-11",
    )


def test_what_a_trade_gains() -> None:
    assert result_of("buy", D(50), D(53), D(2)) == 6
    assert result_of("sell", D(50), D(53), D(2)) == -6
    assert result_of("sell", D(50), None, D(2)) is None
    assert Linked().with_trade(D(2), D(6)).with_trade(D(1), None) == Linked(2, D(3), D(6))


def test_the_four_outcomes_and_the_rest() -> None:
    bought = Linked(1, D(2), D(6))
    book = ledger(
        [
            theory(Verdict.RIGHT, "3", bought),
            theory(Verdict.RIGHT, "2", mw="10"),
            theory(Verdict.RIGHT, "-4", claim=Claim.DOWN),
            theory(Verdict.WRONG, "-1", Linked(2, D(5), D(-5))),
            theory(Verdict.WRONG, "-2"),
            theory(Verdict.FLAT, "0", bought),
            theory(Verdict.RIGHT, "3", bought, late=True),
            theory(Verdict.RIGHT, "0", claim=Claim.WITHIN, mw="1", late=True),
        ]
    )
    assert book.of(Outcome.RIGHT_ACTED) == Sum(1, 1, D(2), D(6), D(3), None)
    assert book.of(Outcome.RIGHT_IDLE) == Sum(2, 0, D(0), None, D(3), D(5))
    assert (book.of(Outcome.WRONG_ACTED).result, book.of(Outcome.WRONG_IDLE).per_mwh) == (-5, -2)
    assert (book.of(Outcome.OTHER).count, book.of(Outcome.OTHER).result) == (3, 12)
    assert book.linked == 6 - 5 + 12
    assert Ledger().of(Outcome.OTHER) == Sum()
    assert set(ledgers([theory(Verdict.RIGHT, "1")], lambda case: case.tags)) == {"a", "b"}
    assert ledgers_by_month([theory(Verdict.WRONG, "-1")])["2026-11"].of(Outcome.WRONG_IDLE).count == 1


def test_only_what_is_in_one_currency_stands_together() -> None:
    pounds, euros = (replace(theory(Verdict.RIGHT, move), currency=code) for move, code in (("1", "GBP"), ("2", "EUR")))
    assert in_currencies([pounds, euros, pounds]) == {"EUR": [euros], "GBP": [pounds, pounds]}


@given(st.lists(st.tuples(st.sampled_from(list(Verdict)), st.decimals(-999, 999, places=4)), max_size=30))
def test_nothing_of_what_was_linked_is_lost(rows: list[tuple[Verdict, Decimal]]) -> None:
    book = ledger([theory(verdict, "1", Linked(1, D(1), result)) for verdict, result in rows])
    assert book.linked == sum((result for _, result in rows), D(0))
