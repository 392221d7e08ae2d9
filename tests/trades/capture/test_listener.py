"""The real listener process against a scripted exchange, on the real database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command

from local.simulators.exchange import ScriptedExchange
from tests.processes import Process, manage, running, wait_until
from tests.trades.frames import confirmation, germany
from trades.capture.journal import read_frames, segments
from trades.ledger.effective import position_differences
from trades.models import FeedConnection, QuarantinedMessage, Trade
from trades.queries import frame_counts

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@contextmanager
def listener(exchange: ScriptedExchange, folder: Path, name: str = "l1") -> Iterator[Process]:
    germany()
    before = _connected_so_far(exchange)
    with running(
        *manage("listen_trades", "--name", name),
        log=folder / f"{name}.log",
        EXCHANGE_WS_URL=exchange.url,
        TRADE_JOURNAL_DIR=str(folder / "journal"),
    ) as process:
        wait_until(lambda: _connected_so_far(exchange) > before, "the listener's connection\n", details=process.output)
        yield process


def _connected_so_far(exchange: ScriptedExchange) -> int:
    """How many connections there ever were: one that was killed may still look open."""
    return sum(event.kind == "connected" for event in exchange.log)


def stored(count: int) -> None:
    wait_until(lambda: Trade.objects.count() == count, f"{count} trades")


def connections(exchange: ScriptedExchange, count: int) -> None:
    """Until the exchange has been connected to so many times in all."""
    exchange.wait_until(lambda: _connected_so_far(exchange) == count)


def test_from_the_wire_into_the_database(exchange: ScriptedExchange, tmp_path: Path) -> None:
    with listener(exchange, tmp_path):
        exchange.send(confirmation(1), confirmation(2).decode(), b"garbage", b"\xff\xfe", confirmation(1))
        exchange.send(confirmation(3).replace(b"trade_confirmation", b"deal_confirmation"))
        stored(3)
        wait_until(lambda: QuarantinedMessage.objects.count() == 2, "the bad frames")
        counts = frame_counts(market_id=germany().pk)
        assert counts == {"received": 6, "stored": 3, "duplicates": 1, "conflicts": 0, "quarantined": 2}
        assert position_differences() == []
        wait_until(lambda: FeedConnection.objects.filter(disconnected_at=None).count() == 1, "the feed's record")


def test_sigterm_stores_what_has_arrived_and_ends_with_0(exchange: ScriptedExchange, tmp_path: Path) -> None:
    with listener(exchange, tmp_path) as process:
        exchange.send(*[confirmation(i) for i in range(200)])
        wait_until(Trade.objects.exists, "the first trade")
        assert process.terminate() == 0
        assert Trade.objects.count() == 200
        assert FeedConnection.objects.get().disconnected_at is not None


def test_kill_9_loses_nothing_that_was_journalled(exchange: ScriptedExchange, tmp_path: Path) -> None:
    with listener(exchange, tmp_path) as process:
        exchange.send(*[confirmation(i) for i in range(300)])
        wait_until(Trade.objects.exists, "the first trade")
        process.kill()
    journalled = sum(len(list(read_frames(path))) for path in segments(tmp_path / "journal"))
    with listener(exchange, tmp_path):
        stored(journalled)
    assert position_differences() == []


def test_it_reconnects_when_cut_off_and_when_the_exchange_was_away(exchange: ScriptedExchange, tmp_path: Path) -> None:
    with listener(exchange, tmp_path):
        for number in range(3):
            exchange.send(confirmation(number))
            stored(number + 1)
            exchange.drop()
            connections(exchange, number + 2)
        exchange.stop()
        exchange.start()
        connections(exchange, 5)
        exchange.send(confirmation(3))
        stored(4)


def test_two_listeners_side_by_side_are_one_set_of_trades(exchange: ScriptedExchange, tmp_path: Path) -> None:
    with listener(exchange, tmp_path, "l1") as first, listener(exchange, tmp_path, "l2"):
        exchange.send(*[confirmation(i) for i in range(50)])
        stored(50)
        first.kill()
        exchange.send(*[confirmation(i) for i in range(50, 80)])
        stored(80)
    with listener(exchange, tmp_path, "l1"):
        wait_until(lambda: frame_counts(market_id=germany().pk)["received"] == 130, "both journals' frames")
    assert Trade.objects.count() == 80
    assert position_differences() == []


def test_a_name_that_is_taken_ends_with_one_sentence(exchange: ScriptedExchange, tmp_path: Path) -> None:
    with (
        listener(exchange, tmp_path, "l1"),
        running(
            *manage("listen_trades", "--name", "l1"),
            log=tmp_path / "second.log",
            TRADE_JOURNAL_DIR=str(tmp_path / "journal"),
        ) as second,
    ):
        second.wait_for("another listener called “l1” runs")
        assert "Traceback" not in second.output()


def test_it_listens_while_the_database_is_away(exchange: ScriptedExchange, tmp_path: Path) -> None:
    """The market's address is remembered, frames are journalled, and stored once the database can be asked."""
    with listener(exchange, tmp_path) as process:
        exchange.send(confirmation(1))
        stored(1)
        process.terminate()
    with running(
        *manage("listen_trades", "--name", "l1"),
        log=tmp_path / "away.log",
        EXCHANGE_WS_URL=exchange.url,
        TRADE_JOURNAL_DIR=str(tmp_path / "journal"),
        DATABASE_URL="postgres://nobody@127.0.0.1:9/nothing",
    ) as process:
        process.wait_for("listening_without_database")
        exchange.wait_for_connections(1)
        exchange.send(confirmation(2))
        wait_until(
            lambda: sum(len(list(read_frames(p))) for p in segments(tmp_path / "journal")) == 2, "the journalled frame"
        )
        process.kill()
    with listener(exchange, tmp_path):
        stored(2)


def test_replaying_a_journal_into_an_empty_database_gives_the_same_tables(
    exchange: ScriptedExchange, tmp_path: Path, settings: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with listener(exchange, tmp_path) as process:
        exchange.send(*[confirmation(i % 40, price=i % 7) for i in range(60)], b"garbage")
        wait_until(lambda: frame_counts(market_id=germany().pk)["received"] == 61, "all frames")
        process.terminate()
    before = tables()
    call_command("flush", interactive=False, verbosity=0)
    germany()
    settings.TRADE_JOURNAL_DIR = tmp_path / "journal"  # type: ignore[attr-defined]
    call_command("replay_journal")
    assert tables() == before
    call_command("replay_journal")
    assert "0 frames were not stored yet" in capsys.readouterr().out
    assert tables() == before


def tables() -> tuple[list[object], list[object], dict[str, int]]:
    trades = list(Trade.objects.order_by("exchange_id").values_list("exchange_id", "price", "source_position"))
    aside = list(QuarantinedMessage.objects.order_by("source_position").values_list("source_position", "reason"))
    return trades, aside, frame_counts(market_id=germany().pk)
