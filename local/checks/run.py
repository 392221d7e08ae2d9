"""`make test`: every check and every test, a line with its time for each, and what pytest counted as the last line.

`python -m local.checks.run pytest ARGUMENTS` runs pytest alone, on servers of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from local.checks import programs, pure_rooms, secrecy, testbed
from local.servers import installation

ROOT = testbed.ROOT
_RESULTS = ROOT / "var" / "test" / "results"
_PRODUCTION = {
    "DEBUG": "0",
    "SECURE_COOKIES": "1",
    "ALLOWED_HOSTS": "desk.example",
    "CSRF_TRUSTED_ORIGINS": "https://desk.example",
}


TEST_SETTINGS = "tests.settings"
SHOWN_SLOWEST = 20
_ALL_BUT_BROWSERS = ("tests", "--ignore=tests/browser", "-m", "not long")
_BROWSERS = ("tests/browser", "-m", "not long")
_COMPOSE = ("--builtin-schema", "vendor.compose-spec")
_SAYING_ALL = ("-o", "junit_logging=all")
"""What every test and process says is kept with the results: local/checks/secrecy.py reads it all."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing that must succeed. Its output is shown when it fails, or always with `loud`."""

    name: str
    argv: list[str]
    loud: bool = False
    beside_the_next: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def stages() -> list[Stage]:
    # The last one reads what all the others, and the processes that they started, have said.
    """All of them, quick ones first."""
    python = [sys.executable, "-m"]
    manage = [sys.executable, "manage.py"]
    pure = [f"--ignore={path.relative_to(ROOT)}" for path in pure_rooms.tests()]
    said: dict[str, Any] = {"loud": True, "environment": {"DJANGO_SETTINGS_MODULE": TEST_SETTINGS}}
    return [
        Stage("known vulnerabilities", [*python, "local.checks.dependencies", "audit"], loud=True),
        Stage("ruff check", [*python, "ruff", "check", "."]),
        Stage("ruff format", [*python, "ruff", "format", "--check", "."]),
        Stage("import contracts", [str(_script("lint-imports"))]),
        Stage("migrations", [*manage, "makemigrations", "--check", "--dry-run"]),
        Stage(
            "deployment check",
            [*manage, "check", "--deploy", "--fail-level", "WARNING"],
            environment=_PRODUCTION,
        ),
        Stage("types", [*python, "mypy"]),
        Stage("Dockerfile", [str(_script("hadolint")), "Dockerfile"]),
        Stage("CloudFormation", [str(_script("cfn-lint")), "deploy/aws/foundation.yaml", "deploy/aws/desk.yaml"]),
        Stage("alerts", [*python, "local.checks.promtool"], loud=True),
        Stage("compose", [str(_script("check-jsonschema")), *_COMPOSE, "compose.yaml"]),
        # Twice as many workers as cores: many tests wait for processes that they have killed.
        Stage("tests", _pytest("tests", *_ALL_BUT_BROWSERS, *pure, "-n", "4", "--dist", "worksteal"), **said),
        # One that computes beside one that mostly waits for pages.
        Stage(
            "pure rooms",
            [*python, "local.checks.pure_rooms", "-q", f"--junit-xml={_RESULTS / 'pure.xml'}"],
            beside_the_next=True,
            environment={"DJANGO_SETTINGS_MODULE": TEST_SETTINGS},
        ),
        Stage(
            "browser tests",
            _pytest("browser", *_BROWSERS, "-n", "4", "--dist", "loadfile"),
            **said,
        ),
        Stage("no secrets said", [*python, "local.checks.secrecy", str(_RESULTS)], loud=True),
    ]


def _pytest(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "--quiet", f"--junit-xml={_RESULTS / name}.xml", *_SAYING_ALL, *arguments]


def _script(name: str) -> str:
    return os.path.join(os.path.dirname(sys.executable), name)  # noqa: PTH118, PTH120 (a link is not to be followed)


def run(stage: Stage) -> bool:
    """Run one stage, tell how it went, how long it took and what it took of the processors (user and system)."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        process = subprocess.Popen(
            stage.argv,
            cwd=ROOT,
            env={**os.environ, **stage.environment},
            stdout=None if stage.loud else said,
            stderr=None if stage.loud else subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)  # with all that it has started, and nothing of what runs beside it
        process.returncode = os.waitstatus_to_exitcode(status)
        succeeded = process.returncode == 0
        said.seek(0)
        if not succeeded and (text := said.read().rstrip()):
            print(text, flush=True)
    took, cost = time.monotonic() - began, used.ru_utime + used.ru_stime
    print(f"{'ok    ' if succeeded else 'FAILED'}  {stage.name:21} {took:6.1f} s  {cost:6.1f} s of CPU", flush=True)
    return succeeded


# --- all of it ----------------------------------------------------------------------------------------------------
def main(arguments: list[str]) -> int:
    """All stages, or pytest alone with its arguments."""
    try:
        with testbed.entered():
            os.environ["PYTHONPATH"] = str(ROOT)
            if arguments[:1] == ["pytest"]:
                return _pytest_alone(arguments[1:])
            return _all_stages()
    except (programs.ProgramError, installation.ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def _pytest_alone(arguments: list[str]) -> int:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": TEST_SETTINGS}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, env=environment, check=False
    ).returncode


def _all_stages() -> int:
    began = time.monotonic()
    shutil.rmtree(_RESULTS, ignore_errors=True)
    os.environ[secrecy.KEEP_IN] = str(_RESULTS / "processes")
    installing = threading.Thread(target=programs.install_all)
    installing.start()  # beside what needs none of them
    failed: list[str] = []

    def note(stage: Stage) -> None:
        if not run(stage):
            failed.append(stage.name)

    beside: list[threading.Thread] = []
    for stage in stages():
        if stage.name == "tests":
            installing.join()
            programs.need_all()
        if stage.beside_the_next:
            beside.append(threading.Thread(target=note, args=(stage,)))
            beside[-1].start()
            continue
        note(stage)
        while beside:
            beside.pop().join()
    print("The slowest tests:", *slowest(_RESULTS, SHOWN_SLOWEST), sep="\n  ", flush=True)
    if failed:
        print(f"FAILED: {', '.join(failed)}", flush=True)
    print(f"=== {summary(_RESULTS)} in {time.monotonic() - began:.1f}s ===", flush=True)
    return 1 if failed else 0


def slowest(results: Path, most: int) -> list[str]:
    """The tests that took longest, a line each: seconds, file and name."""
    cases = (case for path in results.glob("*.xml") for case in ElementTree.parse(path).iter("testcase"))  # noqa: S314
    took = sorted(((float(case.get("time", "0")), case) for case in cases), key=lambda pair: -pair[0])
    return [f"{seconds:6.1f} s  {case.get('classname')}.{case.get('name')}" for seconds, case in took[:most]]


def summary(results: Path) -> str:
    """What all pytest runs counted together, as pytest words it."""
    counts: Counter[str] = Counter()
    for path in sorted(results.glob("*.xml")):
        for suite in ElementTree.parse(path).iter("testsuite"):  # noqa: S314 (pytest's own file)
            for name in ("tests", "failures", "errors", "skipped"):
                counts[name] += int(suite.get(name, "0"))
    bad = {"failed": counts["failures"], "errors": counts["errors"], "skipped": counts["skipped"]}
    words = {"failed": bad["failed"], "passed": counts["tests"] - sum(bad.values()), **bad}
    return ", ".join(f"{count} {word}" for word, count in words.items() if count or word == "passed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
