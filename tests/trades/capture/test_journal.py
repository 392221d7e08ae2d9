"""The journal: durable, numbered, and readable after anything that happens to a file."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trades.capture.journal import Journal, JournalError, claim_name, read_frames, read_header, segments

NOW = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)
FRAMES = [b"first", b"", b"\xff\x00binary", "ünïcode 🌞".encode(), b"x" * 5000]


def written(directory: Path, frames: list[bytes] = FRAMES) -> Path:
    journal = Journal(directory, market="DE", listener="listener-1", now=NOW)
    journal.append([(NOW + timedelta(seconds=i), frame) for i, frame in enumerate(frames)])
    journal.close()
    return journal.path


def test_what_was_written_is_read_with_number_and_time(tmp_path: Path) -> None:
    path = written(tmp_path / "new folder")
    read = list(read_frames(path))
    assert [f.frame for f in read] == FRAMES
    assert [f.number for f in read] == [1, 2, 3, 4, 5]
    assert read[4].received_at == NOW + timedelta(seconds=4)
    assert [f.number for f in read_frames(path, after=3)] == [4, 5]
    header = read_header(path)
    assert (header.market, header.listener, header.created_at) == ("DE", "listener-1", NOW)


def test_appends_go_on_numbering(tmp_path: Path) -> None:
    journal = Journal(tmp_path, market="DE", listener="l", now=NOW)
    assert [f.number for f in journal.append([(NOW, b"a"), (NOW, b"b")])] == [1, 2]
    assert [f.number for f in journal.append([(NOW, b"c")])] == [3]
    assert [f.frame for f in read_frames(journal.path)] == [b"a", b"b", b"c"]
    journal.close()


def test_a_new_day_asks_for_a_new_segment(tmp_path: Path) -> None:
    journal = Journal(tmp_path, market="DE", listener="l", now=NOW)
    assert not journal.is_finished(NOW)
    assert journal.is_finished(NOW + timedelta(days=1))
    journal.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.integers(0, 6000))
def test_a_file_cut_anywhere_yields_a_prefix(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: min(cut, len(data))])
    try:
        read = [f.frame for f in read_frames(path)]
    except JournalError:
        read = []  # the cut went through the first line
    assert read == FRAMES[: len(read)]
    path.unlink()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(data=st.data())
def test_a_flipped_bit_costs_one_frame_and_makes_none_up(tmp_path: Path, data: st.DataObject) -> None:
    path = written(tmp_path)
    content = bytearray(path.read_bytes())
    first = content.index(b"\n") + 1
    at = data.draw(st.integers(first, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(bytes(content))
    read = [f.frame for f in read_frames(path)]
    assert len(read) >= len(FRAMES) - 1
    assert all(frame in FRAMES for frame in read)
    path.unlink()


def test_zeros_and_noise_behind_the_last_record_are_no_frames(tmp_path: Path) -> None:
    path = written(tmp_path)
    with path.open("ab") as file:
        file.write(b"\x00" * 4096 + b"\xf5FR\xfa" * 50)
    assert [f.frame for f in read_frames(path)] == FRAMES


def test_a_record_inside_a_frame_is_no_record(tmp_path: Path) -> None:
    foreign = written(tmp_path / "other").read_bytes()
    path = written(tmp_path, [b"good", foreign, b"better"])
    content = path.read_bytes()
    path.write_bytes(content.replace(b"good", b"evil", 1))  # the first record is lost; nothing may step in for it
    assert [f.frame for f in read_frames(path)] == [foreign, b"better"]


def test_a_file_that_is_no_journal_says_so(tmp_path: Path) -> None:
    path = tmp_path / "noise.journal"
    path.write_bytes(b"\x00" * 100)
    with pytest.raises(JournalError, match=r"noise\.journal"):
        read_header(path)


def test_segments_are_listed_oldest_first(tmp_path: Path) -> None:
    paths = [written(tmp_path / "j") for _ in range(3)]
    for age, path in enumerate(reversed(paths)):  # a file system's clock may tick too slowly to tell them apart
        os.utime(path, (1000 - age, 1000 - age))
    assert segments(tmp_path / "j") == paths
    assert segments(tmp_path / "nowhere") == []


def test_a_name_is_held_by_one_listener_at_a_time(tmp_path: Path) -> None:
    first = claim_name(tmp_path, None)
    second = claim_name(tmp_path, None)
    assert (first.name, second.name) == ("listener-1", "listener-2")
    with pytest.raises(JournalError, match="another listener"):
        claim_name(tmp_path, "listener-1")
    first.release()
    assert claim_name(tmp_path, None).name == "listener-1"


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "a b", "x" * 61])
def test_a_name_is_a_plain_word(tmp_path: Path, name: str) -> None:
    with pytest.raises(JournalError, match="no listener's name"):
        claim_name(tmp_path, name)
