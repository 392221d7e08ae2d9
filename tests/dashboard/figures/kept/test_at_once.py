"""Writers of every isolation, keepers and readers all at once: no snapshot ever shows a sum that is not right."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import psycopg
import pytest
from django.db import connection, transaction

from dashboard.figures.history import DayRange, History, load_history
from dashboard.figures.kept import sums
from dashboard.figures.kept.keeping import keep_day, keep_month, kept_of, months_to_keep
from dashboard.figures.readings import Reading
from market.models import Market
from tests.trades.frames import germany
from trades.ledger.traders import ensure_trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

FIRST = date(2026, 9, 1)
DAYS = DayRange(FIRST, FIRST + timedelta(days=29))
EVERY = [FIRST + timedelta(days=number) for number in range(30)]
_STARTS = "generate_series(timestamptz '2026-08-31 22:00Z', '2026-09-30 19:00Z', interval '6 hours') AS starts"
_POSITIONS = f"""INSERT INTO trades_position (market_id, trader_id, direction, delivery_day, delivery_hour,
        delivery_start, delivery_end, trade_count, quantity, energy, turnover, revision)
    SELECT %s, trader, side, (starts AT TIME ZONE 'Europe/Berlin')::date, '', starts, starts + length, 1, 1, 1, 1, 1
    FROM {_STARTS}, unnest(%s::bigint[]) AS trader, unnest(ARRAY['sell', 'buy']) AS side,
        unnest(ARRAY[interval '1 hour', '15 minutes']) AS length"""
_PRICES = f"""INSERT INTO prices_referenceprice (market_id, delivery_day, delivery_hour, delivery_start, delivery_end,
        value, last_update, arrived_at, revision)
    SELECT %s, (starts AT TIME ZONE 'Europe/Berlin')::date, '', starts, starts + interval '1 hour', 20, starts,
        starts, 1 FROM {_STARTS}"""
_CHANGES = (
    """UPDATE trades_position SET energy = energy + 1, trade_count = trade_count + 1
        WHERE id = (SELECT max(id) FROM trades_position WHERE delivery_day = %(day)s)""",
    """INSERT INTO trades_position (market_id, trader_id, direction, delivery_day, delivery_hour, delivery_start,
            delivery_end, trade_count, quantity, energy, turnover, revision)
        SELECT market_id, trader_id, direction, delivery_day, '', delivery_start, delivery_end, 1, 1, 1, 1, 1
        FROM trades_position WHERE delivery_day = %(day)s ORDER BY id LIMIT 3
        ON CONFLICT (trader_id, delivery_day, market_id, delivery_start, delivery_end, direction)
        DO UPDATE SET turnover = trades_position.turnover + 3""",
    """DELETE FROM trades_position
        WHERE id = (SELECT min(id) FROM trades_position WHERE delivery_day = %(day)s AND direction = 'buy')""",
    """UPDATE prices_referenceprice SET value = value + 1
        WHERE id = (SELECT min(id) FROM prices_referenceprice WHERE delivery_day = %(day)s)""",
)
_ISOLATIONS = (*["READ COMMITTED"] * 3, "REPEATABLE READ", "SERIALIZABLE")


def write(number: int, rounds: int) -> None:
    """Changes of one or two days in a transaction; one in five is taken back."""
    chance = random.Random(number)
    with psycopg.connect(**connection.get_connection_params()) as own:
        for _ in range(rounds):
            try:
                own.execute(f"SET TRANSACTION ISOLATION LEVEL {chance.choice(_ISOLATIONS)}".encode())
                own.execute("SELECT count(*) FROM dashboard_kepthistory")
                for day in sorted(chance.choices(EVERY, k=2)):
                    own.execute(chance.choice(_CHANGES).encode(), {"day": day})
                (own.rollback if chance.random() < 0.2 else own.commit)()
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                own.rollback()


def keep_until(ended: threading.Event) -> None:
    """Keep whatever does not hold, again and again."""
    try:
        while not ended.is_set():
            market = germany()
            for day in sorted(set(EVERY) - {one.first for one in kept_of(market) if not one.is_month}):
                keep_day(market, day)
            for first in months_to_keep(market):
                keep_month(market, first)
    finally:
        connection.close()


@contextmanager
def at_work() -> Iterator[list[threading.Thread]]:
    ended = threading.Event()
    writers = [threading.Thread(target=write, args=(number, 60)) for number in range(3)]
    keepers = [threading.Thread(target=keep_until, args=(ended,)) for _ in range(2)]
    for thread in (*writers, *keepers):
        thread.start()
    try:
        yield writers
    finally:
        ended.set()
        for thread in (*writers, *keepers):
            thread.join(60)


def both_ways(market: Market, reading: Reading) -> list[History]:
    """By what is kept and by positions and prices alone, of one snapshot."""
    found = []
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for fewest in (8, 1000):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sums, "FEWEST_DAYS", fewest)
                found.append(load_history(market=market, trader=None, days=DAYS, reading=reading))
    return found


def test_no_snapshot_shows_a_sum_that_is_not_right() -> None:
    market, chance = germany(), random.Random(1)
    traders = [ensure_trader(trader_id=f"trader_{number}").pk for number in (1, 2)]
    with connection.cursor() as cursor:
        cursor.execute(_POSITIONS, [market.pk, traders])
        cursor.execute(_PRICES, [market.pk])
    for day in EVERY:
        keep_day(market, day)
    keep_month(market, FIRST)
    looks = 0
    with at_work() as writers:
        while any(writer.is_alive() for writer in writers) or looks == 0:
            kept, alone = both_ways(market, chance.choice(list(Reading)))
            assert kept == alone
            looks += 1
    kept, alone = both_ways(market, Reading.QUARTER)
    assert kept == alone
