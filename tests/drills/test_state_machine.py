"""Journals and the store, driven at random with crashes everywhere, against a model: the first facts of each id."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.drills.rig.results import Row
from tests.trades.frames import NOW, confirmation, germany
from trades.capture.journal import Journal, read_frames, segments
from trades.capture.markets import Markets
from trades.capture.replay import replay_directory
from trades.frames import FrameSource
from trades.ledger.effective import position_differences
from trades.ledger.store import store_frames
from trades.models import QuarantinedMessage, Trade
from trades.queries import frame_counts

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.django_db(transaction=True)]

LISTENERS = ("l1", "l2")
_ONE = st.tuples(st.integers(0, 6), st.integers(1, 3)) | st.none()
_SOME = st.lists(_ONE, min_size=1, max_size=6)


class _Crash(Exception):
    """The process died here."""


@dataclass
class _Segment:
    """What the model knows of a journal: its frames, and how many of them PostgreSQL has."""

    frames: list[tuple[int, int] | None] = field(default_factory=list)
    stored: int = 0


@dataclass
class _Process:
    """One listener: the segments of all its lives, and the open one while it lives."""

    folder: Path
    segments: list[_Segment] = field(default_factory=list)
    journal: Journal | None = None


def _frame(drawn: tuple[int, int] | None) -> bytes:
    return b"garbage" if drawn is None else confirmation(drawn[0], price=drawn[1], trader_id=f"t{drawn[0] % 2}")


class Capture(RuleBasedStateMachine):
    """Two listeners that append, store, crash and start again in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="drill-machine-"))
        self.processes = {name: _Process(self.folder / name) for name in LISTENERS}
        self.facts: dict[int, int] = {}
        self.counts = dict.fromkeys(("received", "stored", "duplicates", "conflicts", "quarantined"), 0)
        with connection.cursor() as cursor:
            cursor.execute(
                """TRUNCATE trades_trade, trades_tradechange, trades_position, trades_quarantinedmessage,
                   trades_journalprogress RESTART IDENTITY CASCADE"""
            )
        germany()

    def teardown(self) -> None:
        for process in self.processes.values():
            self._die(process)
        shutil.rmtree(self.folder)

    # --- the model -----------------------------------------------------------------------------------------------
    def _model_stores(self, segment: _Segment) -> None:
        for drawn in segment.frames[segment.stored :]:
            self.counts[self._model_judges(drawn)] += 1
            self.counts["received"] += 1
        segment.stored = len(segment.frames)

    def _model_judges(self, drawn: tuple[int, int] | None) -> str:
        if drawn is None:
            return "quarantined"
        if drawn[0] not in self.facts:
            self.facts[drawn[0]] = drawn[1]
            return "stored"
        return "duplicates" if self.facts[drawn[0]] == drawn[1] else "conflicts"

    # --- what happens --------------------------------------------------------------------------------------------
    def _die(self, process: _Process) -> None:
        if process.journal is not None:
            process.journal.close()
            process.journal = None

    def _alive(self, name: str) -> _Process:
        """The listener; a dead one starts first: it replays, then opens a new segment."""
        process = self.processes[name]
        if process.journal is None:
            self._replay(process)
            process.journal = Journal(process.folder, market="DE", listener=name, now=NOW)
            process.segments.append(_Segment())
        return process

    def _replay(self, process: _Process) -> int:
        for segment in process.segments:
            self._model_stores(segment)
        return replay_directory(directory=process.folder, market_of=Markets()).received

    def _store(self, name: str, process: _Process) -> None:
        """The writer takes what is journalled and not stored, as it has it in memory."""
        assert process.journal is not None
        header, segment = process.journal.header, process.segments[-1]
        frames = list(read_frames(process.journal.path, after=segment.stored))
        if frames:
            store_frames(market=germany(), source=FrameSource(header.journal, name), frames=frames)

    @rule(name=st.sampled_from(LISTENERS), drawn=_SOME)
    def receive(self, name: str, drawn: list[tuple[int, int] | None]) -> None:
        process = self._alive(name)
        assert process.journal is not None
        process.journal.append([(NOW, _frame(d)) for d in drawn])
        process.segments[-1].frames += drawn

    @rule(name=st.sampled_from(LISTENERS))
    def store(self, name: str) -> None:
        process = self._alive(name)
        self._store(name, process)
        self._model_stores(process.segments[-1])

    @rule(name=st.sampled_from(LISTENERS))
    def crash(self, name: str) -> None:
        """Before an append, or after it and before its frames are stored."""
        self._die(self.processes[name])

    @rule(name=st.sampled_from(LISTENERS), drawn=_SOME, cut=st.integers(1, 200))
    def crash_in_an_append(self, name: str, drawn: list[tuple[int, int] | None], cut: int) -> None:
        """The last record is torn: it never was received; those before it were."""
        process = self._alive(name)
        assert process.journal is not None
        path = process.journal.path
        process.journal.append([(NOW, _frame(d)) for d in drawn])
        last = 28 + len(_frame(drawn[-1]))
        os.truncate(path, path.stat().st_size - min(cut, last))
        process.segments[-1].frames += drawn[:-1]
        self._die(process)

    @rule(name=st.sampled_from(LISTENERS), noise=st.binary(min_size=1, max_size=100))
    def crash_with_noise_at_the_end(self, name: str, noise: bytes) -> None:
        """Blocks that were allocated and never written: no phantom frame comes of them."""
        process = self._alive(name)
        assert process.journal is not None
        with process.journal.path.open("ab") as file:
            file.write(b"\0" * 50 + noise)
        self._die(process)

    @rule(name=st.sampled_from(LISTENERS))
    def crash_before_the_commit(self, name: str) -> None:
        process = self._alive(name)
        try:
            with transaction.atomic():
                self._store(name, process)
                raise _Crash
        except _Crash:
            self._die(process)

    @rule(name=st.sampled_from(LISTENERS))
    def crash_after_the_commit(self, name: str) -> None:
        process = self._alive(name)
        self._store(name, process)
        self._model_stores(process.segments[-1])
        self._die(process)

    @rule(name=st.sampled_from(LISTENERS))
    def lose_the_commits_answer(self, name: str) -> None:
        """The writer doesn't hear that it was committed, and stores the same frames again."""
        process = self._alive(name)
        assert process.journal is not None
        segment, header = process.segments[-1], process.journal.header
        frames = list(read_frames(process.journal.path, after=segment.stored))
        source = FrameSource(header.journal, name)
        for _ in range(2):
            if frames:
                store_frames(market=germany(), source=source, frames=frames)
        self._model_stores(segment)

    @precondition(lambda self: any(p.segments for p in self.processes.values()))
    @rule(name=st.sampled_from(LISTENERS))
    def replay_twice(self, name: str) -> None:
        """By command, while the listener lives or not."""
        process = self.processes[name]
        self._replay(process)
        assert self._replay(process) == 0

    # --- what always holds ---------------------------------------------------------------------------------------
    @invariant()
    def tables_are_the_model(self) -> None:
        stored = {int(key): int(price) for key, price in Trade.objects.values_list("exchange_id", "price")}
        assert stored == self.facts
        assert frame_counts(market_id=germany().pk) == self.counts
        assert QuarantinedMessage.objects.count() == self.counts["conflicts"] + self.counts["quarantined"]
        assert position_differences() == []

    @invariant()
    def journals_have_what_was_received(self) -> None:
        for process in self.processes.values():
            kept = sum(len(list(read_frames(path))) for path in segments(process.folder))
            assert kept == sum(len(segment.frames) for segment in process.segments)


def _run(row: Row, examples: int, steps: int) -> None:
    row.done = f"{examples} random histories of up to {steps} steps: appends, stores, crashes, torn tails, replays"
    run_state_machine_as_test(
        Capture,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_order_of_crashes(row: Row) -> None:
    _run(row, 15, 20)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_any_order_of_crashes_for_long(row: Row) -> None:
    _run(row, 120, 40)
