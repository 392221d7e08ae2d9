"""`make bench`: run all benchmarks, or the one that BENCH names, on servers started for them.

RECORD=1 makes a whole run the one that later ones are compared with: docs/performance.json, and the table in its .md.
`make bench-growth` and `make bench-alternatives` (`python -m bench growth`, `alternatives`) run those that take their
time, each on a database of its own. BASE=commit measures this build and that commit in turn, ROUNDS times (1); BUSY=1
keeps one core busy meanwhile.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

from bench import against, aims, document, runs, table
from bench.busy import busy_core
from local.servers import embedded

NAMES = (
    *("journal", "ingest", "listener", "replay", "board", "screen", "full_board", "board_marks"),
    *("storm", "pages", "cost", "prices", "history", "assumptions_year"),
)
APART = ("growth", "alternatives")
"""What `make bench` leaves out."""
FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"


def main(arguments: list[str]) -> int:
    wanted = (arguments or [os.environ.get("BENCH") or ""])[0]
    recording, busy, base = _is_set("RECORD"), _is_set("BUSY"), os.environ.get("BASE", "")
    if wanted and wanted not in {*NAMES, *APART}:
        return _refuse(f"BENCH must be one of {', '.join(NAMES)}")
    if wanted and recording:
        return _refuse("RECORD=1 records a whole run; leave BENCH out")
    if recording and (busy or base):
        return _refuse("RECORD=1 records this build alone on a quiet machine; leave BASE and BUSY out")
    with busy_core(wanted=busy):
        return _against(base, wanted, busy=busy) if base else _run(wanted, recording=recording)


def _is_set(name: str) -> bool:
    return os.environ.get(name, "") not in {"", "0"}


def _against(commit: str, wanted: str, *, busy: bool) -> int:
    """This build beside another one."""
    rounds = os.environ.get("ROUNDS", "1")
    if not rounds.isdecimal() or int(rounds) < 1:
        return _refuse("ROUNDS must be a number from 1 on")
    try:
        base = against.base_of(commit)
    except against.BaseError as error:
        return _refuse(str(error))
    ours = against.Build(runs.ROOT, "this build")
    pairs = against.measure([wanted] if wanted else NAMES, base, ours, rounds=int(rounds))
    print(*against.console(pairs), sep="\n")
    print(f"{against.WRITTEN}{against.keep(pairs, base, busy=busy)}")
    return 0


def _run(wanted: str, *, recording: bool) -> int:
    """This build alone."""
    folder = FOLDER.with_name(f"bench-{wanted}") if wanted in APART else FOLDER
    with ExitStack() as stack:
        _prepare(stack, folder)
        rows, failed = _measure([wanted] if wanted else list(NAMES), folder)
        run = runs.this_run(rows)
    _say(run, whole=not wanted)
    if failed:
        return _refuse(f"Failed: {', '.join(failed)}")
    if recording:
        _record(run)
    return 0


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


def _prepare(stack: ExitStack, folder: Path) -> None:
    """Servers of our own, Django on them, the schema."""
    folder.mkdir(parents=True, exist_ok=True)
    own = stack.enter_context(embedded.running(folder, fast=False))
    os.environ.update(
        DATABASE_URL=own.database_url,
        REDIS_URL=own.redis_url,
        SECRET_KEY="for benchmarks only",
        SECURE_COOKIES="0",
        LOG_LEVEL="ERROR",
        DJANGO_SETTINGS_MODULE="reporting.settings",
    )
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _measure(names: list[str], folder: Path) -> tuple[list[table.Row], list[str]]:
    """The rows of these benchmarks beside the last run's, and which of them failed: the others' time is not lost."""
    rows: list[table.Row] = []
    failed = []
    for name in names:
        print(f"{name} …", flush=True)
        began = time.monotonic()
        try:
            rows += import_module("bench.alternatives" if name == "alternatives" else f"bench.cases.{name}").run(folder)
        except Exception:
            traceback.print_exc()
            failed.append(name)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    last = runs.last_run()
    return table.beside(rows, last.rows if last else ()), failed


def _say(run: runs.Run, *, whole: bool) -> None:
    """The table, what is worse than the last recorded run, which aims were missed."""
    print(*table.console(run.rows), sep="\n")
    print(f"Written to {runs.keep(run)}")
    worse = [row.what for row in run.rows if row.is_worse]
    if worse:
        print(f"Worse than the last recorded run by more than a quarter: {'; '.join(worse)}")
    missed = [*aims.missed(run.rows), *(f"{what}: not measured" for what in aims.unmeasured(run.rows) if whole)]
    print(*([f"Aims missed: {len(missed)}", *missed] if missed else ["No aim missed."]), sep="\n  ")


def _record(run: runs.Run) -> None:
    runs.RECORDED.write_text(run.as_json())
    document.DOCUMENT.write_text(document.with_figures(document.DOCUMENT.read_text(), run))
    print(f"Recorded in {runs.RECORDED.relative_to(runs.ROOT)} and {document.DOCUMENT.relative_to(runs.ROOT)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
