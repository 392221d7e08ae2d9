"""`BASE=commit make bench`: this build and that commit, measured in turn in one run.

Each runs its own benchmarks from its own checkout, with its own environment, servers and database. The base's checkout
is made and set up once, in var/bench-base/.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import aims, runs, table

WRITTEN = "Written to "
_OURS_ALONE = (
    "BASE",
    "BENCH",
    "RECORD",
    "BUSY",
    "ROUNDS",
    "MAKEFLAGS",
    "MFLAGS",
    "MAKELEVEL",
    "VIRTUAL_ENV",
    "PYTHONPATH",
)
"""Variables that say something to this run, nothing to those that it begins."""


class BaseError(Exception):
    """There is no such commit, or it can't be set up: one sentence."""


@dataclass(frozen=True, slots=True)
class Build:
    """A checkout that benchmarks can be run in."""

    root: Path
    commit: str

    def run(self, name: str) -> list[table.Row]:
        """The rows of one of its benchmarks; none where it has no such one, or it failed."""
        python = self.root / ".venv" / "bin" / "python"
        done = _said([str(python), "-m", "bench", name], self.root)
        written = [line.removeprefix(WRITTEN) for line in done.stdout.splitlines() if line.startswith(WRITTEN)]
        if done.returncode or not written:
            print(f"  {self.commit[:9]}: {(done.stderr.strip().splitlines() or ['no results'])[-1]}", flush=True)
            return []
        return runs.Run.from_json(Path(written[-1]).read_text()).rows


@dataclass(frozen=True, slots=True)
class Pair:
    """One measured thing in both builds, in `unit`: medians over the rounds; floors where the row has one."""

    what: str
    unit: str
    base: float | None
    ours: float | None
    base_floor: float | None = None
    floor: float | None = None

    @property
    def of_base(self) -> float | None:
        """Ours as a share of the base's."""
        return self.ours / self.base if self.ours is not None and self.base else None


def environment() -> dict[str, str]:
    """What a benchmark of a build is started with."""
    return {name: value for name, value in os.environ.items() if name not in _OURS_ALONE}


def base_of(commit: str, *, root: Path = runs.ROOT) -> Build:
    """The commit in a checkout of its own, set up by its own makefile. BaseError says what is wrong."""
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    if found.returncode:
        raise BaseError(f"BASE={commit} is no commit of this repository.")
    sha = found.stdout.strip()
    folder = root / "var" / "bench-base" / sha[:12]
    if not (folder / "var" / "ready-for-bench").exists():
        _check_out(root, sha, folder)
    return Build(folder, sha)


def _check_out(root: Path, sha: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    for arguments in (
        ("clone", "--quiet", "--no-checkout", str(root), str(folder)),
        ("-C", str(folder), "checkout", "--quiet", "--detach", sha),
    ):
        done = _git(root, *arguments)
        if done.returncode:
            raise BaseError(f"{sha[:9]} can't be checked out: {done.stderr.strip()}")
    done = _said(["make", "setup-dev"], folder)
    if done.returncode:
        raise BaseError(f"{sha[:9]} can't be set up: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")
    (folder / "var").mkdir(exist_ok=True)
    (folder / "var" / "ready-for-bench").touch()


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _said(["git", *arguments], root)


def _said(argv: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, check=False, cwd=folder, env=environment(), capture_output=True, text=True)


def measure(names: Sequence[str], base: Build, ours: Build, *, rounds: int) -> list[Pair]:
    """Every benchmark in both builds, so many times, taking turns in who is first."""
    pairs = []
    for name in names:
        found: dict[Build, list[table.Row]] = {base: [], ours: []}
        for number in range(rounds):
            for build in (base, ours) if number % 2 == 0 else (ours, base):
                print(f"{name}, round {number + 1}: {build.commit[:9]} …", flush=True)
                found[build] += build.run(name)
        pairs += paired(found[base], found[ours])
    return pairs


def paired(base: Sequence[table.Row], ours: Sequence[table.Row]) -> list[Pair]:
    """The rows of ours, each beside the base's of the same name and unit; then what the base alone has."""
    kinds = list(dict.fromkeys((row.what, row.unit) for row in (*ours, *base)))
    return [
        Pair(
            what,
            unit,
            _median(row.ours for row in _alike(base, what, unit)),
            _median(row.ours for row in _alike(ours, what, unit)),
            _median(row.floor for row in _alike(base, what, unit)),
            _median(row.floor for row in _alike(ours, what, unit)),
        )
        for what, unit in kinds
    ]


def _alike(rows: Iterable[table.Row], what: str, unit: str) -> Iterator[table.Row]:
    return (row for row in rows if (row.what, row.unit) == (what, unit))


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def console(pairs: Sequence[Pair]) -> Iterator[str]:
    """A line for each: both figures, ours as a share of the base's, and each one's ratio to its floor."""
    width = max((len(pair.what) for pair in pairs), default=0)
    yield f"{'what':<{width}}{'base':>10}{'now':>10}{'now/base':>10}{'base/floor':>12}{'now/floor':>12}"
    for pair in pairs:
        floors = (_over(pair.base, pair.base_floor), _over(pair.ours, pair.floor))
        figures = f"{table.figure(pair.base):>10}{table.figure(pair.ours):>10}{table.figure(pair.of_base):>10}"
        yield (
            f"{pair.what:<{width}}{figures}" + "".join(f"{table.figure(one):>12}" for one in floors) + f"  {pair.unit}"
        )
    missed = [line for pair in pairs if (line := aims.missed_of_base(pair.what, pair.of_base))]
    yield from [f"Aims against the base missed: {len(missed)}", *(f"  {line}" for line in missed)] if missed else []


def _over(value: float | None, floor: float | None) -> float | None:
    return value / floor if value is not None and floor else None


def keep(pairs: Sequence[Pair], base: Build, *, busy: bool, folder: Path = runs.RESULTS) -> Path:
    """Write it among the results; where."""
    folder.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    facts = {"at": now.isoformat(timespec="seconds"), "base": base.commit, "busy": busy}
    rows = [asdict(pair) | {"of_base": pair.of_base} for pair in pairs]
    path = folder / f"against-{base.commit[:9]}-{now:%Y%m%dT%H%M%S}.json"
    path.write_text(json.dumps(facts | {"rows": rows}, indent=1, ensure_ascii=False) + "\n")
    return path
