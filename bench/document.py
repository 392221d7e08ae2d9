"""The recorded run as a table in docs/performance-tables.md, between two comments that say where."""

from __future__ import annotations

from collections.abc import Iterator

from bench import aims
from bench.runs import ROOT, Run
from bench.table import Row, figure

DOCUMENT = ROOT / "docs" / "performance-tables.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def with_figures(text: str, run: Run) -> str:
    """The document with this run's figures in the place of those that it has."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no {BEGIN} with an {END} after it")
    return before + "\n".join([BEGIN, *_lines(run), END]) + after


def _lines(run: Run) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    where = (
        f"{run.machine['processor']}, {run.machine['cores']} cores, {run.machine['memory']} GB, {run.machine['system']}"
    )
    yield f"{run.at[:10]}, commit {run.commit[:12]}{'+' if run.commit.endswith('+') else ''}; {where}; {versions}."
    yield ""
    yield "| what | floor | ours | ratio | last run's ratio | aim |"
    yield "|---|---|---|---|---|---|"
    yield from (_line(row) for row in run.rows)
    yield ""
    missed = list(aims.missed(run.rows))
    yield f"Aims missed in this run: {len(missed)}{':' if missed else '.'}"
    yield from (f"- {line}" for line in missed)


def _line(row: Row) -> str:
    what = f"{row.what} ({row.note})" if row.note else row.what
    last = figure(row.before) + (" (worse now)" if row.is_worse else "")
    cells = (what, _in(row.unit, row.floor), _in(row.unit, row.ours), figure(row.ratio), last, aims.words(row))
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _in(unit: str, value: float | None) -> str:
    return f"{figure(value)} {unit}".rstrip() if value is not None else ""
