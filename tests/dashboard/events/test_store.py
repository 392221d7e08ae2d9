"""Events: written with what they tell of, numbered in the order of commits, kept for seven days."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection

from dashboard.assumptions.models import Withdrawal
from dashboard.events import store as events
from dashboard.events.models import Event, EventCount
from market import clock
from tests.dashboard.assumptions.written import written
from tests.dashboard.boards import SKETCH_DAY, store_price, store_trade
from tests.dashboard.people import a_superuser, a_trader
from tests.trades.frames import NOW, confirmation, germany, store
from trades.ledger.decisions import cancel_trade, close_gap
from trades.models import FeedGap, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def told(after: int = 0) -> list[tuple[str, dict[str, Any]]]:
    events.number_events()
    return [(event.kind, json.loads(event.data)) for event in events.read_page(after=after).events]


@contextmanager
def another_process() -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own, in a transaction."""
    wanted = {
        k: v
        for k, v in connection.get_connection_params().items()
        if k in {"dbname", "user", "password", "host", "port"}
    }
    with psycopg.connect(**wanted) as other:
        yield other


INSERT = "INSERT INTO dashboard_event (kind, data) VALUES ('price', %s)"


# --- what is told -----------------------------------------------------------------------------------------------------
def test_each_stored_trade_is_told_once() -> None:
    frames = [confirmation(n, price=20.50, quantity=12, delivery_hour="12:15-12:30") for n in ("1", "2", '"3😀')]
    store(*frames, frames[0])
    store(*frames, journal="another")
    trades = [data for kind, data in told() if kind == "trade"]
    assert [data["exchange_id"] for data in trades] == ["1", "2", '"3😀']
    assert trades[0] == {
        "exchange_id": "1",
        "trader_id": "trader_1",
        "market": "DE",
        "delivery_day": "2026-11-23",
        "delivery_hour": "12:15-12:30",
        "price": "20.5",
        "quantity": "12",
        "direction": "buy",
        "execution_time": "2026-11-23T08:59:59.000000Z",
    }


def test_its_text_is_what_postgresql_would_write_of_an_object() -> None:
    store(confirmation('"3😀\\', trader_id='a\\"/<b>', price=-0.25, quantity=100), confirmation("ü", price=10))
    with connection.cursor() as cursor:
        cursor.execute("""SELECT json_build_object('exchange_id', n.exchange_id, 'trader_id', t.trader_id, 'market',
                'DE', 'delivery_day', '2026-11-23', 'delivery_hour', n.delivery_hour, 'price',
                trim_scale(n.price)::text, 'quantity', trim_scale(n.quantity)::text, 'direction', n.direction,
                'execution_time', '2026-11-23T08:59:59.000000Z')::text
            FROM trades_trade AS n JOIN trades_trader AS t ON t.id = n.trader_id ORDER BY n.source_position""")
        written = [text for (text,) in cursor.fetchall()]
    assert list(Event.objects.filter(kind="trade").order_by("id").values_list("data", flat=True)) == written


def test_a_board_that_moved_twice_is_told_once_and_decisions_are_boards_alone() -> None:
    store(confirmation(1), confirmation(2))
    store(confirmation(3), journal="another")
    first = told()
    assert Counter(kind for kind, _ in first) == {"trade": 3, "board": 1}
    cancel_trade(trade=Trade.objects.get(exchange_id="1"), reason="never happened", user=a_superuser())
    after = EventCount.objects.get().newest - 0
    assert [kind for kind, _ in told(after)] == ["board"]


def test_prices_and_gaps() -> None:
    germany()
    store_price("12-13", "9.8000")
    gap = FeedGap.objects.create(market=germany(), started_at=NOW, ended_at=NOW + timedelta(seconds=5))
    close_gap(gap=gap, note="compared with the exchange", user=a_superuser(), now=NOW)
    gap.refresh_from_db()
    gap.note = "a note alone is no news"
    gap.save()
    (price, *gaps) = told()
    assert (price[0], price[1]["value"], price[1]["delivery_hour"]) == ("price", "9.8", "12-13")
    assert [(kind, data["state"]) for kind, data in gaps] == [("gap", "open"), ("gap", "closed")]


