"""Two builds beside each other: each from its own checkout and environment, in turn, and a core that is kept busy."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from bench import __main__ as bench
from bench import against
from bench.against import BaseError, Build, Pair, base_of, console, keep, measure, paired
from bench.aims import missed_of_base
from bench.busy import busy_core
from bench.runs import Run
from bench.table import Row

SCRIPT = """import json, sys, pathlib
name, root = sys.argv[1], pathlib.Path.cwd()
with (root.parent / "asked").open("a") as asked:
    asked.write(f"{name} {VALUE}\\n")
if name not in ("pages", "cost"):
    sys.exit("no such benchmark")
rows = [dict(what=name, unit="ms", ours=VALUE, floor=2.0)]
run = dict(at="2026-11-29T12:00:00+00:00", commit="c", machine={}, versions={}, rows=rows)
path = root / "result.json"
path.write_text(json.dumps(run))
print(f"Written to {path}")
"""
SETUP = f'setup-dev:\n\tmkdir -p .venv/bin\n\tln -sf "{sys.executable}" .venv/bin/python\n'


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=desk", "-c", "user.email=desk@desk.example")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with two commits, whose benchmarks give 10 and then 4; set up as it stands."""
    root = tmp_path / "project"
    (root / "bench").mkdir(parents=True)
    (root / "Makefile").write_text(SETUP)
    (root / "bench" / "__init__.py").touch()
    (root / ".gitignore").write_text(".venv\nvar\nresult.json\n")
    git(root, "init", "--quiet")
    for value in (10, 4):
        (root / "bench" / "__main__.py").write_text(f"VALUE = {value}\n{SCRIPT}")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "-m", f"value {value}")
    subprocess.run(["make", "setup-dev"], cwd=root, check=True, capture_output=True)
    return root


def test_each_build_is_measured_from_its_own_checkout_in_turn(project: Path) -> None:
    base, ours = base_of("HEAD~1", root=project), Build(project, "this build")
    assert base.root != project
    assert base.commit == git(project, "rev-parse", "HEAD~1")
    assert measure(["pages"], base, ours, rounds=2) == [Pair("pages", "ms", 10.0, 4.0, 2.0, 2.0)]
    asked = [
        line for folder in (base.root.parent, project.parent) for line in (folder / "asked").read_text().split("\n")
    ]
    assert sorted(filter(None, asked)) == ["pages 10", "pages 10", "pages 4", "pages 4"]


def test_a_base_is_set_up_once(project: Path) -> None:
    base = base_of("HEAD~1", root=project)
    kept = base.root / "kept"
    kept.touch()
    assert base_of(base.commit[:10], root=project) == base
    assert kept.exists()


def test_what_one_of_them_lacks_is_a_dash(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, ours = base_of("HEAD~1", root=project), Build(project, "this build")
    assert measure(["screen"], base, ours, rounds=1) == []
    assert "no such benchmark" in capsys.readouterr().out
    row = Row("new", "ms", 3.0, None)
    (pair,) = paired([], [row])
    assert (pair.base, pair.ours, pair.of_base) == (None, 3.0, None)
    assert [line.split()[:4] for line in list(console([pair]))[1:]] == [["new", "—", "3.00", "—"]]


def test_the_median_of_the_rounds_counts() -> None:
    ours = [Row("a", "ms", value, 1.0) for value in (5.0, 1.0, 2.0)]
    (pair,) = paired([Row("a", "ms", 4.0, None)], ours)
    assert (pair.ours, pair.of_base, pair.floor, pair.base_floor) == (2.0, 0.5, 1.0, None)
    assert len(paired([Row("a", "s", 4.0, None)], ours)) == 2, "another unit is another thing"


def test_an_aim_against_the_base_is_said_when_it_is_missed() -> None:
    what = "an idle minute, all processes"
    assert missed_of_base(what, 0.5) == missed_of_base(what, None) == missed_of_base("else", 9.0) == ""
    assert missed_of_base(what, 0.61) == f"{what}: 0.61 of the base, aim ≤ 0.5"
    lines = list(console([Pair(what, "CPU s", 2.0, 1.9)]))
    assert lines[-2:] == ["Aims against the base missed: 1", f"  {what}: 0.95 of the base, aim ≤ 0.5"]


def test_it_is_kept_with_both_figures(tmp_path: Path) -> None:
    pair = Pair("pages", "ms", 10.0, 4.0)
    facts = json.loads(keep([pair], Build(tmp_path, "c0ffee" * 6), busy=True, folder=tmp_path / "results").read_text())
    assert facts.pop("at")
    assert facts == {"base": "c0ffee" * 6, "busy": True, "rows": [asdict(pair) | {"of_base": 0.4}]}


def test_no_commit_and_one_that_can_not_be_set_up(project: Path) -> None:
    with pytest.raises(BaseError, match=r"^BASE=nonsense is no commit of this repository\.$"):
        base_of("nonsense", root=project)
    (project / "Makefile").write_text("setup-dev:\n\t@echo no network >&2; exit 1\n")
    git(project, "commit", "--quiet", "-am", "broken")
    with pytest.raises(BaseError, match="can't be set up: "):
        base_of("HEAD", root=project)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"RECORD": "1", "BUSY": "1"}, "RECORD=1 records this build alone on a quiet machine; leave BASE and BUSY out"),
        ({"RECORD": "1", "BASE": "HEAD"}, "RECORD=1 records this build alone"),
        ({"BASE": "HEAD", "ROUNDS": "0"}, "ROUNDS must be a number from 1 on"),
        ({"BASE": "nonsense"}, "BASE=nonsense is no commit of this repository."),
    ],
)
def test_what_makes_no_sense_is_refused(
    variables: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("RECORD", "BUSY", "BASE", "ROUNDS", "BENCH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert bench.main([]) == 1
    assert sentence in capsys.readouterr().err


def test_what_is_asked_of_this_run_is_not_asked_of_those_that_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE", "HEAD")
    monkeypatch.setenv("BUSY", "1")
    monkeypatch.setenv("PYTHONPATH", "this build's own")
    monkeypatch.setenv("HOME_OF_OURS", "here")
    found = against.environment()
    assert not {"BASE", "BUSY", "PYTHONPATH"} & found.keys()
    assert found["HOME_OF_OURS"] == "here"


def test_a_core_is_busy_for_the_length_of_the_block() -> None:
    with busy_core() as process:
        assert process is not None
        running = psutil.Process(process.pid)
        while running.cpu_times().user < 0.05:
            assert process.poll() is None
    assert process.poll() is not None
    with busy_core(wanted=False) as nobody:
        assert nobody is None


def test_results_of_an_older_build_are_read(tmp_path: Path) -> None:
    """Its rows may have fewer fields, and its run more."""
    row = {"what": "pages", "unit": "ms", "ours": 1.0, "floor": None, "ratio": None, "gone": 1}
    text = json.dumps({"at": "", "commit": "", "machine": {}, "versions": {}, "rows": [row]})
    assert Run.from_json(text).rows == [Row("pages", "ms", 1.0, None)]
