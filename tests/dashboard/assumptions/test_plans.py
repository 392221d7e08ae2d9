"""What is read of a trader stays little however often it is asked for, and however much there is of others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection

from dashboard.assumptions.checking import differences
from dashboard.assumptions.models import AssumedPeriod, Assumption
from dashboard.assumptions.queries import standings
from dashboard.figures.history import DayRange, load_history
from dashboard.pages.assumptions.form import form_fields
from market.models import Market
from market.queries import clock_zone
from tests.dashboard.assumptions.written import DAY, GATE, MINUTE, NOW, publish, written
from tests.dashboard.copied import copied
from tests.dashboard.people import a_trader
from tests.trades.frames import germany
from trades.models import Position, Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
OFTEN, OTHERS = 15, 3_000
"""Times, and rows of others. After eight times PostgreSQL may have one plan for whatever values."""
FEW = 20
"""Rows that PostgreSQL looks at while it plans: the ends of an index."""


def a_resting_trader_among_others() -> Trader:
    """Whose only assumption is older than all of another's, with a position beside many."""
    users = [a_trader(f"trader_{number}", f"user-{number}") for number in range(6)]
    resting, *others = [user.trader_login.trader for user in users]
    market = germany()
    copied([an_assumption(market, resting, users[0])])
    copied(an_assumption(market, others[n % 5], users[1]) for n in range(OTHERS))
    of_others = (a_position(market, others[n % 5], n // 5) for n in range(OTHERS))
    copied([a_position(market, resting, 0), *of_others])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE dashboard_assumption, trades_position")
    return resting


def an_assumption(market: Market, trader: Trader, author: User) -> Assumption:
    facts: dict[str, Any] = {"created_at": NOW, "delivery_day": DAY, "reading": "product", "claim": "up", "late": False}
    return Assumption(market=market, trader=trader, author=author, **facts)


def a_position(market: Market, trader: Trader, number: int) -> Position:
    """Of the n-th hour before the day."""
    start = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) - timedelta(hours=number)
    return Position(
        market=market,
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


def an_expectation(assumption: Assumption, number: int) -> AssumedPeriod:
    """The n-th hour of days to come; of number 0 there are as many as there are of all others."""
    start = GATE + timedelta(minutes=5, hours=number)
    end = start + timedelta(hours=1)
    return AssumedPeriod(
        assumption=assumption,
        delivery_hour="any",
        delivery_start=start,
        delivery_end=end,
        reference_start=start,
        reference_end=end,
        gate_closes_at=start - timedelta(minutes=5),
        net_mwh=0,
    )


def test_a_stored_price_reads_nothing_of_what_is_not_due_by_it() -> None:
    a_resting_trader_among_others()
    all_of_day = list(Assumption.objects.all())
    copied(an_expectation(one, max(0, n - OTHERS // 2)) for n, one in enumerate(all_of_day))
    publish("50", NOW, label="11-12")
    publish("50", NOW, label="12-13")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE dashboard_assumedperiod, dashboard_frozenprice")
    minutes = iter(range(1, 100))
    for label in ("11-12", "12-13"):
        read = read_of(
            "dashboard_assumedperiod", lambda label=label: publish("51", NOW + next(minutes) * MINUTE, label=label)
        )
        assert read < FEW, label


def test_the_check_reads_each_periods_prices_once(django_assert_max_num_queries: Callable[[int], Any]) -> None:
    publish("50", NOW)
    for minute in range(3):
        written(at=NOW + minute * MINUTE)
    with django_assert_max_num_queries(5), time_machine.travel(NOW + 3 * MINUTE, tick=False):
        assert list(differences()) == []
