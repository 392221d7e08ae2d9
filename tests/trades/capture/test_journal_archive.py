"""`manage.py journal`: what is in the journals, packing what is stored, removing what is old; never losing a frame."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.emptying import emptied
from tests.trades.frames import NOW, confirmation, germany
from trades.capture import journal_archive, replay
from trades.capture.journal import (
    ARCHIVE,
    Journal,
    archived_segments,
    content,
    is_written,
    read_frames,
    read_header,
    segments,
)
from trades.capture.journal_archive import find_segment
from trades.models import JournalProgress, Position, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

LONG_AGO = NOW - timedelta(days=900)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    germany()
    settings.TRADE_JOURNAL_DIR = tmp_path
    return tmp_path


def segment(folder: Path, *frames: bytes, at: datetime = NOW, listener: str = "listener-1") -> Journal:
    """A segment that is still being written."""
    journal = Journal(folder, market="DE", listener=listener, now=at)
    if frames:
        journal.append([(at + timedelta(seconds=i), frame) for i, frame in enumerate(frames)])
    return journal


def finished(folder: Path, *frames: bytes, at: datetime = NOW) -> Path:
    journal = segment(folder, *frames, at=at)
    journal.close()
    return journal.path


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def refused(*arguments: str) -> str:
    """What a command says that leaves something undone (exit code 1)."""
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command(*arguments, stdout=out)
    assert stopped.value.code == 1
    return out.getvalue()


def test_stats_tell_what_each_segment_holds(folder: Path) -> None:
    first = finished(folder, confirmation(1), b"x" * 100)
    first.write_bytes(first.read_bytes() + b"torn off")
    run("replay_journal")
    open_one = segment(folder, confirmation(3))
    text = run("journal", "stats")
    assert f"{first.name}\n  listener listener-1, market DE, day 2026-11-23\n  2 frames in" in text
    assert "8 bytes damaged" in text
    assert "first 2026-11-23 09:00:00.000000 UTC, last 2026-11-23 09:00:01.000000 UTC" in text
    assert "stored up to frame 2 of 2, complete" in text
    assert f"{open_one.path.name}\n" in text
    assert "stored up to frame 0 of 1, being written" in text
    assert text.splitlines()[-1].startswith("2 segments, 3 frames, ")
    open_one.close()


def test_stats_name_what_is_no_journal(folder: Path) -> None:
    (folder / "junk.journal").write_bytes(b"junk")
    assert "unreadable: junk.journal does not begin like a journal" in run("journal", "stats")


def test_show_prints_the_last_frames_readably(folder: Path) -> None:
    finished(folder, *(confirmation(n) for n in range(30)), b"\x00\x1b[31m")
    text = run("journal", "show")
    assert text.count(" frame ") == 20
    assert "\\x00\\x1b[31m" in text
    assert run("journal", "show", "--last", "2").count(" frame ") == 2
    assert '"id": "4"' in run("journal", "show", "--number", "5")


def test_show_finds_a_trade_in_all_segments_archived_ones_too(folder: Path) -> None:
    finished(folder, confirmation("ab"), confirmation('q"ü'), at=LONG_AGO)
    finished(folder, confirmation("abc"), confirmation("ab"))
    run("journal", "archive", "--before", "2026-01-01")
    text = run("journal", "show", "--id", "ab")
    assert text.count(" frame ") == 2
    assert ".journal.gz frame 1," in text
    assert run("journal", "show", "--id", 'q"ü').count(" frame ") == 1
    (live,) = segments(folder)
    assert run("journal", "show", live.name, "--id", "ab").count(" frame ") == 1
    with pytest.raises(CommandError, match="no such frame"):
        run("journal", "show", "--id", "b")
    with pytest.raises(CommandError, match="no segment “nothing”"):
        run("journal", "show", "nothing")


def test_archive_packs_what_is_stored_and_finished(folder: Path) -> None:
    old = finished(folder, confirmation(1), b"garbage", at=LONG_AGO)
    original, when = old.read_bytes(), old.stat().st_mtime_ns
    today = finished(folder, confirmation(2))
    text = run("journal", "archive", "--before", "2026-11-23")
    assert "1 segments packed, 0 left." in text
    (packed,) = archived_segments(folder)
    assert segments(folder) == [today]
    assert gzip.decompress(packed.read_bytes()) == original == content(packed)
    assert packed.stat().st_mtime_ns == when
    assert [f.frame for f in read_frames(packed)] == [confirmation(1), b"garbage"]
    assert "0 segments packed, 0 left." in run("journal", "archive", "--before", "2026-11-23")
    assert Trade.objects.count() == 2, "archiving stores what was not stored yet"
    assert "complete" in run("journal", "stats", "--archived").split(packed.name)[1]


def test_a_segment_that_is_written_stays(folder: Path) -> None:
    journal = segment(folder, confirmation(1), at=LONG_AGO)
    assert is_written(journal.path)
    assert "left: a listener still writes it" in refused("journal", "archive", "--before", "2026-01-01")
    assert JournalProgress.objects.get().complete is False
    journal.close()
    assert not is_written(journal.path)
    run("journal", "archive", "--before", "2026-01-01")
    assert segments(folder) == []


def test_a_written_segment_is_known_whatever_the_clock_says(folder: Path) -> None:
    """The clock went back: the segment that is written looks older than one that is finished."""
    finished(folder, confirmation(1), at=NOW + timedelta(hours=2))
    journal = segment(folder, confirmation(2))
    run("replay_journal")
    assert JournalProgress.objects.get(journal=journal.header.journal).complete is False
    journal.append([(NOW, confirmation(3))])
    journal.close()
    run("replay_journal")
    assert Trade.objects.count() == 3


def test_a_segment_with_frames_that_are_not_stored_stays(folder: Path) -> None:
    path = finished(folder, confirmation(1), confirmation(2), at=LONG_AGO)
    run("replay_journal")
    JournalProgress.objects.update(position=1)
    text = refused("journal", "archive", "--before", "2026-01-01")
    assert "left: its frames 2 to 2 are not stored yet" in text
    assert path.exists()


def test_a_copy_that_can_not_be_read_back_costs_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = finished(folder, confirmation(1), at=LONG_AGO)
    monkeypatch.setattr(journal_archive.gzip, "decompress", lambda _packed: b"something else")
    assert "could not be read back" in refused("journal", "archive", "--before", "2026-01-01")
    assert path.exists()
    assert list((folder / ARCHIVE).iterdir()) == []


def test_an_archive_that_was_interrupted_is_finished_the_next_time(folder: Path) -> None:
    path = finished(folder, confirmation(1), at=LONG_AGO)
    original = path.read_bytes()
    run("journal", "archive", "--before", "2026-01-01")
    path.write_bytes(original)  # ended after the copy was made, before the original was removed
    (folder / ARCHIVE / f"{path.name}.part").write_bytes(b"half")
    run("journal", "archive", "--before", "2026-01-01")
    assert [p.name for p in (folder / ARCHIVE).iterdir()] == [f"{path.name}.gz"]
    assert segments(folder) == []


def test_archived_segments_fill_an_empty_database_again(folder: Path) -> None:
    finished(folder, confirmation(1), confirmation(2), at=LONG_AGO)
    run("journal", "archive", "--before", "2026-01-01")
    emptied(JournalProgress, Position, Trade)
    assert "0 frames were not stored yet" in run("replay_journal")
    assert "2 frames were not stored yet: 2 trades" in run("replay_journal", "--archived")
    assert "0 frames were not stored yet" in run("replay_journal", "--archived")


def test_prune_removes_archived_segments_only(folder: Path) -> None:
    finished(folder, confirmation(1), at=LONG_AGO)
    run("journal", "archive", "--before", "2026-01-01")
    young = finished(folder, confirmation(2), at=datetime.now(UTC) - timedelta(days=3))
    run("journal", "archive", "--before", f"{datetime.now(UTC):%Y-%m-%d}")
    live = finished(folder, confirmation(3), at=LONG_AGO)
    assert "1 segments removed, 0 left." in run("journal", "prune")
    assert [path.name for path in archived_segments(folder)] == [f"{young.name}.gz"]
    assert live.exists()
    assert "1 segments removed" in run("journal", "prune", "--older-than", "2")
    with pytest.raises(CommandError, match="at least 1"):
        run("journal", "prune", "--older-than", "0")


def test_a_damaged_archive_is_named_and_kept(folder: Path) -> None:
    finished(folder, confirmation(1), at=LONG_AGO)
    run("journal", "archive", "--before", "2026-01-01")
    (packed,) = archived_segments(folder)
    packed.write_bytes(packed.read_bytes()[:40])
    assert "can't be unpacked" in run("journal", "stats", "--archived")
    assert "can't be unpacked" in refused("journal", "prune")
    assert packed.exists()
    assert "0 frames were not stored yet" in run("replay_journal", "--archived")


def test_replaying_goes_on_past_what_can_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process archives a segment at this moment; an archived one is damaged in its middle."""
    finished(folder, *(confirmation(n) for n in range(200)), at=LONG_AGO)
    run("journal", "archive", "--before", "2026-01-01")
    (packed,) = archived_segments(folder)
    packed.write_bytes(packed.read_bytes()[:-30])
    emptied(JournalProgress, Position, Trade)
    finished(folder, confirmation("good"))
    gone = finished(folder, confirmation("gone"), at=NOW - timedelta(days=1))
    listed = segments(folder)
    monkeypatch.setattr(replay, "segments", lambda _directory: listed)
    monkeypatch.setattr(replay, "is_written", lambda path: (path == gone and path.unlink()) or is_written(path))
    assert "1 frames were not stored yet: 1 trades" in run("replay_journal", "--archived")
    assert Trade.objects.get().exchange_id == "good"


def test_wrong_input_is_one_sentence(folder: Path, settings: Settings) -> None:
    for arguments, sentence in (
        (("archive", "--before", "yesterday"), "is not a delivery day of the form"),
        (("show",), "no such frame"),
    ):
        with pytest.raises(CommandError, match=sentence):
            run("journal", *arguments)
    settings.TRADE_JOURNAL_DIR = folder / "nowhere"
    with pytest.raises(CommandError, match="there is no journal folder"):
        run("journal", "stats")


def test_a_journal_is_found_by_its_identity(folder: Path) -> None:
    path = finished(folder, confirmation(1))
    (folder / f"listener-1-20260101T000000-{read_header(path).journal[:8]}.journal").write_bytes(b"junk")
    assert find_segment(folder, read_header(path).journal) == path
    assert find_segment(folder, "0" * 32) is None
