"""`manage.py journal stats|show|archive|prune`: look into the journals, pack what is stored, remove what is old."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from market import clock
from market.periods import PeriodError, parse_day
from market.queries import MarketError
from trades.capture.journal import JournalError, archived_segments, is_written, read_frames, read_header, segments
from trades.capture.journal_archive import Outcome, SegmentFacts, archive, prune, survey
from trades.capture.markets import Markets
from trades.capture.replay import replay_directory
from trades.frames import JournalFrame
from trades.ledger.confirmations import parse_frame
from trades.trace import readable

LONGEST_SHOWN_FRAME = 2000
_UTC = ZoneInfo("UTC")


class Command(BaseCommand):
    help = "Looks into the listeners' journals, packs what is stored into the archive, removes what is old."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="what", required=True, metavar="stats|show|archive|prune")
        stats = commands.add_parser("stats", help="what each segment holds, and how far it is stored")
        stats.add_argument("--archived", action="store_true", help="the archived segments too")
        show = commands.add_parser("show", help="frames as they came")
        show.add_argument("segment", nargs="?", metavar="SEGMENT", help="its file or part of the name; else the newest")
        show.add_argument("--number", type=int, help="the frame with this number")
        show.add_argument(
            "--id", metavar="TRADE_ID", help="frames with this trade id, in all segments if none is named"
        )
        show.add_argument("--last", type=int, default=20, help="how many frames, from the end (20)")
        pack = commands.add_parser("archive", help="pack segments into the archive that are stored and finished")
        pack.add_argument("--before", required=True, metavar="YYYY-MM-DD", help="those begun before this day (UTC)")
        remove = commands.add_parser("prune", help="remove old segments from the archive")
        remove.add_argument("--older-than", type=int, default=400, metavar="DAYS", help="those begun before that (400)")

    def handle(self, *_args: Any, **options: Any) -> None:
        directory: Path = settings.TRADE_JOURNAL_DIR
        if not directory.is_dir():
            raise CommandError(f"there is no journal folder {directory} on this machine")
        getattr(self, f"_{options['what']}")(directory, options)

    # --- stats --------------------------------------------------------------------------------------------------
    def _stats(self, directory: Path, options: dict[str, Any]) -> None:
        count = frames = size = 0
        for facts in survey(directory, archived=options["archived"]):
            if isinstance(facts, Outcome):
                self.stdout.write(f"{facts.path.name}\n  unreadable: {facts.words}")
                continue
            count, frames, size = count + 1, frames + facts.frames, size + facts.size
            self.stdout.write("\n".join(_described(facts)))
        self.stdout.write(f"{count} segments, {frames} frames, {size} bytes in {directory}")

    # --- show ---------------------------------------------------------------------------------------------------
    def _show(self, directory: Path, options: dict[str, Any]) -> None:
        chosen = list(self._chosen(directory, options))
        for path, frame in chosen:
            shown = readable(frame.frame, LONGEST_SHOWN_FRAME)
            self.stdout.write(f"{path.name} frame {frame.number}, {_moment(frame.received_at)}\n  {shown}")
        if not chosen:
            raise CommandError("no such frame in the journals on this disk")

    def _chosen(self, directory: Path, options: dict[str, Any]) -> Iterator[tuple[Path, JournalFrame]]:
        """The frames asked for, in order."""
        paths = _named(directory, options["segment"], every=options["id"] is not None)
        for path in paths:
            try:
                for frame in _wanted(read_frames(path), options):
                    yield path, frame
            except (JournalError, OSError) as error:
                self.stderr.write(f"{path.name}: {error}")

    # --- archive and prune --------------------------------------------------------------------------------------
    def _archive(self, directory: Path, options: dict[str, Any]) -> None:
        try:
            before = parse_day(options["before"])
        except PeriodError as error:
            raise CommandError(str(error)) from None
        try:
            replay_directory(directory=directory, market_of=Markets())  # stores what is left, notes what is finished
        except MarketError as error:
            raise CommandError(str(error)) from None
        self._report(archive(directory=directory, before=before), "packed")

    def _prune(self, directory: Path, options: dict[str, Any]) -> None:
        if options["older_than"] < 1:
            raise CommandError("--older-than takes whole days, at least 1")
        kept = timedelta(days=options["older_than"])
        self._report(prune(directory=directory, now=clock.now(), older_than=kept), "removed")

    def _report(self, outcomes: Iterable[Outcome], done: str) -> None:
        """One line a segment; exit code 1 if one had to be left."""
        counts = [0, 0]
        for outcome in outcomes:
            counts[outcome.done] += 1
            self.stdout.write(f"  {outcome.path.name}: {'' if outcome.done else 'left: '}{outcome.words}")
        self.stdout.write(f"{counts[True]} segments {done}, {counts[False]} left.")
        if counts[False]:
            sys.exit(1)


def _described(facts: SegmentFacts) -> Iterator[str]:
    """One segment in a few lines."""
    stored = facts.stored
    state = "complete" if stored.complete else "being written" if is_written(facts.path) else "not known to be complete"
    yield facts.path.name
    yield f"  listener {facts.header.listener}, market {facts.header.market}, day {facts.header.created_at:%Y-%m-%d}"
    yield f"  {facts.frames} frames in {facts.size} bytes, {facts.damaged} bytes damaged"
    if facts.first_at and facts.last_at:
        yield f"  first {_moment(facts.first_at)}, last {_moment(facts.last_at)}"
    yield f"  stored up to frame {stored.position} of {facts.last_number}, {state}"


def _named(directory: Path, name: str | None, *, every: bool) -> list[Path]:
    """The segments meant: all whose name or identity contains `name`; without one the newest, or `every`."""
    live, paths = segments(directory), [*archived_segments(directory), *segments(directory)]
    if name is None:
        return paths if every else live[-1:]
    matching = [path for path in paths if Path(name).name in path.name or _is_journal(path, name)]
    if not matching:
        raise CommandError(f"no segment “{name}” in {directory}; journal stats lists them")
    return matching


def _is_journal(path: Path, journal: str) -> bool:
    try:
        return read_header(path).journal == journal
    except (JournalError, OSError):
        return False


def _wanted(frames: Iterator[JournalFrame], options: dict[str, Any]) -> Iterable[JournalFrame]:
    if options["number"] is not None:
        return (frame for frame in frames if frame.number == options["number"])
    if options["id"] is not None:
        return (frame for frame in frames if _has_id(frame.frame, options["id"]))
    return deque(frames, maxlen=max(1, options["last"]))


def _has_id(frame: bytes, trade_id: str) -> bool:
    """Whether the frame confirms this trade. Frames that can't name it are not parsed: a day has 144,000."""
    plainly = json.dumps(trade_id, ensure_ascii=False)[1:-1].encode()
    may_hide_it = b"\\" in frame  # an escape may stand for any character
    return (plainly in frame or may_hide_it) and parse_frame(frame, _UTC).exchange_id == trade_id


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC"
