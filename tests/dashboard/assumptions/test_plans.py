"""What is read of a trader stays little however often it is asked for, and however much there is of others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from dashboard.assumptions.models import Assumption
from dashboard.assumptions.queries import standings
from dashboard.figures.history import DayRange, load_history
from dashboard.pages.assumptions.form import form_fields
from market.queries import clock_zone
from tests.dashboard.assumptions.written import DAY, NOW
from tests.dashboard.people import a_trader
from tests.trades.frames import germany
from trades.models import Position, Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
OFTEN, OTHERS = 15, 3_000
"""Times, and rows of others. After eight times PostgreSQL may have one plan for whatever values."""


def a_resting_trader_among_others() -> Trader:
    """Whose only assumption is older than all of another's, with a position beside many."""
    users = [a_trader(f"trader_{number}", f"user-{number}") for number in range(6)]
    resting, *others = [user.trader_login.trader for user in users]
    Assumption.objects.bulk_create([an_assumption(resting, users[0])])
    Assumption.objects.bulk_create(an_assumption(others[n % 5], users[1]) for n in range(OTHERS))
    Position.objects.bulk_create([a_position(resting, 0), *(a_position(others[n % 5], n // 5) for n in range(OTHERS))])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE dashboard_assumption, trades_position")
    return resting


def an_assumption(trader: Trader, author: User) -> Assumption:
    facts: dict[str, Any] = {"created_at": NOW, "delivery_day": DAY, "reading": "product", "claim": "up", "late": False}
    return Assumption(market=germany(), trader=trader, author=author, **facts)


def a_position(trader: Trader, number: int) -> Position:
    """Of the n-th hour before the day."""
    start = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) - timedelta(hours=number)
    return Position(
        market=germany(),
        trader=trader,
        direction="buy",
        delivery_day=start.date(),
        delivery_hour="any",
        delivery_start=start,
        delivery_end=start + timedelta(hours=1),
        trade_count=1,
        quantity=1,
        energy=1,
        turnover=50,
    )


def rows_read(table: str) -> int:
    """Of the table, in this transaction: by index and by reading all of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
            " WHERE relname = %s",
            [table],
        )
        return int(cursor.fetchone()[0])


def read_of(table: str, ask: Callable[[], object]) -> int:
    """The most rows that one of many times reads."""
    most = 0
    for _ in range(OFTEN):
        before = rows_read(table)
        ask()
        most = max(most, rows_read(table) - before)
    return most


def test_the_newest_of_a_trader_who_rests_is_found_by_the_traders_index() -> None:
    resting = a_resting_trader_among_others()
    market, day = germany(), DAY.isoformat()
    assert read_of("dashboard_assumption", lambda: form_fields(resting, market, day=day)) == 1


def test_a_page_of_the_own_is_found_by_the_traders_index() -> None:
    own = Assumption.objects.filter(trader=a_resting_trader_among_others()).order_by("-id")
    assert read_of("dashboard_assumption", lambda: standings(own[:5])) == 1


def test_a_history_of_one_trader_reads_nothing_of_others() -> None:
    resting, days = a_resting_trader_among_others(), DayRange(DAY - timedelta(days=200), DAY)
    assert read_of("trades_position", lambda: load_history(market=germany(), trader=resting, days=days)) == 1


def test_a_listing_reads_its_market_once(django_assert_num_queries: Callable[[int], Any]) -> None:
    a_resting_trader_among_others()
    rows = Assumption.objects.order_by("-id")[:20]
    with django_assert_num_queries(5):  # without periods no verdicts are asked for; the last is the market's rules
        assert len({clock_zone(one.assumption.market) for one in standings(rows)}) == 1
