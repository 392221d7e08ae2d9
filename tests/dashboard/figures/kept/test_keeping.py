"""Whatever changes a closed day, its kept sums hold no more from its commit on, whoever is keeping them just then."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F

from dashboard.figures.history import DayRange, History, load_history
from dashboard.figures.history_sql import priced
from dashboard.figures.kept import keeping, sums
from dashboard.figures.kept.basis import VERSION
from dashboard.figures.kept.checking import check
from dashboard.figures.kept.keeping import CLOSED_AFTER, days_to_keep, keep_day, keep_some, kept_of
from dashboard.figures.kept.kept_sql import KEEP_DAY, KEEP_MONTH
from dashboard.figures.readings import Reading
from dashboard.models import HistoryChange, KeptHistory, KeptSum
from dashboard.tasks import keep_history
from market import clock
from market.dated.reading import Dated
from market.models import Market, MarketRule, ReferenceRule
from market.rules import DatedSource, ReferenceSource
from prices.models import ReferencePrice
from tests.dashboard.boards import store_price
from tests.dashboard.people import a_superuser
from tests.processes import wait_until
from tests.trades.frames import confirmation, germany, store
from trades.ledger.confirmations import TradeConfirmation, parse_frame
from trades.ledger.decisions import cancel_trade, correct_trade
from trades.ledger.traders import ensure_trader
from trades.models import Position, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

DAY, NEXT = date(2026, 11, 23), date(2026, 11, 24)
LATER = datetime(2026, 11, 30, 12, tzinfo=UTC)
RANGE = DayRange(DAY - timedelta(days=20), NEXT + timedelta(days=10))
ROLE = "desk_keeper_of_a_test"


@pytest.fixture
def market() -> Market:
    """Two days with trades and prices, both kept."""
    market = germany()
    quarter = {"delivery_hour": "12:15-12:30", "direction": "sell", "trader_id": "trader_2"}
    store(
        confirmation(1),
        confirmation(2, price=-3, **quarter),
        confirmation(3, delivery_day="2026-11-24"),
        confirmation(4, delivery_day="2026-11-24", **quarter),
    )
    for day in (DAY, NEXT):
        store_price("12-13", "19.5", day=day)
    for day in (DAY, NEXT):
        assert keep_day(market, day)
    assert holding() == {DAY, NEXT}
    return market


def holding() -> set[date]:
    return {one.first for one in kept_of(germany()) if not one.is_month}


def history() -> History:
    """As a page that begins now has it."""
    return load_history(market=Market.objects.get(code="DE"), trader=None, days=RANGE)


def assert_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pages show now is what positions and prices give; so it is once all is kept anew, and the check finds
    nothing wrong."""
    with monkeypatch.context() as without:
        without.setattr(sums, "FEWEST_DAYS", 1000)
        expected = history()
    assert history() == expected
    assert {one.differences for one in check(germany())} <= {0}
    market = Market.objects.get(code="DE")
    for day in (DAY, NEXT):
        assert keep_day(market, day)
    assert holding() == {DAY, NEXT}
    assert not HistoryChange.objects.exists()
    assert history() == expected


def corrected() -> None:
    facts = parse_frame(confirmation(1, delivery_day="2026-11-24"), ZoneInfo("Europe/Berlin"))
    assert isinstance(facts, TradeConfirmation)
    correct_trade(trade=Trade.objects.get(exchange_id="1"), facts=facts, reason="day", user=a_superuser())


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def of_day(model: type[Position] | type[ReferencePrice]):  # type: ignore[no-untyped-def]
    return model.objects.filter(delivery_day=DAY)


