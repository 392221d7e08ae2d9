"""Versions of many boards in one statement: every key has its own answer, and nothing but the keys is asked for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dashboard.figures.versions import changes_of
from market.statements.keyed import value_of_each
from tests.trades.frames import confirmation, germany, store
from trades.models import Position, Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
DAY, NEXT = date(2026, 11, 23), date(2026, 11, 24)


def test_each_key_has_its_version(django_assert_num_queries: Any) -> None:
    store(confirmation(1), confirmation(2), confirmation(3, trader_id="trader_2"))
    store(confirmation(4, delivery_day="2026-11-24"), journal="another")
    market, (one, two) = germany().pk, Trader.objects.order_by("trader_id").values_list("pk", flat=True)
    revisions = {
        (p.trader_id, p.delivery_day): p.revision for p in Position.objects.all()
    }  # a position a day and trader here
    keys = {(one, market, DAY), (one, market, NEXT), (two, market, DAY), (two, market, NEXT), (two, market + 1, DAY)}
    with django_assert_num_queries(1):
        versions = {key: positions for key, (positions, _) in changes_of(keys).items()}
    assert versions == {key: revisions.get((key[0], key[2]), 0) if key[1] == market else 0 for key in keys}
    assert len(revisions) == 3


def test_without_keys_nothing_is_asked(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert value_of_each("no statement", set()) == {}
