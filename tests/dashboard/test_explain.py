"""`manage.py explain`: one trade from its frame to the board's figure."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from market.models import MarketRule
from tests.dashboard.boards import store_price
from tests.trades.frames import NOW, confirmation, germany, store
from trades.capture.journal import Journal
from trades.frames import FrameSource
from trades.imports.booking import add_from_file
from trades.imports.files import FileLine
from trades.ledger.confirmations import TradeConfirmation, parse_frame
from trades.ledger.decisions import cancel_trade, correct_trade, retry_frame
from trades.models import Position, QuarantinedMessage, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    germany()
    settings.TRADE_JOURNAL_DIR = tmp_path
    return tmp_path


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ops")


def explain(trade_id: str, *more: str) -> str:
    out = StringIO()
    call_command("explain", trade_id, *more, stdout=out)
    return out.getvalue()


def journalled(folder: Path, *frames: bytes) -> Path:
    journal = Journal(folder, market="DE", listener="listener-1", now=NOW - timedelta(days=30))
    journal.append([(NOW, frame) for frame in frames])
    journal.close()
    call_command("replay_journal", stdout=StringIO())
    return journal.path


def facts(**changes: object) -> TradeConfirmation:
    parsed = parse_frame(confirmation(1, **changes), ZoneInfo("Europe/Berlin"))
    assert isinstance(parsed, TradeConfirmation)
    return parsed


def test_a_trade_from_its_frame_to_the_boards_figure(folder: Path) -> None:
    path = journalled(folder, confirmation(1), confirmation(2, price=30, trader_id="trader_1"))
    store_price("12-13", "27", day=NOW.date(), at=NOW)
    text = explain("1", "--market", "DE")
    for line in (
        f"  {confirmation(1).decode()}",
        "frame 1 of journal ",
        f"  file {path}",
        "Trade 1 in DE",
        "  buy 12 MW at 20.5 EUR/MWh, delivery 2026-11-23 12-13, trader trader_1",
        "  executed 2026-11-23 08:59:59.000000 UTC",
        "  received 2026-11-23 09:00:00.000000 UTC",
        "  stored   ",
        "  flags: unknown trader",
        "  none: it counts as it was confirmed",
        "  trader_1, 2026-11-23 12-13, buy",
        "  2 trades, 24 MW, 24 MWh, 606 EUR (revision 1, ",
        "  equals the sum of its 2 trades, this one included",
        "  our average price 25.25 EUR/MWh",
        "  reference price 27.00 EUR/MWh, published 2026-11-23 09:00:00.000000 UTC",
        "  performance +1.75 EUR/MWh",
        "  result +42.00 EUR",
    ):
        assert line in text


def test_a_mixed_row_shows_both_sides() -> None:
    store(confirmation(1), confirmation(2, direction="sell", price=30, quantity=10))
    store_price("12-13", "25", day=NOW.date(), at=NOW)
    text = explain("1")
    assert "    sold 10.00 MWh at 30.00 EUR/MWh\n    bought 12.00 MWh at 20.50 EUR/MWh\n" in text
    assert "result +104.00 EUR" in text


def test_money_is_that_of_the_delivery_day() -> None:
    MarketRule.objects.create(market=germany(), valid_from=NOW.date(), currency="SEK")
    store(confirmation(1))
    store_price("12-13", "25", day=NOW.date(), at=NOW)
    text = explain("1")
    assert "at 20.5 SEK/MWh" in text and "result +54.00 SEK" in text
    assert "EUR" not in text


def test_an_archived_journal_is_still_read(folder: Path) -> None:
    journalled(folder, confirmation(1))
    call_command("journal", "archive", "--before", "2026-11-01", stdout=StringIO())
    text = explain("1")
    assert confirmation(1).decode() in text
    assert ".journal.gz (archived)" in text


def test_a_journal_on_another_disk_is_named(folder: Path) -> None:
    store(confirmation(1), journal="deadbeef" * 4)
    text = explain("1")
    assert f"frame 1 of journal {'deadbeef' * 4}" in text
    assert f"its file is not under {folder}: on the disk of listener-1, or removed by now" in text
    assert "Frame\n  not at hand\n" in text
    assert "reference price — EUR/MWh, none known" in text
    assert "performance — EUR/MWh" in text


def test_a_trade_of_an_imported_file_names_its_line() -> None:
    source = FrameSource(f"file-{'ab' * 32}", "import")
    add_from_file(market=germany(), source=source, lines=[FileLine(7, "a line", facts())], now=NOW)
    assert f"line 7 of an imported file (SHA-256 {'ab' * 32})" in explain("1")


def test_a_frame_without_a_journal_says_so() -> None:
    store(confirmation(1), journal="direct-1")
    assert "straight to the database, because the journal's disk failed" in explain("1")


def test_a_frame_that_a_person_booked_names_the_person(user: User) -> None:
    message = QuarantinedMessage.objects.create(
        market=germany(),
        kind="unusable",
        reason="refused_by_database",
        detail="x",
        raw=confirmation(7),
        listener="listener-1",
        received_at=NOW,
        source="ab12",
        source_position=3,
    )
    retry_frame(message=message, note="mended", user=user, now=NOW)
    text = explain("7")
    assert f"frame kept aside no. {message.pk}, booked by a person" in text
    assert "booked by ops: mended" in text
    assert "frame 3 of journal ab12" in text
    assert confirmation(7).decode() in text


def test_a_corrected_trade_counts_elsewhere(user: User) -> None:
    store(confirmation(1), confirmation(2, direction="sell", delivery_hour="13-14"), confirmation(1, price=4))
    trade = Trade.objects.get(exchange_id="1")
    correct_trade(trade=trade, facts=facts(direction="sell", delivery_hour="13-14", price=10), reason="side", user=user)
    text = explain("1")
    assert "buy 12 MW at 20.5 EUR/MWh, delivery 2026-11-23 12-13" in text
    assert " corrected by ops (side) to: sell 12 MW at 10 EUR/MWh, delivery 2026-11-23 13-14" in text
    assert "Frames with this id kept aside\n  no. " in text
    assert "open: trade 1 is stored with another price" in text
    assert "trader_1, 2026-11-23 13-14, sell\n  2 trades, 24 MW, 24 MWh, 366 EUR" in text
    assert "equals the sum of its 2 trades, this one included" in text


def test_a_cancelled_trade_counts_nowhere(user: User) -> None:
    store(confirmation(1))
    cancel_trade(trade=Trade.objects.get(), reason="mistake", user=user)
    text = explain("1")
    assert " cancelled by ops (mistake)" in text
    assert "none: the trade is cancelled and counts nowhere" in text
    assert "Board" not in text


def test_a_position_that_is_wrong_is_told() -> None:
    store(confirmation(1))
    Position.objects.update(turnover=1)
    text = explain("1")
    assert "but its trades add up to 1 trade, 12 MW, 12 MWh, 246 EUR; check_positions --rebuild mends that" in text
    Position.objects.all().delete()
    assert "there is no such position" in explain("1")


def test_hostile_bytes_are_shown_as_text(folder: Path) -> None:
    frame = confirmation(1, extra="\x1b[31m\u202e").replace(b"\\u202e", "\u202e".encode())
    journalled(folder, frame)
    text = explain("1")
    assert "\u202e" not in text
    assert "\\u202e" in text


def test_an_unknown_id_is_one_sentence() -> None:
    with pytest.raises(CommandError, match="market DE has no trade with the id “nothing”") as stopped:
        explain("nothing")
    assert stopped.value.returncode == 1
    with pytest.raises(CommandError, match="no active market is called “XX”"):
        explain("1", "--market", "XX")