CHANGES: dict[str, tuple[Callable[[], object], set[date]]] = {
    "a late trade": (lambda: store(confirmation(9), journal="late"), {NEXT}),
    "the first trade of a period": (lambda: store(confirmation(9, delivery_hour="20-21"), journal="late"), {NEXT}),
    "a trade cancelled": (
        lambda: cancel_trade(trade=Trade.objects.get(exchange_id="1"), reason="typo", user=a_superuser()),
        {NEXT},
    ),
    "a trade corrected to another day": (corrected, set()),
    "a position of another trader": (
        lambda: of_day(Position).filter(direction="sell").update(trader=ensure_trader(trader_id="trader_3")),
        {NEXT},
    ),
    "a position of another day": (
        lambda: Position.objects.filter(delivery_day=NEXT, direction="sell").update(delivery_day=DAY),
        set(),
    ),
    "a position gone": (lambda: of_day(Position).filter(direction="sell").delete(), {NEXT}),
    "a price restated": (lambda: of_day(ReferencePrice).update(value=Decimal("7.25")), {NEXT}),
    "the first price of a period": (lambda: store_price("12:15-12:30", "3", day=DAY), {NEXT}),
    "a price gone": (lambda: of_day(ReferencePrice).delete(), {NEXT}),
    "all prices gone": (lambda: run("TRUNCATE prices_referenceprice"), set()),
    "all positions gone": (lambda: run("TRUNCATE trades_position CASCADE"), set()),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_whatever_changes_a_day_its_sums_hold_no_more(
    kind: str, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, left = CHANGES[kind]
    change()
    assert holding() == left
    assert_right(monkeypatch)


@pytest.mark.parametrize("minutes", [15, 30])
def test_a_changed_rule_of_prices_is_another_basis(
    minutes: int, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = history()
    ReferenceRule.objects.create(market=market, minutes=minutes, source="hour", valid_from=NEXT)
    assert days_to_keep(Market.objects.get(code="DE"), LATER) == [
        *(LATER.date() - CLOSED_AFTER - timedelta(days=number) for number in range(4)),
        NEXT,
    ]
    assert (history().days[1] != before.days[1]) == (minutes == 15)
    assert_right(monkeypatch)
    ReferenceRule.objects.all().delete()
    assert history() == before
    assert_right(monkeypatch)


def test_hours_go_by_the_clock_of_the_range_s_last_day(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    before = history()
    MarketRule.objects.create(market=market, valid_from=date(2026, 11, 25), time_zone="Europe/London")
    assert [hour for hour, _ in history().hours] == [hour - 1 for hour, _ in before.hours]
    assert_right(monkeypatch)


def test_what_is_undone_changes_nothing(market: Market) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        of_day(Position).update(energy=0)
        raise ZeroDivisionError
    assert holding() == {DAY, NEXT}


def test_a_day_that_nobody_keeps_costs_no_row(market: Market) -> None:
    store(confirmation(9, delivery_day="2026-11-25"), journal="late")
    store_price("12-13", "1", day=date(2026, 11, 25))
    assert not HistoryChange.objects.exists()


def test_what_is_kept_has_a_version() -> None:
    texts = [
        priced(KEEP_DAY, market, reading, beside="trader_id,")
        for market in (Market(code="A"), _with_rule(Market(code="B")))
        for reading in Reading
    ]
    digest = hashlib.sha256("".join("".join([*texts, KEEP_MONTH]).split()).encode()).hexdigest()[:16]
    assert (VERSION, digest) == (1, "a8bb47da2adeb90d"), (
        "What is kept of days is added up in another way: raise VERSION in dashboard/figures/kept/basis.py, so that no "
        "history reads what was kept before; and name the new digest here."
    )


def _with_rule(market: Market) -> Market:
    market.__dict__["dated"] = Dated(sources=(DatedSource(DAY, 15, ReferenceSource.HOUR),))
    return market


# --- two at once ----------------------------------------------------------------------------------------------------
@pytest.fixture
def other() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(**connection.get_connection_params()) as other:
        yield other
        other.rollback()


_LATE = "UPDATE trades_position SET energy = energy + 1, turnover = turnover + 100 WHERE delivery_day = '2026-11-23'"


def test_a_day_that_somebody_changes_is_left_until_that_is_over(
    market: Market, other: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    other.execute(_LATE)
    assert not keep_day(market, DAY)
    assert holding() == {DAY, NEXT}, "before its commit the change is nobody's"
    assert keep_day(market, NEXT)
    other.commit()
    assert holding() == {NEXT}
    assert_right(monkeypatch)


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_a_change_while_its_day_is_being_kept_is_noticed(
    isolation: str,
    market: Market,
    other: psycopg.Connection[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It comes after the sums were read and before they are there: it waits for them, and says that they don't hold."""
    KeptHistory.objects.all().delete()
    other.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}".encode())
    other.execute("SELECT count(*) FROM dashboard_kepthistory")
    late = threading.Thread(target=lambda: (other.execute(_LATE), other.commit()))
    with transaction.atomic():
        assert keeping._keep_day(market, DAY)
        late.start()
        wait_until(lambda: waiting_for_locks() == 1, "the late trade waits for whoever keeps its day")
    late.join(30)
    assert holding() == set()
    assert_right(monkeypatch)


def waiting_for_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (
                SELECT oid FROM pg_database WHERE datname = current_database())"""
        )
        return int(cursor.fetchone()[0])


def test_nobody_waits_for_whoever_else_is_at_it(market: Market, other: psycopg.Connection[tuple[object, ...]]) -> None:
    """Another keeper, or somebody who changes rules: the day is left as it is."""
    other.execute("UPDATE market_referencerule SET source = source")
    assert not keep_day(market, DAY)
    other.rollback()
    assert keep_day(market, DAY)


# --- who may, and when ----------------------------------------------------------------------------------------------
def test_the_application_s_role_keeps_and_changes(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("grant_role", ROLE, "--create", stdout=StringIO())
    try:
        run(f"SET ROLE {ROLE}")
        store(confirmation(9), journal="late")
        assert holding() == {NEXT}
        assert_right(monkeypatch)
    finally:
        run("RESET ROLE")
        run(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


def test_the_worker_keeps_what_is_closed_and_the_months_of_it(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    KeptHistory.objects.all().delete()
    of_day(Position).filter(direction="sell").update(delivery_day=date(2026, 10, 1))
    monkeypatch.setattr(clock, "now", lambda: LATER)
    keep_history()
    keep_some(LATER, seconds=float("inf"))
    assert max(holding()) == LATER.date() - CLOSED_AFTER
    assert min(holding()) == date(2026, 10, 1)
    assert [(one.first, one.last) for one in kept_of(market) if one.is_month] == [
        (date(2026, 10, 1), date(2026, 10, 31))
    ]
    assert keep_some(LATER) == 0
    assert keep_some(LATER, seconds=-1) == 0
    Position.objects.filter(delivery_day=date(2026, 10, 1)).update(energy=5)
    assert not [one for one in kept_of(market) if one.is_month]
    assert keep_some(LATER) == 2, "the day and its month"


def test_the_check_finds_a_sum_that_is_not_right_and_mends_it(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATER)
    said = StringIO()
    call_command("check_history", "--keep", stdout=said)
    assert said.getvalue() == "6 days and months kept, 0 differences.\n"
    KeptSum.objects.filter(kept__first_day=DAY, minutes=60, trader=0, direction="buy").update(trades=F("trades") + 1)
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_history", stdout=said)
    assert said.getvalue() == (
        "  DE, 2026-11-23 to 2026-11-23: 2 rows differ\n6 days and months kept, 1 differences.\n"
    )
    call_command("check_history", "--rebuild", stdout=said)
    assert said.getvalue().endswith("1 kept anew.\n")
    call_command("check_history", stdout=(said := StringIO()))
    assert said.getvalue() == "6 days and months kept, 0 differences.\n"


def test_before_an_update_has_brought_the_tables_histories_are_as_before(market: Market) -> None:
    before = history()
    run("ALTER TABLE dashboard_kepthistory RENAME TO elsewhere")
    try:
        assert history() == before
        keep_history()
    finally:
        run("ALTER TABLE elsewhere RENAME TO dashboard_kepthistory")
    assert holding() == {DAY, NEXT}
