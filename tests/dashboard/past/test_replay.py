"""The day as it was known: a recorded run replayed at random moments, and nothing later shines through.

`MOMENTS=10000 python -m pytest -s tests/dashboard/past/test_replay.py` replays as many moments as it says.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from dashboard.figures.board import Board, load_board
from dashboard.figures.board_key import WHOLE_DESK, BoardKey
from dashboard.figures.desk import load_desk
from dashboard.figures.past import Basis, Past
from dashboard.figures.timeline import build_timeline, load_timeline
from dashboard.render.board_json import board_json
from market.models import Market
from prices.queries import price_timelines
from tests import quick_flush
from tests.dashboard.past.digests import digest
from tests.dashboard.past.recorded import BEGIN, DAY, HOURS, Drill, Recording, moved, trader_of
from trades.ledger.effective import position_differences
from trades.models import Trade, TradeChange
from trades.queries import SLOT_SECONDS, slots_of_day

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
MOMENTS = int(os.environ.get("MOMENTS", "150"))
SEED = 1818
END = BEGIN + timedelta(hours=HOURS)
RECORDS = (
    ("trades_trade", ("received_at", "stored_at")),
    ("trades_tradechange", ("made_at",)),
    ("prices_referencepricehistory", ("arrived_at",)),
    ("prices_pricecorrection", ("arrived_at",)),
)


@pytest.fixture(scope="module")
def recording(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Recording]:
    """Made once, committed and only read: what a test changes in it goes back with the test's transaction, and what
    was there before is restored: tests that find the groups of the migrations may follow."""
    with django_db_blocker.unblock():
        before = connection.creation.serialize_db_to_string()
        made = Drill(SEED).run(events=max(80, min(600, MOMENTS // 2)))
        assert position_differences() == []
    yield made
    with django_db_blocker.unblock():
        quick_flush.flush()
        connection.creation.deserialize_db_from_string(before)


def at(key: BoardKey, past: Past | None) -> Board:
    """The board of the key at a moment, read anew."""
    market, trader = Market.objects.get(pk=key.market_pk), trader_of(key)
    if trader is None:
        return load_desk(market=market, delivery_day=DAY, now=END, reading=key.reading, past=past).whole
    return load_board(trader=trader, market=market, delivery_day=DAY, now=END, reading=key.reading, past=past)


def test_every_pushed_board_can_be_shown_again(recording: Recording) -> None:
    chance = random.Random(SEED)
    anywhen = [BEGIN + timedelta(hours=HOURS) * chance.random() for _ in range(MOMENTS)]
    moments = [moment for moment in [*recording.moments, *anywhen] if not recording.is_in_flight(moment)]
    different = []
    for moment in moments:
        key = chance.choice(recording.boards)
        if digest(at(key, Past(moment))) != recording.at(key, moment):
            different.append((moment, key))
    boards = {text for pushed in recording.pushed.values() for _, text in pushed}
    print(f"{len(moments)} moments replayed, {len(boards)} different boards pushed, {len(different)} shown differently")
    assert different == []
    assert len(moments) > MOMENTS * 0.9
    assert len(boards) > len(recording.moments)


def test_now_equals_live(recording: Recording) -> None:
    for key in recording.boards:
        live, past = at(key, None), at(key, Past(END))
        told = board_json(past)
        assert told.pop("basis") == "known"
        assert told == board_json(live)
        assert [row.state for row in past.rows] == [row.state for row in live.rows]


def test_nothing_later_shines_through(recording: Recording) -> None:
    """Whatever is moved, changed or taken away after a moment, the boards up to it are the same."""
    chance = random.Random(SEED + 1)
    moment = BEGIN + timedelta(minutes=61)
    before = [(key, Past(BEGIN + chance.random() * (moment - BEGIN))) for key in recording.boards * 6]
    shown = [digest(at(key, past)) for key, past in before]
    after = [digest(at(key, Past(END))) for key in recording.boards]
    move_all_after(moment, chance)
    assert [digest(at(key, past)) for key, past in before] == shown
    assert all(digest(at(key, Past(END))) != other for key, other in zip(recording.boards, after, strict=True))


def move_all_after(moment: datetime, chance: random.Random) -> None:
    """Every record of after the moment goes to another moment after it, or beyond the end."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # checks that wait for a commit would keep tables from changes
    for table, columns in RECORDS:
        with connection.cursor() as cursor:
            known = f"{columns[0]} > %s" if len(columns) == 1 else f"greatest({', '.join(columns)}) > %s"
            cursor.execute(f"SELECT id, {columns[0]} FROM {table} WHERE {known}", [moment])
            rows = cursor.fetchall()
        assert len(rows) > 1, table
        for pk, came in rows:
            elsewhere = moment + chance.choice([1, 40]) * timedelta(minutes=chance.random() * 60, microseconds=1)
            for column in columns if came > moment else columns[1:]:
                moved(table, column, pk, elsewhere)


def test_what_happened_by_then_is_what_was_executed_and_published(recording: Recording) -> None:
    """Against an oracle in Python: today's facts of trades executed by the moment, prices published by it."""
    desk = next(key for key in recording.boards if key.trader_pk is WHOLE_DESK)
    differs = False
    for minutes in (20, 55, 90, 119):
        moment = BEGIN + timedelta(minutes=minutes)
        board = at(desk, Past(moment, Basis.HAPPENED))
        rows = {row.delivery_hour: row.figures.trade_count for row in board.rows if row.figures.trade_count}
        assert rows == executed_by(moment)
        path = {row.delivery_hour: row.reference.last_update for row in board.rows if row.reference}
        assert path and max(path.values()) <= moment
        differs = differs or digest(board) != digest(at(desk, Past(moment)))
    assert differs


def executed_by(moment: datetime) -> dict[str, int]:
    """Label -> how many trades count in it by what is known today."""
    counts: dict[str, int] = {}
    for trade in Trade.objects.filter(execution_time__lte=moment):
        changes = list(TradeChange.objects.filter(trade=trade).order_by("id"))
        if changes and changes[-1].kind == "cancelled":
            continue
        corrected = [change.delivery_hour for change in changes if change.kind == "corrected"]
        label = corrected[-1] if corrected else trade.delivery_hour
        counts[label] = counts.get(label, 0) + 1
    return counts


def test_lines_over_time_end_as_the_live_ones(recording: Recording) -> None:
    """At the end of the recording the lines of the past are those of the slots that positions keep."""
    for key in recording.boards:
        trader = trader_of(key)
        if trader is None:
            continue
        board = at(key, Past(END))
        kept = slots_of_day(trader_pk=trader.pk, market_id=key.market_pk, day=DAY)
        prices = price_timelines(market_id=key.market_pk, day=DAY, slot_seconds=SLOT_SECONDS)
        live = build_timeline(board, kept, prices)
        shown = load_timeline(board)
        assert (shown.periods, shown.day) == (live.periods, live.day)