@pytest.fixture
def anna() -> User:
    germany()
    return a_trader()


def test_assumptions(anna: User) -> None:
    assumption = written(anna)
    Withdrawal.objects.create(assumption=assumption, made_at=NOW)
    assert [(kind, data["what"], data["id"]) for kind, data in told()] == [
        ("assumption", "written", assumption.pk),
        ("assumption", "withdrawn", assumption.pk),
    ]


# --- numbers ----------------------------------------------------------------------------------------------------------
def test_who_commits_late_is_numbered_late_and_missed_by_nobody() -> None:
    with another_process() as slow, another_process() as quick:
        slow.execute(INSERT, ["slow"])
        quick.execute(INSERT, ["quick"])
        quick.commit()
        events.number_events()
        (first,) = events.read_page(after=0).events
        assert first.data == "quick"
        slow.commit()
    events.number_events()
    (second,) = events.read_page(after=first.number).events
    assert (second.data, second.number) == ("slow", first.number + 1)
    assert events.read_page(after=second.number) == events.Page((), second.number)


def test_two_who_number_at_once_wait_for_each_other() -> None:
    with another_process() as writer, another_process() as one:
        writer.execute(INSERT, ["a"])
        writer.commit()
        assert one.execute("SELECT dashboard_number_events()").fetchone() == (1,)
        writer.execute(INSERT, ["b"])
        writer.commit()
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
            with pytest.raises(Exception, match="lock timeout"):
                events.number_events()
            cursor.execute("RESET lock_timeout")
        assert events.read_page(after=0).events == ()
        one.commit()
    assert events.number_events() == 1
    assert [(event.number, event.data) for event in events.read_page(after=0).events] == [(1, "a"), (2, "b")]


def test_what_is_rolled_back_was_never_there() -> None:
    with another_process() as other:
        other.execute(INSERT, ["a"])
        other.rollback()
    assert events.bounds() == events.Bounds(0, 0)


def test_pages_follow_each_other() -> None:
    Event.objects.bulk_create(Event(kind="price", data=str(n)) for n in range(7))
    events.number_events()
    places, place = [], 0
    while (page := events.read_page(after=place, most=3)).events:
        places.append([event.data for event in page.events])
        place = page.upto
    assert places == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


# --- kept -------------------------------------------------------------------------------------------------------------
def test_seven_days_are_kept() -> None:
    now = clock.now()
    Event.objects.bulk_create(Event(kind="price", data="x", at=now - timedelta(days=days)) for days in (9, 8, 6, 1))
    assert events.forget_old(now=now) == 2
    bounds = events.bounds()
    assert bounds == events.Bounds(newest=4, forgotten=2)
    assert [bounds.start(after) for after in (None, 0, 1, 2, 4, 5)] == [4, 2, None, 2, 4, None]
    assert events.forget_old(now=now + timedelta(days=30)) == 2
    assert events.bounds() == events.Bounds(newest=4, forgotten=4)
    Event.objects.create(kind="price", data="y")
    assert events.bounds().newest == 5


def test_nothing_there_is_nothing_to_forget() -> None:
    assert events.forget_old(now=clock.now()) == 0
    assert SKETCH_DAY


def test_forgetting_goes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "FORGOTTEN_AT_ONCE", 3)
    old = clock.now() - timedelta(days=9)
    Event.objects.bulk_create(Event(kind="price", data="x", at=old) for _ in range(8))
    assert events.forget_old(now=clock.now()) == 8
    store_trade("12-13", "buy", "1", "2")
    assert [kind for kind, _ in told()] == ["trade", "board"]
