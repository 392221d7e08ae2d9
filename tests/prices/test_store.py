"""Storing answers: newer wins, older and contradicting ones don't, history once, news after the commit."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from market.models import Market
from prices.models import ProviderRequest, ReferencePrice, ReferencePriceHistory
from prices.observations import Outcome, Published, Refusal, Undefined
from prices.signals import prices_changed
from prices.store import Arrival, store_answer
from tests.emptying import emptied
from tests.prices.conftest import DAY, key_of, published, reserved, store

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def news() -> Iterator[list[frozenset[tuple[int, date]]]]:
    """What was announced, in order."""
    heard: list[frozenset[tuple[int, date]]] = []

    def hear(changes: frozenset[tuple[int, date]], **_kwargs: Any) -> None:
        assert not transaction.get_connection().in_atomic_block
        heard.append(changes)

    prices_changed.connect(hear)
    yield heard
    prices_changed.disconnect(hear)


def known(market: Market) -> tuple[Decimal, int]:
    row = ReferencePrice.objects.get(market=market)
    return row.value, row.revision


def test_a_first_price(market: Market, news: list[Any]) -> None:
    assert store(market, 12, published("9.8")) is Outcome.NEWER
    row = ReferencePrice.objects.get()
    assert (row.value, row.revision, row.delivery_hour, row.delivery_day) == (Decimal("9.8"), 1, "12-13", DAY)
    assert row.last_update == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert ReferencePriceHistory.objects.count() == 1
    assert ProviderRequest.objects.get().outcome == "newer"
    assert news == [frozenset({(market.pk, DAY)})]


def test_a_newer_price_replaces_it_and_the_path_keeps_both(market: Market, news: list[Any]) -> None:
    store(market, 12, published("9.8"))
    assert store(market, 12, published("-3", minute=10)) is Outcome.NEWER
    assert known(market) == (Decimal(-3), 2)
    assert ReferencePriceHistory.objects.count() == 2
    assert len(news) == 2


def test_the_same_again_is_no_news(market: Market, news: list[Any]) -> None:
    store(market, 12, published("9.8"))
    assert store(market, 12, published("9.80")) is Outcome.UNCHANGED
    assert known(market) == (Decimal("9.8"), 1)
    assert ReferencePriceHistory.objects.count() == len(news) == 1


def test_an_older_price_never_overwrites(market: Market, news: list[Any]) -> None:
    store(market, 12, published("9.8", minute=10))
    assert store(market, 12, published("7", minute=0)) is Outcome.BAD_ANSWER
    assert known(market) == (Decimal("9.8"), 1)
    assert ReferencePriceHistory.objects.count() == len(news) == 1
    assert "older" in ProviderRequest.objects.first().detail  # type: ignore[union-attr]


def test_the_first_value_of_a_publication_stays(market: Market, news: list[Any]) -> None:
    store(market, 12, published("9.8"))
    assert store(market, 12, published("9.9")) is Outcome.BAD_ANSWER
    assert known(market) == (Decimal("9.8"), 1)
    assert ReferencePriceHistory.objects.count() == len(news) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Undefined("404"),
        Refusal(Outcome.BAD_ANSWER, "another period"),
        Refusal(Outcome.FAILED, "no answer"),
        Refusal(Outcome.REFUSED, "429", 30.0),
    ],
)
def test_no_price_leaves_the_known_one(market: Market, news: list[Any], answer: Undefined | Refusal) -> None:
    store(market, 12, published("9.8"))
    assert store(market, 12, answer) == getattr(answer, "outcome", Outcome.UNDEFINED)
    assert known(market) == (Decimal("9.8"), 1)
    assert len(news) == 1
    row = ProviderRequest.objects.first()
    assert row is not None
    assert row.detail == answer.reason
    assert (row.paused_until is not None) == (answer == Refusal(Outcome.REFUSED, "429", 30.0))


def test_a_wild_price_is_taken_and_stands_out_in_the_log(market: Market) -> None:
    store(market, 12, published("80"))
    with capture_logs() as logs:
        assert store(market, 12, published("-4000", minute=10)) is Outcome.NEWER
    assert [entry["event"] for entry in logs] == ["price_stored", "price_jumped"]
    assert logs[1]["before"] == 80


def test_a_listener_that_breaks_costs_nobody_else(market: Market, news: list[Any]) -> None:
    def broken(**_kwargs: Any) -> None:
        raise RuntimeError("Redis is away")

    prices_changed.connect(broken)
    try:
        assert store(market, 12, published("9.8")) is Outcome.NEWER
    finally:
        prices_changed.disconnect(broken)
    assert len(news) == 1


def test_half_a_store_is_none(market: Market, news: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("prices.request_ledger.finish", broken)
    with pytest.raises(RuntimeError):
        store(market, 12, published("9.8"))
    assert not ReferencePrice.objects.exists()
    assert not ReferencePriceHistory.objects.exists()
    assert news == []


@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-20, 20)), min_size=1, max_size=8))
def test_in_any_order_the_newest_wins(market: Market, arrivals: list[tuple[int, int]]) -> None:
    emptied(ReferencePrice, ReferencePriceHistory, ProviderRequest)
    accepted: list[tuple[int, int]] = []
    for minute, value in arrivals:
        if store(market, 12, published(str(value), minute=minute)) is Outcome.NEWER:
            accepted.append((minute, value))
    assert [m for m, _ in accepted] == sorted({m for m, _ in accepted})
    assert known(market) == (Decimal(accepted[-1][1]), len(accepted))
    assert accepted[-1][0] == max(m for m, _ in arrivals)
    assert ReferencePriceHistory.objects.count() == len(accepted)


def test_many_at_once_leave_one_row_and_a_whole_path(market: Market) -> None:
    def put(minute: int) -> None:
        try:
            store(market, 12, Published(Decimal(minute), datetime(2026, 3, 2, 9, minute, tzinfo=UTC)))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, [5, 3, 7, 1, 7, 2, 6, 4]))
    value, revision = known(market)
    assert value == 7
    assert revision == ReferencePriceHistory.objects.count()


@pytest.mark.parametrize(("minute", "value", "corrected"), [(10, "9.9", True), (10, "9.8", False), (50, "9.9", False)])
def test_a_final_price_that_changes_is_noticed(market: Market, minute: int, value: str, corrected: bool) -> None:
    """`minute`: when the gate closed; the first price is of 09:20, so it is final only from 09:10's on."""
    gate = datetime(2026, 3, 2, 9, minute, tzinfo=UTC)
    key = key_of(market, 12)
    for price in (published("9.8", minute=20), published(value, minute=30)):
        with capture_logs() as logs:
            store_answer(Arrival(reserved(key), key, "12-13", price, timezone.now(), gate))
    said = [entry for entry in logs if entry["event"] == "final_price_corrected"]
    assert [(entry["before"], entry["value"]) for entry in said] == ([(Decimal("9.8"), Decimal("9.9"))] * corrected)
